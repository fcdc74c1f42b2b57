//! How the rendering of a frame goes, and what follows from that.

use std::time::Duration;

/// How long samples are watched before much follows from them. Cycles tells of the first one alone,
/// and then of so many that twenty seconds or more lie between two words (without a window, Blender
/// 5.2.3).
const WATCHED: Duration = Duration::from_secs(2);

/// What was seen of a frame that one worker renders as a whole.
#[derive(Debug, Clone, Copy, Default)]
pub struct FrameCourse {
    first: Option<Seen>,
    last: Option<Seen>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    at: Duration,
    part: f64,
}

/// What a frame costs on one worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameCost {
    /// What each of its slices pays again: bringing and loading the scene, building what rays are
    /// traced through.
    pub fixed: Duration,
    /// What slices share: the samples of all pixels.
    pub shared: Duration,
}

impl FrameCourse {
    /// Takes note that, so long after the task was begun, a part of the frame was rendered: 0 to 1.
    pub fn saw(&mut self, at: Duration, part: f64) {
        let is_new = self.last.is_none_or(|last| part > last.part);
        if is_new && part.is_finite() {
            let seen = Seen { at, part };
            self.first.get_or_insert(seen);
            self.last = Some(seen);
        }
    }

    /// How much of the frame is rendered: 0 to 1.
    #[must_use]
    pub fn part(&self) -> f64 {
        self.last.map_or(0.0, |last| last.part)
    }

    /// What the frame will have cost, where enough was seen to say so.
    #[must_use]
    pub fn cost(&self) -> Option<FrameCost> {
        self.first_guess().filter(|_| self.watched() >= WATCHED)
    }

    /// What the frame will have cost by the little that was seen: too much rather than too little,
    /// since the first sample is the slowest.
    #[must_use]
    pub fn first_guess(&self) -> Option<FrameCost> {
        let (first, last) = (self.first?, self.last?);
        let (taken, way) = (self.watched(), last.part - first.part);
        let shared = Duration::try_from_secs_f64(taken.as_secs_f64() / way).ok()?;
        // What was rendered before the first word was heard belongs to the samples.
        let fixed = first.at.saturating_sub(shared.mul_f64(first.part.clamp(0.0, 1.0)));
        Some(FrameCost { fixed, shared })
    }

    /// How long its samples were watched.
    fn watched(&self) -> Duration {
        let first = self.first.unwrap_or_default().at;
        self.last.unwrap_or_default().at.saturating_sub(first)
    }
}

impl FrameCost {
    /// What one worker takes for all of it.
    #[must_use]
    pub fn whole(&self) -> Duration {
        self.fixed.saturating_add(self.shared)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn what_comes_before_the_samples_is_told_from_them() {
        let mut course = FrameCourse::default();
        assert_eq!(course.cost(), None);
        course.saw(seconds(20), 0.0);
        assert_eq!(course.cost(), None, "nobody knows how fast it is");
        course.saw(Duration::from_millis(20_010), 0.000_025);
        assert_eq!(course.cost(), None, "nor after a word that means little");
        assert_eq!(course.first_guess().unwrap().shared, seconds(400));
        course.saw(seconds(30), 0.125);
        let cost = course.cost().unwrap();
        assert_eq!(cost, FrameCost { fixed: seconds(20), shared: seconds(80) });
        assert_eq!(cost.whole(), seconds(100));
    }

    #[test]
    fn what_was_rendered_before_the_first_word_is_no_loading() {
        let mut course = FrameCourse::default();
        course.saw(seconds(20), 0.25);
        course.saw(seconds(30), 0.5);
        assert_eq!(course.cost(), Some(FrameCost { fixed: seconds(10), shared: seconds(40) }));
    }

    #[test]
    fn a_word_that_says_nothing_new_makes_nothing_slower() {
        let mut course = FrameCourse::default();
        for (at, part) in [(10, 0.0), (20, 0.5), (25, 0.5), (26, 0.1), (27, f64::NAN)] {
            course.saw(seconds(at), part);
        }
        assert_eq!(course.cost().unwrap().shared, seconds(20));
        assert!((course.part() - 0.5).abs() < 1e-12);
    }
}
