//! The messages of tasks, on their way to the queue.

use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::{StreamExt, TryStreamExt, stream};
use protocol::{JobId, TaskMessage, Versioned};

use crate::aws::queue::Queue;
use crate::error::{FarmError, Result};

/// How many batches are sent at the same time.
const BATCHES_AT_ONCE: usize = 32;

/// Enqueues one message a frame, many batches at once; tells how many are on the queue.
pub(super) async fn enqueue_frames(
    queue: &Queue,
    job: JobId,
    frames: impl Iterator<Item = i32>,
    on_progress: impl Fn(u64),
) -> Result<()> {
    let enqueued = AtomicU64::new(0);
    on_progress(0);
    let group = job.to_string();
    stream::iter(frames)
        .chunks(Queue::BATCH)
        .map(|frames| {
            let (enqueued, on_progress, group) = (&enqueued, &on_progress, &group);
            async move {
                let bodies = frames
                    .iter()
                    .map(|frame| {
                        serde_json::to_string(&TaskMessage::new(job, *frame)).map_err(|source| {
                            let document = TaskMessage::DOCUMENT;
                            protocol::ProtocolError::Malformed { document, source }.into()
                        })
                    })
                    .collect::<Result<Vec<_>>>()?;
                queue.send_batch(&bodies, group).await?;
                let count = bodies.len() as u64;
                on_progress(enqueued.fetch_add(count, Ordering::Relaxed) + count);
                Ok::<_, FarmError>(())
            }
        })
        .buffer_unordered(BATCHES_AT_ONCE)
        .try_collect::<Vec<()>>()
        .await?;
    Ok(())
}
