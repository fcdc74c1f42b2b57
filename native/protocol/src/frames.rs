use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{ProtocolError, Result};

/// The frames of a job: from `first` to `last`, both included, every `step`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FrameRange {
    /// The first frame. Blender allows −1,048,574 to 1,048,574 (`MAXFRAME`, `DNA_scene_types.h`).
    pub first: i32,
    /// The last frame, included where the step meets it.
    pub last: i32,
    /// How far from one frame to the next: 1 or more.
    #[serde(default = "one")]
    pub step: u32,
}

fn one() -> u32 {
    1
}

impl FrameRange {
    /// Most frames in one job: over an hour at 24 frames a second.
    pub const MAX_COUNT: u64 = 100_000;

    /// Blender's own bound of a frame number, either side of zero.
    pub const MAX_FRAME: i32 = 1_048_574;

    /// One frame.
    #[must_use]
    pub const fn single(frame: i32) -> Self {
        Self { first: frame, last: frame, step: 1 }
    }

    /// How many frames there are; 0 where `last` is before `first` or `step` is 0.
    #[must_use]
    pub fn count(&self) -> u64 {
        let span = i64::from(self.last) - i64::from(self.first);
        match (u64::try_from(span), u64::from(self.step)) {
            (Ok(span), step @ 1..) => span / step + 1,
            _ => 0,
        }
    }

    /// Each frame, in order.
    pub fn iter(&self) -> impl Iterator<Item = i32> + use<> {
        let step = usize::try_from(self.step).unwrap_or(usize::MAX).max(1);
        (self.first..=self.last).step_by(step)
    }

    /// Whether the job has that frame.
    #[must_use]
    pub fn contains(&self, frame: i32) -> bool {
        let distance = i64::from(frame) - i64::from(self.first);
        (self.first..=self.last).contains(&frame)
            && self.step > 0
            && distance % i64::from(self.step) == 0
    }

    /// Checks that there is at least one frame, that all are frames of Blender, and that they are
    /// not more than [`FrameRange::MAX_COUNT`].
    ///
    /// # Errors
    /// [`ProtocolError::Invalid`] with the field: `frames.step`, `frames.first`, `frames.last` or
    /// `frames`.
    pub fn validate(&self) -> Result<()> {
        let invalid =
            |field, expected, got: String| Err(ProtocolError::Invalid { field, expected, got });
        let in_blender = |frame: i32| frame.unsigned_abs() <= Self::MAX_FRAME.unsigned_abs();
        if self.step == 0 {
            return invalid("frames.step", "1 or more", "0".into());
        }
        if !in_blender(self.first) {
            return invalid("frames.first", "-1048574 to 1048574", self.first.to_string());
        }
        if !in_blender(self.last) {
            return invalid("frames.last", "-1048574 to 1048574", self.last.to_string());
        }
        if self.last < self.first {
            return invalid(
                "frames.last",
                "a frame not before frames.first",
                format!("{} before {}", self.last, self.first),
            );
        }
        if self.count() > Self::MAX_COUNT {
            return invalid("frames", "at most 100000 frames in one job", self.count().to_string());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn count_contains_and_iter_agree(first in -300_i32..300, length in 0_i32..300, step in 1_u32..40) {
            let range = FrameRange { first, last: first + length, step };
            let frames: Vec<i32> = range.iter().collect();
            prop_assert_eq!(frames.len() as u64, range.count());
            for frame in first - 1..=first + length + 1 {
                prop_assert_eq!(frames.contains(&frame), range.contains(frame));
            }
        }
    }

    #[test]
    fn what_no_job_can_have_is_refused_by_field() {
        let wrong = [
            FrameRange { first: 1, last: 10, step: 0 },
            FrameRange { first: 10, last: 1, step: 1 },
            FrameRange { first: 1, last: 1_000_000, step: 1 },
            FrameRange { first: i32::MIN, last: 1, step: 1 },
            FrameRange { first: 1, last: i32::MAX, step: u32::MAX },
        ];
        let messages: Vec<String> =
            wrong.iter().map(|range| range.validate().unwrap_err().to_string()).collect();
        insta::assert_snapshot!(messages.join("\n"), @"
        frames.step: expected 1 or more, got 0
        frames.last: expected a frame not before frames.first, got 1 before 10
        frames: expected at most 100000 frames in one job, got 1000000
        frames.first: expected -1048574 to 1048574, got -2147483648
        frames.last: expected -1048574 to 1048574, got 2147483647
        ");
    }
}
