use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use blendfile::{BlendFile, Rewrite};
use protocol::{FrameRange, PackPath};

use crate::blend_path::BlendPath;
use crate::datablock::Place;
use crate::dependency::{Dependency, DependencyKind};
use crate::error::Result;
use crate::layout::{Layout, relative};
use crate::packed_library::UnpackedLibraries;
use crate::trace::{Trace, TracedBlendFile};

/// A file of the pack and where its bytes are on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedFile {
    /// Its place in the pack.
    pub path: PackPath,
    /// The bytes: the artist's file, or a rewritten copy.
    pub source: PathBuf,
    /// Whether only the rendering of a frame reads it, and nothing that opens the scene.
    pub opens_without: bool,
}

/// Every file of a pack. It opens anywhere: no path in it leads out.
#[derive(Debug)]
pub struct PackPlan {
    /// The scene's place in the pack.
    pub blend_file: PackPath,
    /// The colour configuration that Blender is to use, where it is not its own.
    pub color_config: Option<PackPath>,
    /// The frames that image sequences were limited to; all where they are whole.
    pub frames: Option<FrameRange>,
    /// Every file once, sorted by place.
    pub files: Vec<PlannedFile>,
    /// How many `.blend` files were rewritten.
    pub rewritten: usize,
    /// What the pack leaves out on purpose.
    pub(crate) left_out: LeftOut,
    /// What some of the sources are in.
    #[expect(dead_code, reason = "held so that the sources are there as long as the plan")]
    pub(crate) unpacked: UnpackedLibraries,
}

impl PackPlan {
    /// A pack of files as they are, without a look into them.
    #[must_use]
    pub fn of_files(blend_file: PackPath, files: Vec<PlannedFile>) -> Self {
        Self {
            blend_file,
            color_config: None,
            frames: None,
            files,
            rewritten: 0,
            left_out: LeftOut::default(),
            unpacked: UnpackedLibraries::default(),
        }
    }

    /// Plans the pack of a traced scene. `.blend` files with paths that would not resolve in the
    /// pack, or drivers that shall stay given up, are rewritten into `work_folder`, which must exist and outlive the upload.
    ///
    /// # Errors
    /// [`crate::SceneError`] where a file cannot be read or written, or has no usable place.
    pub fn new(trace: &Trace, work_folder: &Path) -> Result<Self> {
        let layout = Layout::of(trace);
        let mut files = BTreeMap::new();
        for dependency in trace.dependencies().iter().filter(|one| one.is_packed()) {
            for file in &dependency.files {
                let place = layout.place(&file.path)?;
                let planned = files.entry(place.clone()).or_insert_with(|| PlannedFile {
                    path: place,
                    source: file.path.clone(),
                    opens_without: true,
                });
                planned.opens_without &= dependency.opens_without;
            }
        }
        let mut rewritten = 0;
        let mut scene = None;
        for (number, blend) in trace.blend_files.iter().enumerate() {
            let place = layout.place(&blend.as_path)?;
            let changes = changed_paths(trace, blend, &layout)?;
            let is_as_it_is =
                changes.is_empty() && blend.packed.is_empty() && blend.invalid_drivers.is_empty();
            let source = if is_as_it_is {
                blend.file.clone()
            } else {
                rewritten += 1;
                let copy = work_folder.join(format!("rewritten-{number}.blend"));
                write_copy(blend, &changes, &copy)?;
                copy
            };
            let planned = PlannedFile { path: place.clone(), source, opens_without: false };
            files.insert(place.clone(), planned);
            scene.get_or_insert(place);
        }
        let blend_file = match scene {
            Some(place) => place,
            None => layout.place(Path::new("empty.blend"))?,
        };
        let left_out = LeftOut::of(trace);
        let color_config = trace
            .color_config
            .as_ref()
            .map(|config| layout.place(config))
            .transpose()?
            .filter(|config| files.contains_key(config));
        let files = files.into_values().collect();
        let frames = trace.limited_to;
        let unpacked = trace.unpacked.clone();
        Ok(Self { blend_file, color_config, frames, files, rewritten, left_out, unpacked })
    }
}

/// Editing aids, what was never baked, and what nothing uses.
#[derive(Debug, Default)]
pub(crate) struct LeftOut {
    /// By the name of the datablock and its path as written: their paths are not rewritten.
    paths: BTreeSet<(String, Vec<u8>)>,
    /// The libraries among them, by the name of their file.
    libraries: BTreeSet<OsString>,
}

impl LeftOut {
    fn of(trace: &Trace) -> Self {
        let mut left_out = Self::default();
        let is_left_out =
            |one: &&Dependency| !one.is_packed() || (!one.is_required && one.is_missing());
        for one in trace.dependencies().iter().filter(is_left_out) {
            left_out.paths.insert((one.datablock.clone(), forward(one.written.as_bytes())));
            if one.kind == DependencyKind::Library {
                left_out.libraries.extend(one.resolved.file_name().map(OsString::from));
            }
        }
        // Blender's report tells datablocks of one name apart as little as this: better once too
        // often than what is missing never.
        for one in trace.missing() {
            left_out.paths.remove(&(one.datablock.clone(), forward(one.written.as_bytes())));
            if let Some(name) = one.resolved.file_name() {
                left_out.libraries.remove(name);
            }
        }
        left_out
    }

    #[cfg(test)]
    pub(crate) fn of_path(datablock: &str, written: &str) -> Self {
        let path = (datablock.to_owned(), written.as_bytes().to_vec());
        Self { paths: BTreeSet::from([path]), ..Self::default() }
    }

    /// Whether a datablock's path, as written, is one of them.
    pub(crate) fn has_path(&self, datablock: &str, written: &str) -> bool {
        self.paths.contains(&(datablock.to_owned(), forward(written.as_bytes())))
    }

    /// Whether a library is one of them.
    pub(crate) fn has_library(&self, path: &str) -> bool {
        Path::new(path).file_name().is_some_and(|name| self.libraries.contains(name))
    }
}

/// A path with forward slashes, as Blender tells it on other systems than the artist's.
fn forward(path: &[u8]) -> Vec<u8> {
    path.iter().map(|byte| if *byte == b'\\' { b'/' } else { *byte }).collect()
}

/// The uses whose path would not lead to the right place, with the path that does.
fn changed_paths(
    trace: &Trace,
    blend: &TracedBlendFile,
    layout: &Layout,
) -> Result<Vec<(usize, Vec<u8>)>> {
    let mut changes = Vec::new();
    for (index, path_use) in blend.uses.iter().enumerate() {
        let Some(dependency) = trace.dependency(path_use) else { continue };
        let is_there = !dependency.files.is_empty() && dependency.is_packed();
        // The path of a packed library leads nowhere, but those of its datablocks begin there.
        let matters = is_there || dependency.kind == DependencyKind::PackedLibrary;
        if !matters || path_use.place.is_none() {
            continue;
        }
        let base = layout.place(&path_use.base)?;
        let target = layout.place(&dependency.resolved)?;
        if !leads_to(&dependency.written, &base, &target) {
            changes.push((index, relative(&base, &target)));
        }
    }
    Ok(changes)
}

fn leads_to(written: &BlendPath, blend_place: &PackPath, target: &PackPath) -> bool {
    // Resolving below a made-up folder shows a path that climbs out of the pack as well.
    let root = Path::new("/pack");
    let blend = blend_place.under(root);
    written.is_relative()
        && blend.parent().is_some_and(|folder| written.resolve(folder) == target.under(root))
}

fn write_copy(blend: &TracedBlendFile, changes: &[(usize, Vec<u8>)], to: &Path) -> Result<()> {
    let mut file = BlendFile::open(&blend.file)?;
    let mut rewrite = Rewrite::new();
    for (index, path) in changes {
        match blend.uses.get(*index).and_then(|path_use| path_use.place) {
            Some(Place::CharArray(place)) => {
                rewrite.set_string(&mut file, &place, path)?;
            }
            Some(Place::StringBlock(block)) => {
                rewrite.replace_string_block(&block, path);
            }
            Some(Place::Property(block, length)) => {
                rewrite.replace_string_block(&block, path);
                // With the closing zero.
                let bytes = i32::try_from(path.len() + 1).unwrap_or(i32::MAX);
                rewrite.set_integer(&mut file, &length, bytes)?;
            }
            None => {}
        }
    }
    for library in &blend.packed {
        rewrite.clear_pointer(&mut file, &library.pointer)?;
        rewrite.replace_string_block(&library.data, b"");
    }
    for driver in &blend.invalid_drivers {
        rewrite.set_integer(&mut file, &driver.curve_flag, driver.muted)?;
    }
    Ok(rewrite.write(&mut file, to)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pack_path() -> impl Strategy<Value = PackPath> {
        prop::collection::vec("[a-z]{1,3}", 1..6)
            .prop_map(|parts| PackPath::try_from(parts.join("/")).unwrap())
    }

    proptest! {
        #[test]
        fn a_rewritten_path_leads_to_its_target_from_anywhere(
            blend in pack_path(),
            target in pack_path(),
        ) {
            let written = BlendPath::new(relative(&blend, &target));
            prop_assert!(leads_to(&written, &blend, &target), "{:?}", written);
        }
    }

    #[test]
    fn an_absolute_path_leads_nowhere_in_a_pack() {
        let place = |text: &str| PackPath::try_from(text.to_owned()).unwrap();
        let written = BlendPath::new(b"/pack/project/wood.png".to_vec());
        assert!(!leads_to(&written, &place("project/a.blend"), &place("project/wood.png")));
    }
}
