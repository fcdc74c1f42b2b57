//! Notices while a frame is rendered that it is too long for one worker, or that an image would be
//! there much earlier from many.

use std::time::{Duration, Instant};

use plan::{FrameCourse, slices_for_speed, slices_for_time};
use protocol::Job;
use tokio::sync::watch;

use crate::blender::child::News;

/// How long before the deadline Blender is stopped: time to write the record and the log.
pub(super) const DEADLINE_MARGIN: Duration = Duration::from_secs(8);

/// What is known of the frame that Blender renders.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct FrameProgress {
    /// How much is rendered, 0 to 1, where Blender says so.
    pub(super) part: Option<f32>,
    /// Whether Blender is asked if the frame can be split.
    pub(super) is_asked: bool,
    /// Whether it can.
    pub(super) is_divisible: bool,
    /// Into how many slices at least.
    pub(super) least_slices: u32,
}

/// When a frame is split.
#[derive(Debug, Clone, Copy)]
pub(super) struct SplitRule {
    /// How long the worker has for it.
    pub(super) limit: Option<Duration>,
    /// How many workers may render an image at the same time; nothing where it is none.
    pub(super) workers: Option<u32>,
    /// Whether other frames of the job were too long.
    pub(super) others_were_long: bool,
}

/// A frame that is beyond so much of the time is too long: 700 s of the 900 that Lambda gives.
const TOO_MUCH: f64 = 7.0 / 9.0;

/// How much of the time is spent before a frame is called too long: adaptive sampling becomes faster
/// towards the end, and nobody knows how much.
const LOOKS_AFTER: f64 = 0.1;

/// Until so much of the time is spent, a frame is split that may be too long.
const EARLY: f64 = 0.3;

/// How much of the time is spent, where other frames of the job were too long.
const LOOKS_AGAIN_AFTER: f64 = 0.02;

/// Looks at how a frame goes, and finds out whether it is better split.
#[derive(Debug)]
pub(super) struct SplitWatch {
    rule: Option<SplitRule>,
    progress: watch::Receiver<FrameProgress>,
    started: Instant,
    course: FrameCourse,
}

impl FrameProgress {
    /// Takes note of what Blender tells.
    pub(super) fn take(&mut self, news: News) {
        match news {
            News::Part(part) => self.part = Some(part),
            News::Divisible { obstacle, least_slices } => {
                self.least_slices = u32::try_from(least_slices).unwrap_or(u32::MAX);
                if !obstacle.is_empty() {
                    tracing::info!(obstacle, "the frame would not be split");
                }
                self.is_divisible = obstacle.is_empty();
            }
        }
    }
}

impl SplitWatch {
    /// Looks by a rule at a frame that was begun at a time; never finds anything without one.
    pub(super) fn new(
        rule: Option<SplitRule>,
        progress: watch::Receiver<FrameProgress>,
        started: Instant,
    ) -> Self {
        Self { rule, progress, started, course: FrameCourse::default() }
    }

    /// Waits until the frame is better split; gives into how many slices.
    pub(super) async fn is_better_split(&mut self) -> u32 {
        let Some(rule) = self.rule else { return std::future::pending().await };
        loop {
            if self.progress.changed().await.is_err() {
                return std::future::pending().await;
            }
            let FrameProgress { part, is_divisible, least_slices, .. } =
                *self.progress.borrow_and_update();
            let (Some(part), true) = (part, is_divisible) else { continue };
            let at = self.started.elapsed();
            self.course.saw(at, part.into());
            if let Some(slices) = slices_by(rule, &self.course, at, least_slices) {
                return slices;
            }
        }
    }

    /// Into how many slices a frame is split for which the time was not enough; nothing where that
    /// would not help.
    pub(super) fn after_the_time(&self) -> Option<u32> {
        let limit = self.rule?.limit?;
        if self.course.part() >= 1.0 {
            return None;
        }
        let cost = self.course.cost().or_else(|| self.course.first_guess())?;
        slices_for_time(cost, limit, self.progress.borrow().least_slices, Job::MAX_SLICES)
    }
}

/// Into how many slices a frame is split that goes like this; nothing where it is not, or not yet.
fn slices_by(rule: SplitRule, course: &FrameCourse, spent: Duration, least: u32) -> Option<u32> {
    let cost = course.cost().filter(|_| course.part() < 1.0)?;
    let soon = || {
        slices_for_speed(cost, spent, rule.workers?, Job::MAX_SLICES)
            .filter(|slices| *slices >= least)
    };
    let too_long = rule.limit.filter(|limit| {
        let looks_after = if rule.others_were_long { LOOKS_AGAIN_AFTER } else { LOOKS_AFTER };
        // Later on, what was rendered is worth more than to be on the safe side.
        let is_early = spent < limit.mul_f64(EARLY);
        let most = if is_early { limit.mul_f64(TOO_MUCH) } else { *limit };
        spent > limit.mul_f64(looks_after) && cost.whole() > most
    });
    if let Some(limit) = too_long
        && let Some(slices) = slices_for_time(cost, limit, least, Job::MAX_SLICES)
    {
        // An image is wanted soon, too.
        return Some(slices.max(soon().unwrap_or(0)));
    }
    soon()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(900);

    fn course(seen: &[(u64, f64)]) -> FrameCourse {
        let mut course = FrameCourse::default();
        for (at, part) in seen {
            course.saw(Duration::from_secs(*at), *part);
        }
        course
    }

    fn rule(workers: Option<u32>) -> SplitRule {
        SplitRule { limit: Some(LIMIT), workers, others_were_long: false }
    }

    #[test]
    fn a_frame_is_called_too_long_after_a_tenth_of_the_time() {
        let long = course(&[(10, 0.0), (85, 0.05)]);
        assert_eq!(slices_by(rule(None), &long, Duration::from_secs(85), 1), None);
        let slices = slices_by(rule(None), &long, Duration::from_secs(91), 1);
        assert_eq!(slices, Some(17));
        let again = SplitRule { others_were_long: true, ..rule(None) };
        assert_eq!(slices_by(again, &long, Duration::from_secs(85), 1), slices);
    }

    #[test]
    fn a_frame_that_keeps_its_time_is_left_alone() {
        let short = course(&[(10, 0.0), (100, 0.15)]);
        assert_eq!(slices_by(rule(None), &short, Duration::from_secs(100), 1), None);
    }

    #[test]
    fn an_image_is_split_as_soon_as_that_is_seen() {
        let image = course(&[(5, 0.0), (15, 0.05)]);
        let spent = Duration::from_secs(15);
        assert_eq!(slices_by(rule(Some(8)), &image, spent, 1), Some(8));
        assert_eq!(slices_by(rule(None), &image, spent, 1), None);
        let tiles_of_cycles = 12;
        assert_eq!(slices_by(rule(Some(8)), &image, spent, tiles_of_cycles), None);
    }

    #[test]
    fn what_is_nearly_there_is_not_given_up() {
        // 702 s of 900 by now: that keeps its time.
        let late = course(&[(10, 0.0), (685, 0.976)]);
        assert_eq!(slices_by(rule(None), &late, Duration::from_secs(686), 1), None);
        let done = course(&[(10, 0.0), (890, 1.0)]);
        assert_eq!(slices_by(rule(Some(8)), &done, Duration::from_secs(899), 1), None);
    }

    #[tokio::test]
    async fn only_what_can_be_split_is() {
        let (sender, receiver) = watch::channel(FrameProgress::default());
        let started = Instant::now().checked_sub(Duration::from_secs(90)).unwrap();
        let mut split = SplitWatch::new(Some(rule(Some(8))), receiver, started);
        split.course = course(&[(5, 0.0), (89, 0.05)]);
        sender.send_modify(|known| known.take(News::Part(0.06)));
        let wait = tokio::time::timeout(Duration::from_millis(50), split.is_better_split());
        assert!(wait.await.is_err(), "nobody has said that it can");
        let refused = News::Divisible { obstacle: "a time limit".into(), least_slices: 1 };
        sender.send_modify(|known| known.take(refused));
        let wait = tokio::time::timeout(Duration::from_millis(50), split.is_better_split());
        assert!(wait.await.is_err());
        let agreed = News::Divisible { obstacle: String::new(), least_slices: 1 };
        sender.send_modify(|known| known.take(agreed));
        assert_eq!(split.is_better_split().await, 32);
    }

    #[test]
    fn a_frame_out_of_time_is_split_where_samples_were_left() {
        let (_sender, receiver) = watch::channel(FrameProgress::default());
        let mut split = SplitWatch::new(Some(rule(None)), receiver, Instant::now());
        assert_eq!(split.after_the_time(), None, "it never began");
        split.course = course(&[(100, 0.0), (890, 0.9)]);
        assert_eq!(split.after_the_time(), Some(8));
        split.course = course(&[(100, 0.0), (400, 1.0)]);
        assert_eq!(split.after_the_time(), None, "what comes after the samples was too long");
    }
}
