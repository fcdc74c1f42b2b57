//! A task that is rendered beside another worker, which is slow with it: the first result counts.
//!
//! The record stays the other worker's until there is a result. A second worker changes nothing but
//! that, whatever goes wrong with it.

use std::sync::atomic::Ordering;

use protocol::{TaskRecord, TaskState, keys};

use crate::error::{ConsumerError, Result};
use crate::task::found::{Found, Ours};
use crate::task::record::Record;

impl Record {
    /// Takes the task; where another worker has it and a second one is wanted, begins beside it.
    pub(crate) async fn take(&self, second_is_wanted: bool) -> Result<Found> {
        match self.begin().await? {
            Found::Held { .. } if second_is_wanted => self.begin_second().await,
            found => Ok(found),
        }
    }

    /// Whether this worker renders beside another one.
    pub(crate) fn is_second(&self) -> bool {
        self.is_second.load(Ordering::Relaxed)
    }

    async fn begin_second(&self) -> Result<Found> {
        let record = match self.read().await {
            Ok(found) => found.map(|(record, _)| record),
            // Of a newer version: that worker may be helped by its like.
            Err(ConsumerError::Protocol(_)) => None,
            Err(error) => return Err(error),
        };
        // The end of a split frame needs its slices, and a second worker has none.
        let Some(TaskRecord { tries, split: None, state: TaskState::Running { .. }, .. }) = record
        else {
            return Ok(Found::NotWanted);
        };
        let claim = keys::second(self.job, self.frame, self.slice, tries);
        if !self.storage.put_if_absent(&claim, self.worker.as_bytes().to_vec()).await? {
            return Ok(Found::NotWanted);
        }
        self.is_second.store(true, Ordering::Relaxed);
        self.try_number.store(tries, Ordering::Relaxed);
        Ok(Found::Begun { try_number: tries })
    }

    /// Whether a result would still count.
    pub(crate) async fn is_open(&self) -> Result<bool> {
        Ok(self.read().await?.is_some_and(|(record, _)| !record.is_final()))
    }

    /// The record as it is, for a second worker that has a result; nothing where there is one.
    pub(super) async fn as_it_is(&self) -> Result<Option<Ours>> {
        let found = self.read().await?.filter(|(record, _)| !record.is_final());
        Ok(found.map(|(record, etag)| Ours::of(&record, etag)))
    }
}
