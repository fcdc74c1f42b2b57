//! How far a job is, added up from its events in whatever order they come.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use protocol::{Job, JobControl, TaskEvent, TaskEventKind, pricing};

/// How far a job is.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Progress {
    /// Tasks of the job.
    pub total: u64,
    /// Tasks whose frames are rendered.
    pub done: u64,
    /// Tasks whose frames are on this machine.
    pub fetched: u64,
    /// Tasks being worked on.
    pub running: u64,
    /// Tasks that failed for good.
    pub failed: u64,
    /// Tasks dropped because the job was cancelled.
    pub cancelled: u64,
    /// Tasks that nobody has and that are on the queue no more: only someone who enqueues them
    /// again brings them back.
    pub lost: u64,
    /// The frames done, with the parts of those that are running.
    pub frames: f64,
    /// How many different workers have taken part.
    pub workers: u64,
    /// Blender's own render time, all tasks together, in seconds.
    pub render_seconds: f64,
    /// All time that tasks took on their workers, tries that failed too, in seconds.
    pub billed_seconds: f64,
    /// What the tasks so far cost on Lambda, in US dollars.
    pub cost_usd: f64,
    /// Whether the artist cancelled the job.
    pub is_cancelled: bool,
    /// Whether the artist has paused it.
    pub is_paused: bool,
}

/// What is known of a job's tasks.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// What tells most of each task.
    tasks: HashMap<i32, TaskEvent>,
    /// What each try has cost, in milliseconds of its worker.
    tries_ms: HashMap<(i32, u32, u32), u64>,
    workers: HashSet<u32>,
}

impl Tally {
    /// Takes note of an event; true where it tells of a task what was not known. What is no task of
    /// the job is left alone: a key is whatever somebody has put there.
    pub(crate) fn take(&mut self, job: &Job, event: TaskEvent) -> bool {
        if !job.frames.contains(event.frame) {
            return false;
        }
        if !matches!(event.kind, TaskEventKind::Queued) {
            self.workers.insert(event.worker);
        }
        if let TaskEventKind::Done { total_ms, .. }
        | TaskEventKind::Failed { total_ms }
        | TaskEventKind::Retrying { total_ms }
        | TaskEventKind::Cancelled { total_ms }
        | TaskEventKind::Overtaken { total_ms } = event.kind
        {
            self.tries_ms.insert((event.frame, event.try_number, event.worker), total_ms);
        }
        if matches!(event.kind, TaskEventKind::Overtaken { .. }) {
            // Of the task it says nothing.
            return false;
        }
        match self.tasks.get_mut(&event.frame) {
            Some(known) if !event.outranks(known) => false,
            Some(known) => {
                *known = event;
                true
            }
            None => {
                self.tasks.insert(event.frame, event);
                true
            }
        }
    }

    /// What tells most of a task, where anything is known.
    pub(crate) fn of(&self, frame: i32) -> Option<&TaskEvent> {
        self.tasks.get(&frame)
    }

    /// The frames of a job that have not come to their end.
    pub(crate) fn unfinished<'a>(&'a self, job: &'a Job) -> impl Iterator<Item = i32> + use<'a> {
        job.frames.iter().filter(|frame| {
            !self.tasks.get(frame).is_some_and(|event| {
                matches!(
                    event.kind,
                    TaskEventKind::Done { .. }
                        | TaskEventKind::Failed { .. }
                        | TaskEventKind::Cancelled { .. }
                )
            })
        })
    }

    /// What half of the frames that are rendered took no longer than, from the download to the
    /// upload.
    pub(crate) fn median_total(&self) -> Option<Duration> {
        let mut totals: Vec<u64> = self
            .tasks
            .values()
            .filter_map(|event| match event.kind {
                TaskEventKind::Done { total_ms, .. } => Some(total_ms),
                _ => None,
            })
            .collect();
        let middle = totals.len() / 2;
        (!totals.is_empty()).then(|| Duration::from_millis(*totals.select_nth_unstable(middle).1))
    }

    /// Adds up; `memory_mib` is the memory of a worker, for the cost.
    pub(crate) fn progress(&self, job: &Job, memory_mib: u32, control: &JobControl) -> Progress {
        let mut progress = Progress {
            total: job.frames.count(),
            is_cancelled: control.cancelled,
            is_paused: control.is_paused_by_artist(),
            ..Progress::default()
        };
        let (mut parts_permille, mut render_ms_sum) = (0_u64, 0_u64);
        for event in self.tasks.values() {
            match event.kind {
                TaskEventKind::Running => progress.running += 1,
                TaskEventKind::Progress { permille } => {
                    progress.running += 1;
                    parts_permille += u64::from(permille);
                }
                TaskEventKind::Done { render_ms, .. } => {
                    progress.done += 1;
                    render_ms_sum = render_ms_sum.saturating_add(render_ms);
                }
                TaskEventKind::Failed { .. } => progress.failed += 1,
                TaskEventKind::Cancelled { .. } => progress.cancelled += 1,
                TaskEventKind::Retrying { .. }
                | TaskEventKind::Queued
                | TaskEventKind::Overtaken { .. } => {}
            }
        }
        if control.cancelled {
            // What had not begun is dropped without a word.
            let others = progress.done + progress.failed + progress.running;
            progress.cancelled = progress.total.saturating_sub(others);
        }
        let billed_ms = self.tries_ms.values().fold(0_u64, |sum, ms| sum.saturating_add(*ms));
        progress.frames = decimal(progress.done) + decimal(parts_permille) / 1000.0;
        progress.workers = self.workers.len() as u64;
        progress.render_seconds = decimal(render_ms_sum) / 1000.0;
        progress.billed_seconds = decimal(billed_ms) / 1000.0;
        let tries = self.tries_ms.len() as u64;
        progress.cost_usd = pricing::tasks_usd(tries, progress.billed_seconds, memory_mib);
        progress
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts and milliseconds far below 2^52")]
fn decimal(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    fn event(frame: i32, try_number: u32, kind: TaskEventKind) -> TaskEvent {
        TaskEvent { at_ms: 0, frame, try_number, worker: try_number, kind }
    }

    #[test]
    fn failed_tries_are_paid_and_the_order_of_events_changes_nothing() {
        let job = testing::job(3, "");
        let mut events = [
            event(1, 1, TaskEventKind::Running),
            event(1, 1, TaskEventKind::Retrying { total_ms: 1500 }),
            event(1, 2, TaskEventKind::Running),
            event(1, 2, TaskEventKind::Done { render_ms: 2000, total_ms: 2500 }),
            event(2, 1, TaskEventKind::Progress { permille: 250 }),
            event(9, 1, TaskEventKind::Done { render_ms: 1, total_ms: 1 }),
        ];
        let mut seen = Vec::new();
        for _ in 0..2 {
            let mut tally = Tally::default();
            for event in events.iter().chain(events.iter()) {
                tally.take(&job, *event);
            }
            seen.push(tally.progress(&job, 1024, &JobControl::default()));
            assert_eq!(tally.unfinished(&job).collect::<Vec<_>>(), [2, 3]);
            events.reverse();
        }
        assert_eq!(seen[0], seen[1]);
        let progress = seen[0];
        assert_eq!((progress.done, progress.running, progress.workers), (1, 1, 2));
        assert!((progress.frames - 1.25).abs() < 1e-9);
        assert!((progress.billed_seconds - 4.0).abs() < 1e-9);
        assert!((progress.render_seconds - 2.0).abs() < 1e-9);
    }

    #[test]
    fn of_a_cancelled_job_all_that_did_not_happen_is_cancelled() {
        let job = testing::job(10, "");
        let mut tally = Tally::default();
        tally.take(&job, event(1, 1, TaskEventKind::Done { render_ms: 1, total_ms: 1 }));
        tally.take(&job, event(2, 1, TaskEventKind::Cancelled { total_ms: 1 }));
        let cancelled = JobControl { cancelled: true, ..JobControl::default() };
        let progress = tally.progress(&job, 1024, &cancelled);
        assert_eq!((progress.done, progress.cancelled, progress.running), (1, 9, 0));
    }
}
