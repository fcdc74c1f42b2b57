//! What a walk has found out, for the tracer to ask.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::{DatablockPlace, Reach, Walk, WalkedFile, library_path};
use crate::contents::Datablock;
use crate::packed_library::PackedLibrary;
use crate::sequence_use::SequenceUse;

/// Most libraries that stand in for one another before a datablock is found.
const MAX_STAND_INS: usize = 64;

impl Walk {
    /// How the datablocks that are rendered show images, by the image's file and place; `None`
    /// where a scene is shown at frames that are not the job's.
    pub(crate) fn sequence_uses(&self) -> Option<HashMap<(usize, usize), Vec<SequenceUse>>> {
        let mut uses: HashMap<(usize, usize), Vec<SequenceUse>> = HashMap::new();
        for (place, file) in self.files.iter().enumerate() {
            for (number, datablock) in file.datablocks().iter().enumerate() {
                if file.reach_of(number) != Reach::Used {
                    continue;
                }
                let Some(shown) = &datablock.sequence_uses else { continue };
                if shown.shifts_time {
                    return None;
                }
                for (image, one) in shown.iter() {
                    if let Some(image) = self.behind((place, image)) {
                        uses.entry(image).or_default().push(one);
                    }
                }
            }
        }
        Some(uses)
    }

    /// The images, by their file and place, that something else than surfaces and lights uses: what
    /// opens the scene may read them.
    pub(crate) fn evaluated_images(&self) -> HashSet<(usize, usize)> {
        let mut images = HashSet::new();
        for (place, file) in self.files.iter().enumerate() {
            for (number, datablock) in file.datablocks().iter().enumerate() {
                let is_evaluated = file.reach_of(number) == Reach::Used
                    && !datablock.is_shading
                    && datablock.library.is_none()
                    && !datablock.is_of_editors();
                if is_evaluated {
                    images.extend(
                        file.images(&datablock.uses).filter_map(|used| self.behind((place, used))),
                    );
                }
            }
        }
        images
    }

    /// The images, by their file and place, that no frame shows: only nodes have them whose outputs
    /// lead nowhere.
    pub(crate) fn idle_images(&self) -> HashSet<DatablockPlace> {
        let (mut idle, mut shown) = (HashSet::new(), HashSet::new());
        for (place, file) in self.files.iter().enumerate() {
            for (number, datablock) in file.datablocks().iter().enumerate() {
                if file.reach_of(number) != Reach::Used {
                    continue;
                }
                for used in file.images(&datablock.uses) {
                    let is_idle = datablock.idle_uses.contains(&used);
                    let images = if is_idle { &mut idle } else { &mut shown };
                    images.extend(self.behind((place, used)));
                }
            }
        }
        idle.retain(|image| !shown.contains(image));
        idle
    }

    /// Whether a library is read from where it was packed.
    pub(crate) fn is_unpacked(&self, path: &Path) -> bool {
        let file = self.by_path.get(path).and_then(|place| self.files.get(*place));
        file.is_some_and(|file| file.packed_in.is_some())
    }

    /// The pointers of a file to libraries in it that lie beside it in a pack.
    pub(crate) fn packed_pointers(&self, file: &WalkedFile) -> Vec<PackedLibrary> {
        let datablocks = file.datablocks().iter().enumerate();
        datablocks
            .filter_map(|(number, datablock)| {
                let packed = **datablock.packed.as_ref()?;
                let beside = self.files.get(*self.by_path.get(&library_path(file, number)?)?)?;
                beside.is_used().then_some(packed)
            })
            .collect()
    }

    /// The datablock at a file and a place in it.
    pub(crate) fn datablock(&self, (place, number): DatablockPlace) -> Option<&Datablock> {
        self.files.get(place)?.datablocks().get(number)
    }

    /// The datablock itself, for one that only stands in for it.
    pub(crate) fn behind(&self, (mut place, mut number): DatablockPlace) -> Option<DatablockPlace> {
        for _ in 0..MAX_STAND_INS {
            let file = self.files.get(place)?;
            let datablock = file.datablocks().get(number)?;
            let Some(library) = datablock.library else { return Some((place, number)) };
            place = *self.by_path.get(&library_path(file, library)?)?;
            let contents = self.files.get(place)?.contents.as_ref()?;
            number = contents.find(datablock.code, &datablock.name)?;
        }
        None
    }
}
