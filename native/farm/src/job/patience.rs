//! How long a job may be quiet, and what its queue then tells.

use std::time::{Duration, Instant};

use crate::aws::queue::QueueDepth;

/// How long nothing may happen before the queue is looked at.
const QUIET: Duration = Duration::from_secs(30);

/// How long a queue must have been empty: what SQS counts may be a minute old.
const EMPTY: Duration = Duration::from_secs(65);

/// How long tasks may wait for a worker without a word.
const WAITING: Duration = Duration::from_secs(300);

/// What a quiet job's queue means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Quiet {
    /// Nothing yet.
    Wait,
    /// Something that the artist should know; it may still go on.
    Tell(String),
    /// Nobody will ever render what is left.
    Lost,
}

/// Since when nothing has happened.
#[derive(Debug)]
pub(super) struct Patience {
    news: Instant,
    looked: Instant,
    empty_since: Option<Instant>,
    told: Option<Instant>,
}

impl Patience {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        Self { news: now, looked: now, empty_since: None, told: None }
    }

    /// Something has happened.
    pub(super) fn news(&mut self) {
        *self = Self::new();
    }

    /// Whether nothing has happened for longer than a worker takes to notice that its job was
    /// cancelled.
    pub(super) fn is_long(&self) -> bool {
        self.news.elapsed() >= 2 * QUIET
    }

    /// Whether it is time to look at the queue.
    pub(super) fn is_due(&self) -> bool {
        self.news.elapsed() >= QUIET && self.looked.elapsed() >= QUIET / 2
    }

    /// What the queue means; `has_begun` tells whether any task has come to its end.
    pub(super) fn look(&mut self, depth: QueueDepth, has_begun: bool) -> Quiet {
        self.look_at(Instant::now(), depth, has_begun)
    }

    fn look_at(&mut self, now: Instant, depth: QueueDepth, has_begun: bool) -> Quiet {
        self.looked = now;
        if depth.is_empty() {
            let since = *self.empty_since.get_or_insert(now);
            return if now - since >= EMPTY { Quiet::Lost } else { Quiet::Wait };
        }
        self.empty_since = None;
        let is_told = self.told.is_some_and(|told| now - told < WAITING);
        if now - self.news < WAITING || is_told {
            return Quiet::Wait;
        }
        self.told = Some(now);
        let minutes = (now - self.news).as_secs() / 60;
        let QueueDepth { waiting, hidden } = depth;
        Quiet::Tell(if has_begun {
            format!(
                "nothing has happened for {minutes} minutes; of all jobs {waiting} tasks wait for a \
                 worker, {hidden} are with one or were refused one; if this goes on, enqueue again \
                 what is missing: nothing is rendered twice for it"
            )
        } else {
            format!(
                "no worker has begun a frame for {minutes} minutes: of all jobs {waiting} tasks wait \
                 for one, {hidden} were handed out; look at the logs of the farm's function, and at the \
                 account's limit of concurrent executions"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY_QUEUE: QueueDepth = QueueDepth { waiting: 0, hidden: 0 };

    fn after(patience: &Patience, seconds: u64) -> Instant {
        patience.news + Duration::from_secs(seconds)
    }

    #[test]
    fn a_queue_that_stays_empty_for_more_than_a_minute_has_lost_what_is_left() {
        let mut patience = Patience::new();
        let look = |patience: &mut Patience, seconds, depth| {
            let now = after(patience, seconds);
            patience.look_at(now, depth, true)
        };
        assert_eq!(look(&mut patience, 30, EMPTY_QUEUE), Quiet::Wait);
        assert_eq!(look(&mut patience, 60, EMPTY_QUEUE), Quiet::Wait);
        let with_a_worker = QueueDepth { waiting: 0, hidden: 1 };
        assert_eq!(look(&mut patience, 90, with_a_worker), Quiet::Wait);
        assert_eq!(look(&mut patience, 100, EMPTY_QUEUE), Quiet::Wait);
        assert_eq!(look(&mut patience, 160, EMPTY_QUEUE), Quiet::Wait);
        assert_eq!(look(&mut patience, 166, EMPTY_QUEUE), Quiet::Lost);
    }

    #[test]
    fn tasks_that_nobody_begins_are_told_once_in_five_minutes() {
        let mut patience = Patience::new();
        let depth = QueueDepth { waiting: 7, hidden: 2 };
        let mut told = Vec::new();
        for seconds in (30..1000).step_by(15) {
            let now = after(&patience, seconds);
            if let Quiet::Tell(message) = patience.look_at(now, depth, false) {
                told.push((seconds, message));
            }
        }
        assert_eq!(told.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [300, 600, 900]);
        insta::assert_snapshot!(told[0].1, @"no worker has begun a frame for 5 minutes: of all jobs 7 tasks wait for one, 2 were handed out; look at the logs of the farm's function, and at the account's limit of concurrent executions");
    }
}
