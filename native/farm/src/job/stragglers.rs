//! Frames that lie far behind the others of their job, so that a second worker is worth its price.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use plan::{is_far_behind, most_seconds};
use protocol::{Job, TaskEvent, TaskEventKind};

use super::tally::Tally;

/// Without a word of how far it is, a frame must have taken so many times what the others took.
const FAR_BEHIND_UNSEEN: u32 = 4;

/// What is known of the frames that are being rendered, by the clock of whoever watches: those of
/// workers may differ.
#[derive(Debug, Default)]
pub(super) struct Stragglers {
    running: HashMap<i32, Course>,
    given_out: BTreeSet<i32>,
}

/// How one try goes.
#[derive(Debug)]
struct Course {
    try_number: u32,
    first: Seen,
    last: Seen,
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    at: Instant,
    permille: u16,
}

impl Stragglers {
    /// Takes note of an event that was read at a time.
    pub(super) fn take(&mut self, event: &TaskEvent, at: Instant) {
        let permille = match event.kind {
            TaskEventKind::Running => 0,
            TaskEventKind::Progress { permille } => permille,
            _ => {
                self.running.remove(&event.frame);
                return;
            }
        };
        let seen = Seen { at, permille };
        let fresh = Course { try_number: event.try_number, first: seen, last: seen };
        let course = self.running.entry(event.frame).or_insert(fresh);
        if course.try_number != event.try_number {
            *course = Course { try_number: event.try_number, first: seen, last: seen };
        } else if permille > course.last.permille {
            course.last = seen;
        }
    }

    /// The frames that would come earlier from another worker, where all others are rendered or
    /// being rendered and at least half of the job is done. Each once.
    pub(super) fn find(&self, job: &Job, tally: &Tally, now: Instant) -> Vec<i32> {
        let allowed = usize::try_from(most_seconds(job.frames.count())).unwrap_or(usize::MAX);
        let left = allowed.saturating_sub(self.given_out.len());
        if left == 0 || self.running.is_empty() {
            return Vec::new();
        }
        let unfinished: Vec<i32> = tally.unfinished(job).collect();
        if unfinished.len() as u64 > job.frames.count() / 2
            || unfinished.iter().any(|frame| !self.running.contains_key(frame))
        {
            return Vec::new();
        }
        let Some(usual) = tally.median_total() else { return Vec::new() };
        let mut found: Vec<(Duration, i32)> = unfinished
            .into_iter()
            .filter(|frame| !self.given_out.contains(frame))
            .filter_map(|frame| {
                let left = self.running.get(&frame)?.left(usual, now)?;
                is_far_behind(left, usual).then_some((left, frame))
            })
            .collect();
        found.sort_unstable_by(|one, other| other.cmp(one));
        found.into_iter().take(left).map(|(_, frame)| frame).collect()
    }

    /// Takes note that frames were given out a second time.
    pub(super) fn gave_out(&mut self, frames: &[i32]) {
        self.given_out.extend(frames);
    }
}

impl Course {
    /// How long this try will still take; nothing where it is not yet slow.
    fn left(&self, usual: Duration, now: Instant) -> Option<Duration> {
        let taken = now.duration_since(self.first.at);
        let way = self.last.permille.saturating_sub(self.first.permille);
        if way == 0 {
            // Nothing is known: as long again.
            return (taken > usual * FAR_BEHIND_UNSEEN).then_some(taken);
        }
        let per_permille = self.last.at.duration_since(self.first.at) / u32::from(way);
        let rest = per_permille * u32::from(1000_u16.saturating_sub(self.last.permille));
        Some(rest.saturating_sub(now.duration_since(self.last.at))).filter(|_| taken > usual)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn event(frame: i32, kind: TaskEventKind) -> TaskEvent {
        TaskEvent { at_ms: 0, frame, try_number: 1, worker: 1, kind }
    }

    /// A job of twenty frames of 4 s, all but the last rendered, which has begun `began` and has
    /// told its progress.
    fn nearly_done(began: Instant, told: &[(u32, u16)]) -> (Job, Tally, Stragglers) {
        let job = testing::job(20, "");
        let (mut tally, mut stragglers) = (Tally::default(), Stragglers::default());
        for frame in 1..=19 {
            let done = event(frame, TaskEventKind::Done { render_ms: 3900, total_ms: 4000 });
            tally.take(&job, done);
            stragglers.take(&done, began);
        }
        let running = event(20, TaskEventKind::Running);
        tally.take(&job, running);
        stragglers.take(&running, began);
        for (seconds, permille) in told {
            let progress = event(20, TaskEventKind::Progress { permille: *permille });
            stragglers.take(&progress, began + SECOND * *seconds);
        }
        (job, tally, stragglers)
    }

    #[test]
    fn a_frame_at_a_tenth_of_the_speed_is_given_out_once() {
        let began = Instant::now();
        let (job, tally, mut stragglers) = nearly_done(began, &[(5, 125)]);
        assert_eq!(stragglers.find(&job, &tally, began + SECOND * 3), [] as [i32; 0]);
        assert_eq!(stragglers.find(&job, &tally, began + SECOND * 6), [20]);
        stragglers.gave_out(&[20]);
        assert_eq!(stragglers.find(&job, &tally, began + SECOND * 9), [] as [i32; 0]);
    }

    #[test]
    fn a_frame_that_another_worker_would_not_bring_earlier_is_left_alone() {
        let began = Instant::now();
        let (job, tally, stragglers) = nearly_done(began, &[(5, 300), (10, 600)]);
        assert_eq!(stragglers.find(&job, &tally, began + SECOND * 11), [] as [i32; 0]);
    }

    #[test]
    fn a_frame_without_a_word_has_four_times_what_the_others_took() {
        let began = Instant::now();
        let (job, tally, stragglers) = nearly_done(began, &[]);
        assert_eq!(stragglers.find(&job, &tally, began + SECOND * 15), [] as [i32; 0]);
        assert_eq!(stragglers.find(&job, &tally, began + SECOND * 19), [20]);
    }

    #[test]
    fn nobody_helps_while_frames_wait_or_most_are_running() {
        let began = Instant::now();
        let job = testing::job(40, "");
        let (_, tally, stragglers) = nearly_done(began, &[(5, 50)]);
        assert_eq!(stragglers.find(&job, &tally, began + SECOND * 60), [] as [i32; 0]);
    }
}
