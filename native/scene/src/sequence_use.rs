//! Which frames of an image sequence a scene shows, so that a job takes no more along.

use std::collections::BTreeSet;

use blendfile::StructView;
use protocol::FrameRange;

use crate::datablock::Owner;
use crate::error::Result;

/// `STRIP_TYPE_SCENE`, `DNA_sequence_types.h`, Blender 5.0.
const STRIP_OF_SCENE: i64 = 2;

/// How a datablock shows image sequences; by the address of the image, then by its place.
#[derive(Debug, Default)]
pub(crate) struct SequenceUses {
    by_address: Vec<(u64, SequenceUse)>,
    by_place: Vec<(usize, SequenceUse)>,
    is_animated: bool,
    /// Whether a scene is shown at other frames than those of the job: by a strip, or because its time
    /// is remapped.
    pub(crate) shifts_time: bool,
}

/// One use of an image sequence (`ImageUser`, `DNA_image_types.h`, Blender 5.0).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SequenceUse {
    /// A known way from the scene's frame to the file's number.
    Known(ImageUser),
    /// Anything else: every file may be shown.
    Unknown,
}

/// Which file of a sequence is shown at a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ImageUser {
    /// The frame of the scene that shows the first file.
    start: i64,
    /// How many files there are.
    length: i64,
    /// Added to the number.
    offset: i64,
    /// Whether they begin anew after the last.
    is_cyclic: bool,
    /// The number that was shown when the file was saved; it stays where nothing refreshes it.
    saved: i64,
    /// Whether each frame refreshes it (`IMA_ANIM_ALWAYS`).
    refreshes: bool,
}

impl SequenceUses {
    /// Looks at one struct of a datablock for uses of images.
    pub(crate) fn search(&mut self, owner: &mut Owner<'_>, view: &StructView) -> Result<()> {
        let (image, user) = match view.struct_name() {
            // Something moves in this datablock: its uses may be what moves.
            "AnimData" => {
                let is_set = |field| view.pointer(field).is_some_and(|address| address != 0);
                let fields = ["action", "drivers.first", "nla_tracks.first"];
                self.is_animated |= fields.into_iter().any(is_set);
                return Ok(());
            }
            "bNode" => {
                let Some(image) = view.pointer("id").filter(|address| *address != 0) else {
                    return Ok(());
                };
                let storage = owner.structs_at(view.pointer("storage").unwrap_or(0))?;
                let user = storage.first().and_then(|storage| match storage.struct_name() {
                    "ImageUser" => ImageUser::read(storage, ""),
                    _ => ImageUser::read(storage, "iuser."),
                });
                (image, user)
            }
            "Tex" | "CameraBGImage" => {
                (view.pointer("ima").unwrap_or(0), ImageUser::read(view, "iuser."))
            }
            other => {
                self.shifts_time |=
                    other == "Sequence" && view.integer("type") == Some(STRIP_OF_SCENE);
                // Time remapping: `RenderData`, `DNA_scene_types.h`, Blender 5.2.
                self.shifts_time |=
                    other == "Scene" && view.integer("r.framapto") != view.integer("r.images");
                let others = view.datablock_addresses().filter(|(_, is_array)| !is_array);
                self.by_address.extend(others.map(|(address, _)| (address, SequenceUse::Unknown)));
                return Ok(());
            }
        };
        self.by_address.push((image, user.map_or(SequenceUse::Unknown, SequenceUse::Known)));
        Ok(())
    }

    /// Turns the addresses of images into their places; the rest were none.
    pub(crate) fn resolve(&mut self, image_at: impl Fn(u64) -> Option<usize>) {
        let is_animated = self.is_animated;
        self.by_place = std::mem::take(&mut self.by_address)
            .into_iter()
            .filter_map(|(address, known)| {
                let known = if is_animated { SequenceUse::Unknown } else { known };
                image_at(address).map(|place| (place, known))
            })
            .collect();
    }

    /// Each use of an image, with the image's place.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, SequenceUse)> + '_ {
        self.by_place.iter().copied()
    }
}

/// The numbers of the files that are shown while a job renders; `None` where every file may be.
pub(crate) fn shown_numbers(uses: &[SequenceUse], frames: &FrameRange) -> Option<BTreeSet<i64>> {
    let mut numbers = BTreeSet::new();
    let mut is_used = false;
    for one in uses {
        let SequenceUse::Known(known) = one else { return None };
        is_used = true;
        known.numbers(frames, &mut numbers);
    }
    is_used.then_some(numbers)
}

/// The numbers of the files that the frames of a job show for certain.
pub(crate) fn needed_numbers(uses: &[SequenceUse], frames: &FrameRange) -> BTreeSet<i64> {
    let known = uses.iter().filter_map(|one| match one {
        SequenceUse::Known(known) if known.refreshes => Some(known),
        _ => None,
    });
    known.flat_map(|known| frames.iter().map(|frame| known.number(frame.into()))).collect()
}

impl ImageUser {
    fn read(view: &StructView, prefix: &str) -> Option<Self> {
        let integer = |field: &str| view.integer(&format!("{prefix}{field}"));
        Some(Self {
            start: integer("sfra")?,
            length: integer("frames")?,
            offset: integer("offset")?,
            is_cyclic: integer("cycl")? != 0,
            saved: integer("framenr")?,
            refreshes: integer("flag")? & 1 != 0,
        })
    }

    /// One frame more on either side: motion blur looks there.
    fn numbers(&self, frames: &FrameRange, numbers: &mut BTreeSet<i64>) {
        numbers.insert(self.saved);
        let (first, last) = (i64::from(frames.first) - 1, i64::from(frames.last) + 1);
        numbers.extend((first..=last).map(|frame| self.number(frame)));
    }

    /// `BKE_image_user_frame_get`, `image.cc`, Blender 5.0.
    fn number(&self, frame: i64) -> i64 {
        let frame = frame - self.start + 1;
        if self.length <= 0 {
            return self.offset;
        }
        let frame = if self.is_cyclic {
            match frame.rem_euclid(self.length) {
                0 => self.length,
                other => other,
            }
        } else {
            frame.clamp(0, self.length)
        };
        frame + self.offset
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(start: i64, length: i64, offset: i64, is_cyclic: bool) -> SequenceUse {
        SequenceUse::Known(ImageUser {
            start,
            length,
            offset,
            is_cyclic,
            saved: 1,
            refreshes: true,
        })
    }

    fn shown(uses: &[SequenceUse], first: i32, last: i32) -> Option<Vec<i64>> {
        let frames = FrameRange { first, last, step: 1 };
        shown_numbers(uses, &frames).map(|numbers| numbers.into_iter().collect())
    }

    #[test]
    fn a_job_shows_its_own_frames_and_one_on_either_side() {
        assert_eq!(shown(&[user(1, 100, 0, false)], 10, 11), Some(vec![1, 9, 10, 11, 12]));
        assert_eq!(shown(&[user(5, 100, 1000, false)], 10, 10), Some(vec![1, 1005, 1006, 1007]));
        assert_eq!(shown(&[user(1, 3, 0, true)], 3, 4), Some(vec![1, 2, 3]));
        assert_eq!(shown(&[user(1, 3, 0, false)], 50, 60), Some(vec![1, 3]));
    }

    #[test]
    fn what_each_frame_refreshes_is_needed_for_certain() {
        let frames = FrameRange { first: 3, last: 7, step: 2 };
        let uses = [user(1, 100, 0, false), SequenceUse::Unknown];
        assert_eq!(needed_numbers(&uses, &frames).into_iter().collect::<Vec<_>>(), [3, 5, 7]);
    }

    #[test]
    fn one_use_that_nobody_understands_takes_the_whole_sequence_along() {
        assert_eq!(shown(&[user(1, 9, 0, false), SequenceUse::Unknown], 1, 1), None);
        assert_eq!(shown(&[], 1, 1), None);
    }
}
