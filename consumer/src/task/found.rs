//! What a task's record is found to say, and what a worker has written into it.

use std::time::Duration;

use protocol::{FailureCause, ProtocolError, RecordedSplit, TaskRecord, Versioned};

use crate::error::Result;

/// What a worker has written last into a task's record.
#[derive(Debug, Clone, Default)]
pub(super) struct Ours {
    pub(super) etag: String,
    pub(super) tries: u32,
    pub(super) max_tries: u32,
    /// Why the try before failed, and from its end on this one.
    pub(super) last_cause: Option<FailureCause>,
    /// How the frame was split, where it was.
    pub(super) split: Option<RecordedSplit>,
}

/// What a task is found as.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Found {
    /// This worker has it now, for the try of that number.
    Begun {
        /// From 1.
        try_number: u32,
    },
    /// It has come to its end: there is nothing to do.
    Final,
    /// Another worker has it, whose lease runs for so long at the most.
    Held {
        /// Until another worker may take it.
        lease_left: Duration,
    },
    /// A worker has split it.
    Split(RecordedSplit),
    /// Others have it, and enough of them.
    NotWanted,
    /// It was tried as often as it may be, and nobody lived to say so.
    Exhausted {
        /// How often.
        tries: u32,
    },
}

impl Ours {
    /// What a record says that others have written last.
    pub(super) fn of(record: &TaskRecord, etag: String) -> Self {
        Self {
            etag,
            tries: record.tries,
            max_tries: record.max_tries.max(1),
            last_cause: record.last_cause,
            split: record.split,
        }
    }
}

/// A record as it stands in the bucket.
pub(super) fn bytes_of(record: &TaskRecord) -> Result<Vec<u8>> {
    serde_json::to_vec(record).map_err(|source| {
        ProtocolError::Malformed { document: TaskRecord::DOCUMENT, source }.into()
    })
}
