//! Tasks that are enqueued again.

use futures_util::{StreamExt, TryStreamExt, stream};
use protocol::{
    Job, JobControl, JobId, TaskEvent, TaskEventKind, TaskRecord, TaskState, Versioned, keys, parse,
};

use super::control::write_control;
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

/// Which tasks are enqueued again.
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
/// [`FarmError::NoObject`] where there is no such job, [`FarmError::JobCancelled`], else
/// [`FarmError`] of a call.
pub async fn retry(settings: &FarmSettings, job: JobId, which: Retry) -> Result<u64> {
    let farm = Farm::connect(settings).await?;
    let storage = &farm.storage;
    let job = read_job(storage, job).await?;
    let control = read_control(storage, job.id).await?;
    if control.cancelled {
        return Err(FarmError::JobCancelled { job: job.id });
    }
    let mut which = which;
    if control.paused.is_some() {
        // What had not begun was dropped.
        which = Retry::Missing;
        write_control(storage, job.id, &JobControl::default()).await?;
    }
    let mut tally = Tally::default();
    EventLog::new(job.id)
        .read_whole(storage, |event| {
            tally.take(&job, event);
        })
        .await?;
    let is_wanted = |frame: &i32| match (tally.of(*frame).map(|event| event.kind), which) {
        (Some(TaskEventKind::Done { .. }), _) => false,
        (Some(TaskEventKind::Failed { .. }), _) | (_, Retry::Missing) => true,
        (_, Retry::Failed) => false,
    };
    let frames: Vec<i32> = stream::iter(job.frames.iter().filter(is_wanted))
        .map(|frame| {
            let (job, max_tries) = (&job, farm.max_tries);
            async move {
                let is_queued = queue_again(storage, job, frame, max_tries, which).await?;
                Ok::<_, FarmError>(is_queued.then_some(frame))
            }
        })
        .buffer_unordered(RECORDS_AT_ONCE)
        .try_filter_map(|frame| async move { Ok(frame) })
        .try_collect()
        .await?;
    enqueue_frames(&farm.queue, job.id, frames.iter().copied(), |_| {}).await?;
    Ok(frames.len() as u64)
}

/// Makes a task's record say that it waits for a worker; false where it is rendered, or a worker has
/// it and only failed tasks are wanted.
async fn queue_again(
    storage: &Storage,
    job: &Job,
    frame: i32,
    more_tries: u32,
    which: Retry,
) -> Result<bool> {
    let key = keys::task(job.id, frame);
    for _ in 0..CHANGES {
        let Some((bytes, etag)) = storage.get_with_etag(&key, TaskRecord::MAX_SIZE_BYTES).await?
        else {
            // Nobody has begun it: a message is all that it needs.
            return Ok(which == Retry::Missing);
        };
        let mut record: TaskRecord = parse(&bytes)?;
        match (&record.state, which) {
            (TaskState::Done { .. }, _) => return Ok(false),
            (TaskState::Failed { .. }, _) => {}
            // A worker may have it still; then it leaves a second message alone.
            (_, Retry::Missing) => return Ok(true),
            (_, Retry::Failed) => return Ok(false),
        }
        record.version = TaskRecord::VERSION;
        record.state = TaskState::Queued;
        record.last_cause = None;
        record.max_tries = record.tries.saturating_add(more_tries);
        record.updated_ms = now_ms();
        let bytes = serde_json::to_vec(&record).map_err(|source| {
            let document = TaskRecord::DOCUMENT;
            protocol::ProtocolError::Malformed { document, source }
        })?;
        if storage.put_if_unchanged(&key, &bytes, Some(&etag)).await?.is_some() {
            let event = TaskEvent {
                at_ms: record.updated_ms,
                frame,
                try_number: record.tries,
                worker: 0,
                kind: TaskEventKind::Queued,
            };
            storage.put(&event.key(job.id), Vec::new()).await?;
            return Ok(true);
        }
    }
    Ok(false)
}
