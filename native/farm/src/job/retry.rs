//! Tasks that are enqueued again.

use std::collections::HashSet;

use futures_util::{StreamExt, stream};
use protocol::{
    FailureCause, FrameSplit, Job, JobId, TaskEvent, TaskEventKind, TaskRecord, TaskState,
    Versioned, keys, parse,
};

use super::control::resume;
use super::documents::{read_control, read_job};
use super::event_log::EventLog;
use super::messages::enqueue_frames;
use super::tally::Tally;
use crate::aws::connection::FarmSettings;
use crate::aws::stack::Farm;
use crate::aws::storage::Storage;
use crate::clock::now_ms;
use crate::error::{FarmError, Result};

/// How many records are changed at the same time.
const RECORDS_AT_ONCE: usize = 32;

/// How often a record that others change too is looked at again.
const CHANGES: usize = 5;

/// Which tasks are enqueued again, beside those whose results somebody has deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Those that failed for good.
    Failed,
    /// Those, and all others that are neither rendered nor being worked on: for where the queue has
    /// lost them. One that is on the queue all the same is rendered once.
    Missing,
}

/// Enqueues tasks again, each with as many tries as at the first time; gives how many.
///
/// # Errors
/// [`FarmError::NoObject`] where there is no such job, [`FarmError::JobCancelled`],
/// [`FarmError::LostBlender`], else [`FarmError`] of a call.
pub async fn retry(settings: &FarmSettings, job: JobId, which: Retry) -> Result<u64> {
    let farm = Farm::connect(settings).await?;
    let storage = &farm.storage;
    let job = read_job(storage, job).await?;
    let control = read_control(storage, job.id).await?;
    if control.cancelled {
        return Err(FarmError::JobCancelled { job: job.id });
    }
    // It would only fail again.
    if let Some(version) = job.render_version.filter(|version| !farm.blenders.has(*version)) {
        return Err(FarmError::LostBlender(version));
    }
    let mut which = which;
    if control.paused.is_some() {
        // What had not begun was dropped.
        which = Retry::Missing;
        resume(storage, job.id).await?;
    }
    let results = storage.keys_below(&keys::frames(job.id)).await?;
    let mut tally = Tally::default();
    EventLog::new(job.id)
        .read_whole(storage, |event| {
            tally.take(&job, event);
        })
        .await?;
    let is_wanted = |frame: &i32| match (tally.of(*frame).map(|event| event.kind), which) {
        (Some(TaskEventKind::Done { .. } | TaskEventKind::Failed { .. }), _)
        | (_, Retry::Missing) => true,
        (_, Retry::Failed) => false,
    };
    let mut changing = stream::iter(job.frames.iter().filter(is_wanted))
        .map(|frame| {
            let (job, results, max_tries) = (&job, &results, farm.max_tries);
            async move {
                (frame, queue_again(storage, job, frame, max_tries, which, results).await)
            }
        })
        .buffer_unordered(RECORDS_AT_ONCE);
    let (mut frames, mut first_error) = (Vec::new(), None);
    while let Some((frame, is_queued)) = changing.next().await {
        match is_queued {
            Ok(true) => frames.push(frame),
            Ok(false) => {}
            Err(error) => {
                first_error.get_or_insert(error);
            }
        }
    }
    drop(changing);
    // What was changed gets its message, whatever became of the others.
    let (enqueued, ()) = tokio::join!(
        enqueue_frames(&farm.queue, &job, frames.iter().copied()),
        farm.function.nudge(),
    );
    enqueued?;
    farm.burst().call(&farm.queue, &farm.function, job.id, frames.len() as u64).await;
    match first_error {
        Some(error) => Err(error),
        None => Ok(frames.len() as u64),
    }
}

/// Has the slices of a frame that failed rendered again; gives whether the time was not enough for
/// one.
async fn forget_failed_slices(storage: &Storage, job: JobId, frame: i32) -> Result<bool> {
    let parts = storage.keys_below(&keys::parts(job, frame)).await?;
    let mut were_too_long = false;
    let mut failed = Vec::new();
    for part in parts {
        let Some((name, keys::PartKind::Failed)) = keys::slice_of_part(job, frame, &part) else {
            continue;
        };
        let record = keys::slice(job, frame, name);
        let bytes = storage.get(&record, TaskRecord::MAX_SIZE_BYTES).await?.unwrap_or_default();
        let cause = parse::<TaskRecord>(&bytes).ok().and_then(|record| record.last_cause);
        were_too_long |= cause == Some(FailureCause::Time);
        failed.extend([record, part]);
    }
    storage.delete_all(failed).await?;
    Ok(were_too_long)
}

/// Makes a task's record say that it waits for a worker; false where it is rendered, or a worker has
/// it and only failed tasks are wanted.
async fn queue_again(
    storage: &Storage,
    job: &Job,
    frame: i32,
    more_tries: u32,
    which: Retry,
    results: &HashSet<String>,
) -> Result<bool> {
    let key = keys::task(job.id, frame);
    for _ in 0..CHANGES {
        let Some((bytes, etag)) = storage.get_with_etag(&key, TaskRecord::MAX_SIZE_BYTES).await?
        else {
            // Nobody has begun it: a message is all that it needs.
            return Ok(which == Retry::Missing);
        };
        let mut record: TaskRecord = match parse(&bytes) {
            Ok(record) => record,
            Err(error @ protocol::ProtocolError::UnknownVersion { .. }) => return Err(error.into()),
            // What nobody can read is written anew.
            Err(_) => new_record(frame),
        };
        let is_split = record.split.is_some_and(|split| split.is_enqueued);
        let begins_anew = match (&record.state, which) {
            (TaskState::Done { files, .. }, _)
                if files
                    .iter()
                    .all(|file| results.contains(&keys::frame_file(job.id, &file.path))) =>
            {
                return Ok(false);
            }
            (TaskState::Done { .. } | TaskState::Failed { .. }, _) => true,
            (TaskState::Queued, _) if record.tries == 0 => true,
            (_, Retry::Failed) => return Ok(false),
            (_, Retry::Missing) if is_split => false,
            // A worker may have it still; then it leaves a second message alone.
            (_, Retry::Missing) => return Ok(true),
        };
        if begins_anew {
            if record.split.is_some() || job.slices_of_each().is_some() {
                let were_too_long = forget_failed_slices(storage, job.id, frame).await?;
                if let Some(recorded) = &mut record.split {
                    let finer = if were_too_long { 2 } else { 1 };
                    let slices = recorded.split.slices.saturating_mul(finer).min(Job::MAX_SLICES);
                    recorded.split = FrameSplit { slices, after_tries: record.tries };
                }
            }
            record.state = TaskState::Queued;
            record.last_cause = None;
            record.max_tries = record.tries.saturating_add(more_tries);
        }
        if let Some(split) = &mut record.split {
            // Its slices may be off the queue: whoever takes the frame enqueues them again.
            split.is_enqueued = false;
        }
        record.version = TaskRecord::version_of(record.split);
        record.updated_ms = now_ms();
        let bytes = serde_json::to_vec(&record).map_err(|source| {
            let document = TaskRecord::DOCUMENT;
            protocol::ProtocolError::Malformed { document, source }
        })?;
        if storage.put_if_unchanged(&key, &bytes, Some(&etag)).await?.is_none() {
            continue;
        }
        if begins_anew {
            let event = TaskEvent {
                at_ms: record.updated_ms,
                frame,
                try_number: record.tries,
                worker: 0,
                kind: TaskEventKind::Queued,
            };
            storage.put(&event.key(job.id), Vec::new()).await?;
        }
        return Ok(true);
    }
    Ok(false)
}

/// The record of a task of which nothing is known.
pub(super) fn new_record(frame: i32) -> TaskRecord {
    TaskRecord {
        version: TaskRecord::version_of(None),
        frame,
        tries: 0,
        max_tries: 0,
        last_cause: None,
        split: None,
        state: TaskState::Queued,
        worker: String::new(),
        started_ms: now_ms(),
        updated_ms: now_ms(),
    }
}
