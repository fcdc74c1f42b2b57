//! A job's first workers: they are called at once, where the queue's mapping calls them by and by.

use futures_util::{StreamExt, stream};
use protocol::JobId;

use super::function::WorkerFunction;
use super::queue::{Queue, QueueDepth};

/// How many workers a mapping begins with
/// (<https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html>).
const MAPPING_BEGINS_WITH: u64 = 5;

const CALLS_AT_ONCE: usize = 32;

/// How many workers a farm may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Burst {
    /// Those that a client may call.
    pub workers: u32,
    /// Those of the queue's mapping.
    pub mapping: u32,
}

impl Burst {
    /// Calls workers for a job of so many tasks that are on the queue; gives how many came.
    ///
    /// None is needed: without them the job goes on by the mapping, so nothing that goes wrong here
    /// is an error. At most as many are called as there is room for beside those at work.
    pub async fn call(
        self,
        queue: &Queue,
        function: &WorkerFunction,
        job: JobId,
        tasks: u64,
    ) -> u64 {
        if self.workers == 0 || tasks <= MAPPING_BEGINS_WITH {
            return 0;
        }
        let Ok(depth) = queue.depth().await else { return 0 };
        stream::iter(0..self.wanted(tasks, depth))
            .map(|_| function.burst(job))
            .buffer_unordered(CALLS_AT_ONCE)
            .filter(|called| std::future::ready(called.is_ok()))
            .count()
            .await as u64
    }

    fn wanted(self, tasks: u64, depth: QueueDepth) -> u64 {
        let all = u64::from(self.workers) + u64::from(self.mapping);
        let room = all.saturating_sub(depth.hidden);
        tasks.saturating_sub(MAPPING_BEGINS_WITH).min(room).min(u64::from(self.workers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_are_called_as_there_are_tasks_and_room_for() {
        let burst = Burst { workers: 300, mapping: 600 };
        for (tasks, hidden, wanted) in
            [(3, 0, 0), (5, 0, 0), (6, 0, 1), (10_000, 0, 300), (10_000, 700, 200), (60, 950, 0)]
        {
            assert_eq!(burst.wanted(tasks, QueueDepth { waiting: tasks, hidden }), wanted);
        }
    }
}
