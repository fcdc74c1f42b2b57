//! The Blenders that a farm renders with, and which of them a scene gets.

use std::str::FromStr;

use protocol::BlenderVersion;

use crate::error::{FarmError, Result};

/// The Blenders of a farm, as major and minor version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blenders {
    /// The oldest first; never empty.
    versions: Vec<(u16, u16)>,
}

impl Blenders {
    /// All of them, as major and minor version, the oldest first.
    #[must_use]
    pub fn versions(&self) -> &[(u16, u16)] {
        &self.versions
    }

    /// Whether there is one of a version.
    #[must_use]
    pub fn has(&self, version: (u16, u16)) -> bool {
        self.versions.contains(&version)
    }

    /// The one that a scene comes from, else the next newer one.
    ///
    /// # Errors
    /// [`FarmError::OldBlender`] where all are older, which cannot read the scene.
    pub fn of(&self, scene: BlenderVersion) -> Result<(u16, u16)> {
        let wanted = (scene.0, scene.1);
        let found = self.versions.iter().find(|version| **version >= wanted).copied();
        let newest = self.versions.last().copied().unwrap_or_default();
        found.ok_or(FarmError::OldBlender { scene: wanted, farm: newest })
    }
}

/// A text such as "4.5 5.2".
impl FromStr for Blenders {
    type Err = ();

    fn from_str(text: &str) -> std::result::Result<Self, ()> {
        let version = |text: &str| {
            let (major, minor) = text.split_once('.')?;
            Some((major.parse().ok()?, minor.parse().ok()?))
        };
        let mut versions = text.split(' ').map(version).collect::<Option<Vec<_>>>().ok_or(())?;
        versions.sort_unstable();
        Ok(Self { versions })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scene_gets_its_own_blender_or_the_next_newer_one() {
        let farm: Blenders = "5.2 4.5".parse().unwrap();
        for (scene, rendered) in [
            ((4, 5), (4, 5)),
            ((5, 2), (5, 2)),
            ((4, 2), (4, 5)),
            ((5, 0), (5, 2)),
            ((0, 0), (4, 5)),
        ] {
            assert_eq!(farm.of(BlenderVersion(scene.0, scene.1, 3)).unwrap(), rendered);
        }
        assert!(farm.has((4, 5)) && !farm.has((5, 0)));
        let error = farm.of(BlenderVersion(5, 3, 0)).unwrap_err();
        assert!(matches!(error, FarmError::OldBlender { farm: (5, 2), .. }), "{error}");
    }

    #[test]
    fn a_text_that_names_no_versions_is_none() {
        for text in ["", "5", "5.2.3", "newest", "5.2  4.5"] {
            assert!(text.parse::<Blenders>().is_err(), "{text:?}");
        }
    }
}
