//! Frames that workers split while they are watched: their slices are as a job of their own, for
//! which the queue's mapping alone would bring workers slowly.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use protocol::{FrameSplit, TaskEvent, TaskEventKind, TaskRecord, milliseconds};

/// How old the word of a split may be: later the mapping has brought workers.
const FRESH: Duration = Duration::from_secs(60);

/// How often a record is looked at that does not tell of slices on the queue.
const LOOKS: u32 = 10;

/// The frames whose workers gave up what they had rendered: some of them were split.
#[derive(Debug, Default)]
pub(super) struct SplitFrames {
    /// How often each was looked at.
    looked: BTreeMap<i32, u32>,
    /// The splits that workers were called for.
    helped: BTreeSet<(i32, u32)>,
}

impl SplitFrames {
    /// Takes note of an event; `now_ms` is the time, in milliseconds since 1970 (UTC).
    pub(super) fn take(&mut self, event: &TaskEvent, now_ms: u64) {
        let age_ms = now_ms.saturating_sub(event.at_ms);
        let is_fresh = age_ms < milliseconds(FRESH.as_secs_f64());
        // A worker that splits its frame tells what that has cost, and nothing else.
        if is_fresh && matches!(event.kind, TaskEventKind::Overtaken { .. }) {
            self.looked.entry(event.frame).or_default();
        }
    }

    /// Those of which more is to be known.
    pub(super) fn frames(&self) -> Vec<i32> {
        self.looked.keys().copied().collect()
    }

    /// The split of a frame, where its slices are on the queue and nobody was called for them.
    pub(super) fn looked_at(
        &mut self,
        frame: i32,
        record: Option<&TaskRecord>,
    ) -> Option<FrameSplit> {
        let recorded = record.and_then(|record| record.split);
        let is_over = record.is_some_and(TaskRecord::is_final);
        if is_over {
            self.looked.remove(&frame);
            return None;
        }
        if let Some(recorded) = recorded.filter(|recorded| recorded.is_enqueued) {
            self.looked.remove(&frame);
            let is_new = self.helped.insert((frame, recorded.split.after_tries));
            return Some(recorded.split).filter(|_| is_new);
        }
        let looks = self.looked.get_mut(&frame)?;
        *looks += 1;
        if *looks >= LOOKS {
            self.looked.remove(&frame);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use protocol::{RecordedSplit, TaskState};

    use super::*;
    use crate::job::retry::new_record;

    fn overtaken(at_ms: u64) -> TaskEvent {
        let kind = TaskEventKind::Overtaken { total_ms: 1 };
        TaskEvent { at_ms, frame: 7, try_number: 1, worker: 0, kind }
    }

    fn record(is_enqueued: bool, state: TaskState) -> TaskRecord {
        let split = FrameSplit { slices: 64, after_tries: 1 };
        let split = Some(RecordedSplit { split, is_enqueued });
        TaskRecord { split, state, ..new_record(7) }
    }

    #[test]
    fn workers_are_called_once_for_slices_that_are_on_the_queue() {
        let mut frames = SplitFrames::default();
        frames.take(&overtaken(1000), 2000);
        assert_eq!(frames.frames(), [7]);
        assert_eq!(frames.looked_at(7, Some(&record(false, TaskState::Queued))), None);
        let there = record(true, TaskState::Queued);
        assert_eq!(frames.looked_at(7, Some(&there)).map(|split| split.slices), Some(64));
        // The whole log is read again now and then.
        frames.take(&overtaken(1000), 2000);
        assert_eq!(frames.looked_at(7, Some(&there)), None);
        assert!(frames.frames().is_empty());
    }

    #[test]
    fn nobody_is_called_for_what_was_split_long_ago_or_is_over() {
        let mut frames = SplitFrames::default();
        frames.take(&overtaken(1000), 1000 + 60_000);
        assert!(frames.frames().is_empty());
        frames.take(&overtaken(1000), 1000);
        assert_eq!(frames.looked_at(7, Some(&record(true, TaskState::Cancelled))), None);
        assert!(frames.frames().is_empty());
    }

    #[test]
    fn a_frame_that_another_worker_rendered_first_is_not_looked_at_for_ever() {
        let mut frames = SplitFrames::default();
        frames.take(&overtaken(1000), 1000);
        for _ in 0..LOOKS {
            assert_eq!(frames.looked_at(7, None), None);
        }
        assert!(frames.frames().is_empty());
    }
}
