//! The messages of tasks, on their way to the queue.

use futures_util::{StreamExt, TryStreamExt, stream};
use protocol::{JobId, TaskMessage, Versioned};

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

/// Enqueues one message a frame, many batches at once.
pub(super) async fn enqueue_frames(
    queue: &Queue,
    job: JobId,
    frames: impl Iterator<Item = i32>,
) -> Result<()> {
    let group = job.to_string();
    stream::iter(frames)
        .chunks(Queue::BATCH)
        .map(|frames| {
            let group = &group;
            async move {
                let bodies = frames
                    .iter()
                    .map(|frame| body(&TaskMessage::new(job, *frame)))
                    .collect::<Result<Vec<_>>>()?;
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
