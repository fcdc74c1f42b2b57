//! Where each file goes in the pack.
//!
//! What the scene reaches by relative paths keeps its layout below `project/`. Everything else
//! mirrors its whole path below `external/`, so that relative paths among those files hold too.

use std::collections::HashSet;
use std::path::{Component, Path, PathBuf};

use protocol::PackPath;

use crate::dependency::DependencyKind;
use crate::error::{Result, SceneError};
use crate::trace::Trace;

/// How many digits stand for a folder with a path that is too long: no two meet by chance.
const FOLDER_DIGITS: usize = 32;

/// The folders of a pack.
#[derive(Debug)]
pub(crate) struct Layout {
    root: PathBuf,
}

impl Layout {
    /// Finds the folder that holds the scene and all that it reaches by relative paths.
    pub(crate) fn of(trace: &Trace) -> Self {
        let Some(scene) = trace.blend_files.first() else { return Self { root: PathBuf::new() } };
        let mut root = scene.as_path.parent().unwrap_or(&scene.as_path).to_owned();
        let mut inside = vec![scene.as_path.as_path()];
        let blend_files: HashSet<&Path> =
            trace.blend_files.iter().map(|blend| blend.as_path.as_path()).collect();
        for blend in &trace.blend_files {
            if !inside.contains(&blend.as_path.as_path()) {
                continue;
            }
            for path_use in &blend.uses {
                let Some(dependency) = trace.dependency(path_use) else { continue };
                let is_there = if dependency.kind == DependencyKind::PackedLibrary {
                    blend_files.contains(dependency.resolved.as_path())
                } else {
                    dependency.is_packed() && !dependency.files.is_empty()
                };
                if !dependency.written.is_relative() || !is_there {
                    continue;
                }
                while !dependency.resolved.starts_with(&root) && root.pop() {}
                inside.push(&dependency.resolved);
            }
        }
        Self { root }
    }

    /// The place of a file, or of the pattern of a sequence.
    pub(crate) fn place(&self, path: &Path) -> Result<PackPath> {
        let (folder, below) = match path.strip_prefix(&self.root) {
            Ok(below) => ("project", below),
            Err(_) => ("external", path),
        };
        let names = below.components().filter_map(|component| match component {
            Component::Normal(name) => Some(name.as_encoded_bytes()),
            Component::Prefix(prefix) => Some(prefix.as_os_str().as_encoded_bytes()),
            Component::RootDir | Component::CurDir | Component::ParentDir => None,
        });
        PackPath::of_names(std::iter::once(folder.as_bytes()).chain(names))
            .or_else(|source| shortened(path).ok_or(source))
            .map_err(|source| SceneError::Unpackable { path: path.to_owned(), source })
    }
}

/// A place for a path that is too long for a pack: its folder by a digest, so that what lies together
/// stays together; `None` where its name alone is too long.
fn shortened(path: &Path) -> Option<PackPath> {
    let folder = blake3::hash(path.parent()?.as_os_str().as_encoded_bytes()).to_hex();
    let folder = folder.get(..FOLDER_DIGITS)?.as_bytes();
    let name = path.file_name()?.as_encoded_bytes();
    PackPath::of_names([b"long".as_slice(), folder, name]).ok()
}

/// The `//` path that leads from the `.blend` file at one place to another place.
pub(crate) fn relative(from_blend: &PackPath, to: &PackPath) -> Vec<u8> {
    let (from, to) = (from_blend.names(), to.names());
    let parts = |names: &'_ [u8]| names.split(|byte| *byte == b'/').map(<[u8]>::to_vec).collect();
    let (from, to): (Vec<Vec<u8>>, Vec<Vec<u8>>) = (parts(&from), parts(&to));
    let from_folder = from.get(..from.len() - 1).unwrap_or_default();
    let common = from_folder.iter().zip(&to).take_while(|(one, other)| one == other).count();
    let up = std::iter::repeat_n(b"..".to_vec(), from_folder.len() - common);
    let down = to.get(common..).unwrap_or_default().iter().cloned();
    [b"//".to_vec(), up.chain(down).collect::<Vec<_>>().join(&b'/')].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_is_too_long_is_shortened_and_its_neighbours_stay_beside_it() {
        let layout = Layout { root: PathBuf::from("/show") };
        let folder = format!("/{}", format!("{}/", "a".repeat(200)).repeat(5));
        let at = |name: &str| layout.place(Path::new(&format!("{folder}{name}"))).unwrap();
        let (one, other) = (at("wood.1001.png"), at("wood.1002.png"));
        assert!(one.as_str().starts_with("long/") && one.as_str().ends_with("/wood.1001.png"));
        assert_eq!(
            one.as_str().rsplit_once('/').unwrap().0,
            other.as_str().rsplit_once('/').unwrap().0
        );
        assert!(layout.place(Path::new(&format!("/{}", "b".repeat(1000)))).is_err());
    }

    fn pack_path(text: &str) -> PackPath {
        PackPath::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn relative_paths_climb_to_what_both_share() {
        let blend = pack_path("project/shots/a.blend");
        for (to, expected) in [
            ("project/shots/tex/wood.png", "//tex/wood.png"),
            ("project/tex/wood.png", "//../tex/wood.png"),
            ("external/mnt/wood.png", "//../../external/mnt/wood.png"),
        ] {
            assert_eq!(relative(&blend, &pack_path(to)), expected.as_bytes());
        }
    }
}
