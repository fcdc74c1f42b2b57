//! Slices that lie far behind the others of their frame: another worker renders them too, and the
//! first result counts.

use std::collections::BTreeSet;
use std::time::Duration;

use farm::{enqueue_second_slices, now_ms};
use futures_util::{StreamExt, stream};
use plan::{is_far_behind, most_seconds};
use protocol::keys::{self, PartKind};
use protocol::{TaskMessage, TaskRecord, TaskState, sentence};

use crate::error::Result;
use crate::worker::Worker;

/// How many slices that are there are asked how long they took.
const ASKED: usize = 9;

/// Most bytes of the name of a worker.
const MOST_NAME_BYTES: u64 = 4096;

impl Worker {
    /// Gives slices of a frame out a second time that are far behind. The frame comes without that:
    /// what goes wrong is only written down.
    pub(super) async fn help_slow_slices(
        &self,
        task: &TaskMessage,
        count: u32,
        parts: &[(u32, PartKind)],
    ) {
        match self.slow_slices(task, count, parts).await {
            Ok(slow) if slow.is_empty() => {}
            Ok(slow) => {
                tracing::info!(job = %task.job, frame = task.frame, ?slow, "far behind the others");
                let (job, frame) = (task.job, task.frame);
                let sent = enqueue_second_slices(&self.queue, job, frame, task.split, &slow).await;
                if let Err(error) = sent {
                    tracing::warn!(job = %task.job, error = sentence(&error), "cannot help");
                }
            }
            Err(error) => {
                tracing::warn!(job = %task.job, error = sentence(&error), "cannot look who is slow");
            }
        }
    }

    async fn slow_slices(
        &self,
        task: &TaskMessage,
        count: u32,
        parts: &[(u32, PartKind)],
    ) -> Result<Vec<u32>> {
        let there: BTreeSet<u32> = parts.iter().map(|(slice, _)| *slice).collect();
        let missing: Vec<u32> = (0..count).filter(|slice| !there.contains(slice)).collect();
        if missing.len() as u64 > most_seconds(count.into())
            || self.queue.depth().await?.waiting > 0
        {
            return Ok(Vec::new());
        }
        let mut took = Vec::new();
        for slice in there.into_iter().take(ASKED) {
            if let Some(TaskRecord { state: TaskState::Done { times, .. }, .. }) =
                self.slice_record(task, slice).await?
            {
                took.push(Duration::try_from_secs_f64(times.total_seconds).unwrap_or_default());
            }
        }
        took.sort_unstable();
        let Some(usual) = took.get(took.len() / 2).copied() else { return Ok(Vec::new()) };
        let slow = stream::iter(missing).filter_map(|slice| async move {
            let record = self.slice_record(task, slice).await.ok()??;
            if !is_slow(&record, now_ms(), usual) {
                return None;
            }
            let claim =
                keys::second(task.job, task.frame, Some(task.slice_name(slice)), record.tries);
            let is_helped = self.storage.get(&claim, MOST_NAME_BYTES).await.ok()?.is_some();
            (!is_helped).then_some(slice)
        });
        Ok(slow.collect().await)
    }
}

/// Whether a slice would come earlier from another worker, where the others usually take so long.
fn is_slow(record: &TaskRecord, now_ms: u64, usual: Duration) -> bool {
    let TaskState::Running { progress } = record.state else { return false };
    let taken = Duration::from_millis(now_ms.saturating_sub(record.started_ms));
    // Of what says nothing nobody knows: as long again.
    let part = f64::from(progress.unwrap_or(0.5).clamp(0.01, 1.0));
    let left = taken.mul_f64((1.0 - part) / part);
    taken > usual && is_far_behind(left, usual)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn running(progress: Option<f32>) -> TaskRecord {
        let document = serde_json::json!({
            "version": 2, "frame": 1, "tries": 1, "max_tries": 5, "state": "running",
            "progress": progress, "worker": "w", "started_ms": 1000, "updated_ms": 1000,
        });
        serde_json::from_value(document).unwrap()
    }

    #[test]
    fn a_slice_is_slow_whose_rest_takes_longer_than_all_of_it_elsewhere() {
        let usual = Duration::from_secs(20);
        assert!(!is_slow(&running(Some(0.01)), 16_000, usual), "it has just begun");
        assert!(!is_slow(&running(Some(0.5)), 41_000, usual));
        assert!(is_slow(&running(Some(0.2)), 41_000, usual));
        assert!(!is_slow(&running(None), 41_000, usual));
        assert!(is_slow(&running(None), 61_000, usual));
    }

    #[test]
    fn only_what_runs_can_be_slow() {
        let mut done = running(Some(0.1));
        done.state = TaskState::Queued;
        assert!(!is_slow(&done, 1_000_000, Duration::from_secs(1)));
    }
}
