use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{ProtocolError, Result};
use crate::frames::FrameRange;

/// The frames of a job: from `first` to `last`, both included, every `step`, less those that are
/// there already.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FrameSet {
    /// The first frame. Blender allows −1,048,574 to 1,048,574 (`MAXFRAME`, `DNA_scene_types.h`).
    pub first: i32,
    /// The last frame, included where the step meets it.
    pub last: i32,
    /// How far from one frame to the next: 1 or more.
    #[serde(default = "one")]
    pub step: u32,
    /// Frames among these that are not rendered, in order: the artist has them, and the scene's
    /// *Overwrite* is off.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub except: Vec<FrameRange>,
}

fn one() -> u32 {
    1
}

impl From<FrameRange> for FrameSet {
    fn from(range: FrameRange) -> Self {
        let FrameRange { first, last, step } = range;
        Self { first, last, step, except: Vec::new() }
    }
}

impl FrameSet {
    /// Most stretches that are left out.
    pub const MAX_EXCEPT: usize = 1000;

    /// A range less some frames; those that it does not have anyway change nothing.
    #[must_use]
    pub fn without(range: FrameRange, mut frames: Vec<i32>) -> Self {
        frames.retain(|frame| range.contains(*frame));
        frames.sort_unstable();
        frames.dedup();
        let mut except: Vec<FrameRange> = Vec::new();
        for frame in frames {
            match except.last_mut() {
                Some(last) if i64::from(last.last) + i64::from(range.step) == i64::from(frame) => {
                    last.last = frame;
                }
                _ => except.push(FrameRange { first: frame, last: frame, step: range.step }),
            }
        }
        Self { except, ..Self::from(range) }
    }

    /// The range, with what is left out of it.
    #[must_use]
    pub const fn range(&self) -> FrameRange {
        FrameRange { first: self.first, last: self.last, step: self.step }
    }

    /// How many frames there are to render.
    #[must_use]
    pub fn count(&self) -> u64 {
        let left_out: u64 = self.except.iter().map(FrameRange::count).sum();
        self.range().count().saturating_sub(left_out)
    }

    /// Each frame to render, in order.
    pub fn iter(&self) -> impl Iterator<Item = i32> + '_ {
        self.range().iter().filter(|frame| !self.leaves_out(*frame))
    }

    /// Whether the job renders that frame.
    #[must_use]
    pub fn contains(&self, frame: i32) -> bool {
        self.range().contains(frame) && !self.leaves_out(frame)
    }

    fn leaves_out(&self, frame: i32) -> bool {
        let behind = self.except.partition_point(|one| one.first <= frame);
        let before = behind.checked_sub(1).and_then(|index| self.except.get(index));
        before.is_some_and(|one| one.contains(frame))
    }

    /// Checks the range, that what is left out of it is in it and in order, and that something is
    /// left.
    ///
    /// # Errors
    /// [`ProtocolError::Invalid`] with the field.
    pub fn validate(&self) -> Result<()> {
        let invalid = |expected, got: String| {
            Err(ProtocolError::Invalid { field: "frames.except", expected, got })
        };
        self.range().validate()?;
        if self.except.len() > Self::MAX_EXCEPT {
            return invalid("at most 1000 stretches", self.except.len().to_string());
        }
        let mut before = None;
        for one in &self.except {
            one.validate()?;
            let is_inside = self.range().contains(one.first) && one.last <= self.last;
            if !is_inside || one.step % self.step != 0 {
                return invalid("frames of the job", format!("{} to {}", one.first, one.last));
            }
            if before.is_some_and(|before| one.first <= before) {
                return invalid("stretches in order, that do not overlap", one.first.to_string());
            }
            before = Some(one.last);
        }
        if self.count() == 0 {
            return invalid("a frame that is left to render", "none".into());
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
        fn what_is_left_out_is_not_there_and_all_else_is(
            first in -50_i32..50, length in 0_i32..60, step in 1_u32..5,
            frames in proptest::collection::vec(-60_i32..120, 0..40),
        ) {
            let range = FrameRange { first, last: first + length, step };
            let set = FrameSet::without(range, frames.clone());
            let expected: Vec<i32> = range.iter().filter(|frame| !frames.contains(frame)).collect();
            prop_assert_eq!(set.iter().collect::<Vec<_>>(), expected.clone());
            prop_assert_eq!(set.count(), expected.len() as u64);
            prop_assert_eq!(set.validate().is_ok(), !expected.is_empty());
            for frame in first - 2..=first + length + 2 {
                prop_assert_eq!(set.contains(frame), expected.contains(&frame));
            }
        }
    }

    #[test]
    fn what_cannot_be_left_out_is_refused() {
        let except = |ranges: &[(i32, i32, u32)]| {
            let ranges = ranges.iter();
            let except = ranges.map(|(first, last, step)| FrameRange {
                first: *first,
                last: *last,
                step: *step,
            });
            let range = FrameRange { first: 1, last: 9, step: 2 };
            let set = FrameSet { except: except.collect(), ..FrameSet::from(range) };
            set.validate().unwrap_err().to_string()
        };
        let wrong: [&[(i32, i32, u32)]; 5] =
            [&[(2, 2, 2)], &[(9, 11, 2)], &[(3, 5, 1)], &[(3, 5, 2), (5, 7, 2)], &[(1, 9, 2)]];
        insta::assert_snapshot!(wrong.map(except).join("\n"), @"
        frames.except: expected frames of the job, got 2 to 2
        frames.except: expected frames of the job, got 9 to 11
        frames.except: expected frames of the job, got 3 to 5
        frames.except: expected stretches in order, that do not overlap, got 5
        frames.except: expected a frame that is left to render, got none
        ");
    }
}
