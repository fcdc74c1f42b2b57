//! The messages of tasks, on their way to the queue.

use futures_util::{StreamExt, TryStreamExt, stream};
use protocol::{FrameSplit, Job, JobId, TaskMessage, Versioned};

use crate::aws::queue::Queue;
use crate::error::{FarmError, Result};

/// How many batches are sent at the same time.
const BATCHES_AT_ONCE: usize = 32;

/// Enqueues frames that workers have already, each for a second one beside the first.
pub(super) async fn enqueue_seconds(queue: &Queue, job: JobId, frames: &[i32]) -> Result<()> {
    for frame in frames {
        let body = body(&TaskMessage::second(job, *frame))?;
        queue.send(&body, &job.to_string()).await?;
    }
    Ok(())
}

/// Enqueues one message a frame, behind those of its slices, many batches at once.
pub(super) async fn enqueue_frames(
    queue: &Queue,
    job: &Job,
    frames: impl Iterator<Item = i32>,
) -> Result<()> {
    let messages = frames
        .flat_map(|frame| {
            let slices = 0..job.slices_of_each().unwrap_or(0);
            slices
                .map(move |slice| TaskMessage::of_slice(job.id, frame, slice))
                .chain([TaskMessage::new(job.id, frame)])
        })
        .collect();
    enqueue(queue, job.id, messages).await
}

/// Enqueues the slices of a frame that a worker has split.
///
/// # Errors
/// [`FarmError`] of a call.
pub async fn enqueue_slices(
    queue: &Queue,
    job: JobId,
    frame: i32,
    split: FrameSplit,
) -> Result<()> {
    let slices = 0..split.slices;
    let messages = slices.map(|slice| TaskMessage::of_split(job, frame, slice, split)).collect();
    enqueue(queue, job, messages).await
}

/// Enqueues slices of a frame that workers have already, each for a second one beside the first.
///
/// # Errors
/// [`FarmError`] of a call.
pub async fn enqueue_second_slices(
    queue: &Queue,
    job: JobId,
    frame: i32,
    split: Option<FrameSplit>,
    slices: &[u32],
) -> Result<()> {
    let second = |slice: &u32| TaskMessage {
        second: true,
        split,
        ..TaskMessage::of_slice(job, frame, *slice)
    };
    enqueue(queue, job, slices.iter().map(second).collect()).await
}

/// Enqueues the end of a frame whose slices are all there: nobody need look for them any more.
///
/// # Errors
/// [`FarmError`] of a call.
pub async fn enqueue_end(queue: &Queue, job: JobId, frame: i32) -> Result<()> {
    enqueue(queue, job, vec![TaskMessage::new(job, frame)]).await
}

async fn enqueue(queue: &Queue, job: JobId, messages: Vec<TaskMessage>) -> Result<()> {
    let group = job.to_string();
    stream::iter(messages)
        .chunks(Queue::BATCH)
        .map(|messages| {
            let group = &group;
            async move {
                let bodies = messages.iter().map(body).collect::<Result<Vec<_>>>()?;
                queue.send_batch(&bodies, group).await?;
                Ok::<_, FarmError>(())
            }
        })
        .buffer_unordered(BATCHES_AT_ONCE)
        .try_collect::<Vec<()>>()
        .await?;
    Ok(())
}

fn body(message: &TaskMessage) -> Result<String> {
    serde_json::to_string(message).map_err(|source| {
        let document = TaskMessage::DOCUMENT;
        protocol::ProtocolError::Malformed { document, source }.into()
    })
}
