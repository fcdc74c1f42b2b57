//! The log of a job: what happened to its tasks, told by the names of empty objects.

use std::fmt;

use crate::id::JobId;
use crate::keys;
use crate::task::{TaskRecord, TaskState};

/// Something that happened to a task. Its key tells all of it, so whoever watches a job lists only
/// what is new and reads nothing.
///
/// The log is a quick view. What counts is the task's record: events of different workers may come
/// out of order, and one may be missing for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TaskEvent {
    /// When, in milliseconds since 1970 (UTC), by the clock of whoever tells it.
    pub at_ms: u64,
    /// The frame.
    pub frame: i32,
    /// Which try it is of, from 1; 0 for what happens before one.
    pub try_number: u32,
    /// A short name of the worker, so that workers can be counted.
    pub worker: u32,
    /// What happened.
    pub kind: TaskEventKind,
}

/// What happened to a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TaskEventKind {
    /// A worker has begun.
    Running,
    /// So many thousandths of the frame are done.
    Progress {
        /// 0 to 1000.
        permille: u16,
    },
    /// This try failed; there will be another one.
    Retrying {
        /// How long the try took.
        total_ms: u64,
    },
    /// Failed for good.
    Failed {
        /// How long the try took.
        total_ms: u64,
    },
    /// Dropped because the job was cancelled.
    Cancelled {
        /// How long the try took.
        total_ms: u64,
    },
    /// Another worker came first: what this one did is paid, and counts for nothing.
    Overtaken {
        /// How long the try took.
        total_ms: u64,
    },
    /// Enqueued again after it had failed or was lost.
    Queued,
    /// Rendered; the record names its files.
    Done {
        /// Blender's own render of the frame.
        render_ms: u64,
        /// The whole try.
        total_ms: u64,
    },
}

impl TaskEvent {
    /// The short name of a worker.
    #[must_use]
    pub fn short_name(worker: &str) -> u32 {
        let digest = blake3::hash(worker.as_bytes());
        let [a, b, c, d, ..] = *digest.as_bytes();
        u32::from_be_bytes([a, b, c, d])
    }

    /// What a record tells of a task that has come to its end; `None` of any other one. The same
    /// record always gives the same event.
    #[must_use]
    pub fn of_the_end(record: &TaskRecord) -> Option<Self> {
        let kind = match &record.state {
            TaskState::Done { times, .. } => TaskEventKind::Done {
                render_ms: milliseconds(times.render_seconds),
                total_ms: milliseconds(times.total_seconds),
            },
            TaskState::Failed { .. } => TaskEventKind::Failed { total_ms: record.length_ms() },
            TaskState::Cancelled => TaskEventKind::Cancelled { total_ms: record.length_ms() },
            _ => return None,
        };
        Some(Self {
            at_ms: record.updated_ms,
            frame: record.frame,
            try_number: record.tries,
            worker: Self::short_name(&record.worker),
            kind,
        })
    }

    /// The key of this event in a job's log. Keys sort by time.
    #[must_use]
    pub fn key(&self, job: JobId) -> String {
        format!("{}{self}", keys::events(job))
    }

    /// The event that a key tells of; `None` for any other key.
    #[must_use]
    pub fn from_key(job: JobId, key: &str) -> Option<Self> {
        let mut parts = key.strip_prefix(&keys::events(job))?.split('.');
        let at_ms = parts.next()?.parse().ok()?;
        let frame = parts.next()?.parse().ok()?;
        let try_number = parts.next()?.parse().ok()?;
        let worker = u32::from_str_radix(parts.next()?, 16).ok()?;
        let word = parts.next()?;
        let mut number = || parts.next()?.parse::<u64>().ok();
        let kind = match word {
            "running" => TaskEventKind::Running,
            "queued" => TaskEventKind::Queued,
            "progress" => {
                let permille = u16::try_from(number()?).ok().filter(|part| *part <= 1000)?;
                TaskEventKind::Progress { permille }
            }
            "retrying" => TaskEventKind::Retrying { total_ms: number()? },
            "failed" => TaskEventKind::Failed { total_ms: number()? },
            "cancelled" => TaskEventKind::Cancelled { total_ms: number()? },
            "overtaken" => TaskEventKind::Overtaken { total_ms: number()? },
            "done" => TaskEventKind::Done { render_ms: number()?, total_ms: number()? },
            _ => return None,
        };
        parts.next().is_none().then_some(Self { at_ms, frame, try_number, worker, kind })
    }

    /// Whether this tells more of the same task than another event, in whatever order they came.
    ///
    /// What is rendered stays so; else the later try counts, and of one try what comes later in
    /// its course.
    #[must_use]
    pub fn outranks(&self, other: &Self) -> bool {
        let rank = |event: &Self| {
            let (is_done, course) = match event.kind {
                TaskEventKind::Done { .. } => (true, 0),
                // It tells of a worker, not of the task.
                TaskEventKind::Overtaken { .. } => return (false, 0, 0),
                TaskEventKind::Running => (false, 0),
                TaskEventKind::Progress { permille } => (false, 1 + u32::from(permille)),
                TaskEventKind::Retrying { .. } => (false, 2000),
                TaskEventKind::Failed { .. } | TaskEventKind::Cancelled { .. } => (false, 2001),
                TaskEventKind::Queued => (false, 2002),
            };
            (is_done, event.try_number, course)
        };
        rank(self) > rank(other)
    }
}

/// Whole milliseconds of a time that was measured.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a duration: not negative, and what is too large saturates"
)]
#[must_use]
pub fn milliseconds(seconds: f64) -> u64 {
    (seconds.max(0.0) * 1000.0).round() as u64
}

impl fmt::Display for TaskEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at_ms, frame, try_number, worker, kind } = self;
        write!(f, "{at_ms:013}.{frame}.{try_number}.{worker:08x}.")?;
        match kind {
            TaskEventKind::Running => f.write_str("running"),
            TaskEventKind::Queued => f.write_str("queued"),
            TaskEventKind::Progress { permille } => write!(f, "progress.{permille}"),
            TaskEventKind::Retrying { total_ms } => write!(f, "retrying.{total_ms}"),
            TaskEventKind::Failed { total_ms } => write!(f, "failed.{total_ms}"),
            TaskEventKind::Cancelled { total_ms } => write!(f, "cancelled.{total_ms}"),
            TaskEventKind::Overtaken { total_ms } => write!(f, "overtaken.{total_ms}"),
            TaskEventKind::Done { render_ms, total_ms } => write!(f, "done.{render_ms}.{total_ms}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn kinds() -> impl Strategy<Value = TaskEventKind> {
        prop_oneof![
            Just(TaskEventKind::Running),
            Just(TaskEventKind::Queued),
            (0_u16..=1000).prop_map(|permille| TaskEventKind::Progress { permille }),
            any::<u64>().prop_map(|total_ms| TaskEventKind::Retrying { total_ms }),
            any::<u64>().prop_map(|total_ms| TaskEventKind::Failed { total_ms }),
            any::<u64>().prop_map(|total_ms| TaskEventKind::Cancelled { total_ms }),
            any::<u64>().prop_map(|total_ms| TaskEventKind::Overtaken { total_ms }),
            any::<(u64, u64)>()
                .prop_map(|(render_ms, total_ms)| TaskEventKind::Done { render_ms, total_ms }),
        ]
    }

    proptest! {
        #[test]
        fn a_key_tells_the_whole_event(
            at_ms in 0_u64..10_000_000_000_000, frame: i32, try_number: u32, worker: u32,
            kind in kinds(),
        ) {
            let job = JobId::now();
            let event = TaskEvent { at_ms, frame, try_number, worker, kind };
            let key = event.key(job);
            prop_assert_eq!(TaskEvent::from_key(job, &key), Some(event));
            prop_assert_eq!(TaskEvent::from_key(JobId::now(), &key), None);
            prop_assert!(key.len() <= 1024);
        }

        #[test]
        fn whatever_a_key_is_it_is_read_or_left_alone(rest in "\\PC{0,60}") {
            let job = JobId::now();
            let _ = TaskEvent::from_key(job, &format!("{}{rest}", keys::events(job)));
        }
    }

    #[test]
    fn what_is_done_stays_done_and_a_later_try_counts() {
        let event =
            |try_number, kind| TaskEvent { at_ms: 0, frame: 1, try_number, worker: 0, kind };
        let order = [
            event(2, TaskEventKind::Overtaken { total_ms: 9 }),
            event(1, TaskEventKind::Running),
            event(1, TaskEventKind::Progress { permille: 10 }),
            event(1, TaskEventKind::Progress { permille: 500 }),
            event(1, TaskEventKind::Retrying { total_ms: 5 }),
            event(2, TaskEventKind::Running),
            event(2, TaskEventKind::Failed { total_ms: 5 }),
            event(2, TaskEventKind::Queued),
            event(3, TaskEventKind::Running),
            event(1, TaskEventKind::Done { render_ms: 1, total_ms: 2 }),
        ];
        for (index, later) in order.iter().enumerate() {
            for earlier in &order[..index] {
                assert!(later.outranks(earlier) && !earlier.outranks(later));
            }
        }
    }
}
