//! The consumer inside Lambda, called by whoever has enqueued a job: works the queue until it is
//! empty or the function's time is nearly over.
//!
//! The queue stays the only source of work: what this one leaves, or takes with it when it dies, the
//! mapping gives to others.

use std::time::{Duration, Instant};

use farm::ReceivedMessage;
use protocol::{BurstRequest, sentence};

use crate::task::attempt::Verdict;
use crate::worker::Worker;

/// How long a queue may have nothing before it counts as empty. This worker is paid for meanwhile.
const EMPTY_AFTER: Duration = Duration::from_secs(2);

/// When a task that is under way is handed back, before the time is over.
const MARGIN: Duration = Duration::from_secs(8);

/// How much longer than the longest task so far the next one may take.
const RESERVE: u32 = 2;

/// Works until the queue is empty or the time is up.
pub(crate) async fn run(worker: &mut Worker, request: &BurstRequest, deadline: Instant) {
    let (mut tasks, mut longest) = (0_u32, Duration::ZERO);
    while worker.unfit.is_none() && has_time(deadline, longest) {
        let received = worker.queue.receive_within(EMPTY_AFTER, worker.settings.lease).await;
        let message = match received {
            Ok(Some(message)) => message,
            Ok(None) => break,
            Err(error) => {
                tracing::warn!(error = sentence(&error), "cannot receive tasks");
                break;
            }
        };
        let began = Instant::now();
        // Only a task that had all of the time is out of time by its own fault.
        let is_over = if tasks == 0 {
            worker.process(&message, Some(deadline)).await == Verdict::Finished
        } else {
            process_or_hand_back(worker, &message, deadline).await
        };
        if is_over && let Err(error) = worker.queue.delete(&message.receipt_handle).await {
            tracing::warn!(error = sentence(&error), "cannot finish a task");
        }
        (tasks, longest) = (tasks + 1, longest.max(began.elapsed()));
    }
    tracing::info!(job = %request.job, tasks, "burst ended");
}

fn has_time(deadline: Instant, longest: Duration) -> bool {
    deadline.saturating_duration_since(Instant::now()) > longest * RESERVE + MARGIN * 2
}

/// Works on a task as long as there is time; true where its message is done with.
async fn process_or_hand_back(
    worker: &mut Worker,
    message: &ReceivedMessage,
    deadline: Instant,
) -> bool {
    let last_moment = deadline.checked_sub(MARGIN).unwrap_or(deadline);
    tokio::select! {
        verdict = worker.process(message, None) => return verdict == Verdict::Finished,
        () = tokio::time::sleep_until(last_moment.into()) => {}
    }
    tracing::info!("the function's time is over: the task goes back");
    worker.hand_back().await;
    let _ = worker.queue.set_visibility(&message.receipt_handle, Duration::ZERO).await;
    false
}
