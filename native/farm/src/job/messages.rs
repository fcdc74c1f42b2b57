//! The messages of tasks, on their way to the queue.

use futures_util::{StreamExt, TryStreamExt, stream};
use protocol::{Job, JobId, TaskMessage, Versioned};

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
    let group = job.id.to_string();
    let messages: Vec<_> = frames
        .flat_map(|frame| {
            let slices = 0..job.slices.unwrap_or(0);
            slices
                .map(move |slice| TaskMessage::of_slice(job.id, frame, slice))
                .chain([TaskMessage::new(job.id, frame)])
        })
        .collect();
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
