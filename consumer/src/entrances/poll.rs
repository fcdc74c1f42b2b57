//! The consumer on any machine: takes tasks off the queue itself.

use std::time::Duration;

use protocol::sentence;
use tokio::signal::unix::{SignalKind, signal};

use crate::error::{ConsumerError, Result};
use crate::task::attempt::Verdict;
use crate::worker::Worker;

/// Works the queue until this process is interrupted. A task that is under way then goes back.
pub(crate) async fn run(mut worker: Worker) -> Result<()> {
    let mut terminated = signal(SignalKind::terminate())
        .map_err(|error| ConsumerError::Runtime { reason: error.to_string() })?;
    tracing::info!(queue = worker.settings.queue_url, "waiting for tasks");
    loop {
        let queue = worker.queue.clone();
        let mut held = None;
        let work = async {
            match queue.receive(worker.settings.lease).await {
                Ok(Some(message)) => {
                    held = Some(message.receipt_handle.clone());
                    if worker.process(&message, None).await == Verdict::Finished
                        && let Err(error) = queue.delete(&message.receipt_handle).await
                    {
                        tracing::warn!(error = sentence(&error), "cannot finish a task");
                    }
                    worker.unfit.take().map_or(Ok(()), |reason| Err(ConsumerError::Unfit(reason)))
                }
                Ok(None) => Ok::<(), ConsumerError>(()),
                Err(error) if error.is_transient() => {
                    tracing::warn!(error = sentence(&error), "cannot receive tasks");
                    tokio::time::sleep(Duration::from_secs(5)).await;
                    Ok(())
                }
                Err(error) => Err(error.into()),
            }
        };
        let interrupted = tokio::select! {
            outcome = work => {
                outcome?;
                false
            }
            _ = tokio::signal::ctrl_c() => true,
            _ = terminated.recv() => true,
        };
        if interrupted {
            worker.hand_back().await;
            if let Some(receipt_handle) = held {
                let _ = queue.set_visibility(&receipt_handle, Duration::ZERO).await;
            }
            tracing::info!("interrupted");
            return Ok(());
        }
    }
}
