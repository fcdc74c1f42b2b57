//! The Blenders of this machine, of which a scene gets its own.

use std::path::{Path, PathBuf};

use protocol::BlenderVersion;

/// The programs of Blender that there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Programs {
    /// The newest: Blender's executable, or a Python that has the `bpy` module.
    newest: PathBuf,
    /// Older ones, by major and minor version; the oldest first.
    older: Vec<((u16, u16), PathBuf)>,
}

impl Programs {
    /// The newest, and older ones as in "4.2=/opt/4.2/blender 4.5=/usr/bin/python3.11".
    ///
    /// None where the text is another one.
    pub(crate) fn new(newest: PathBuf, older: &str) -> Option<Self> {
        let older = older.split_whitespace().map(|entry| {
            let (version, program) = entry.split_once('=')?;
            let (major, minor) = version.split_once('.')?;
            Some(((major.parse().ok()?, minor.parse().ok()?), PathBuf::from(program)))
        });
        let mut older = older.collect::<Option<Vec<_>>>()?;
        older.sort_unstable();
        Some(Self { newest, older })
    }

    /// The one that a scene comes from, else the next newer one. Where nobody knows, the newest.
    pub(crate) fn of(&self, scene: BlenderVersion) -> &Path {
        let wanted = (scene.0, scene.1);
        let found = self.older.iter().find(|(version, _)| *version >= wanted);
        found.filter(|_| wanted != (0, 0)).map_or(&self.newest, |(_, program)| program)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scene_gets_its_own_blender_or_the_next_newer_one() {
        let programs = Programs::new("new".into(), "4.5=/b 4.2=/a").unwrap();
        for (scene, program) in [
            ((4, 5), "/b"),
            ((4, 2), "/a"),
            ((4, 3), "/b"),
            ((3, 6), "/a"),
            ((5, 0), "new"),
            ((5, 2), "new"),
            ((0, 0), "new"),
        ] {
            let found = programs.of(BlenderVersion(scene.0, scene.1, 1));
            assert_eq!(found, Path::new(program), "{scene:?}");
        }
        let alone = Programs::new("new".into(), "").unwrap();
        assert_eq!(alone.of(BlenderVersion(4, 5, 0)), Path::new("new"));
        for wrong in ["4.5", "4=/a", "a.b=/a", "4.5.1=/a"] {
            assert_eq!(Programs::new("new".into(), wrong), None, "{wrong}");
        }
    }
}
