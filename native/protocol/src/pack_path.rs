use std::fmt;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::ProtocolError;

/// A path inside a pack or a result: relative, with forward slashes, and never out of its root.
///
/// No part is empty, `.`, `..`, or holds a backslash, a colon or a control character, so that the
/// path means the same on every system and cannot escape where it is unpacked.
#[derive(
    Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("maxLength" = 900))]
pub struct PackPath(String);

impl PackPath {
    /// The most bytes of a path: what an S3 key leaves after the job's prefix.
    pub const MAX_SIZE_BYTES: usize = 900;

    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part after the last slash.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// The path below a root on this machine.
    #[must_use]
    pub fn under(&self, root: &Path) -> PathBuf {
        let mut path = root.to_owned();
        path.extend(self.0.split('/'));
        path
    }
}

impl TryFrom<String> for PackPath {
    type Error = ProtocolError;

    fn try_from(text: String) -> Result<Self, ProtocolError> {
        let sound = |part: &str| {
            !matches!(part, "" | "." | "..")
                && !part.chars().any(|letter| matches!(letter, '\\' | ':') || letter.is_control())
        };
        if text.len() <= Self::MAX_SIZE_BYTES && text.split('/').all(sound) {
            return Ok(Self(text));
        }
        Err(ProtocolError::Invalid {
            field: "path",
            expected: "a relative path of at most 900 bytes without .., \\, : or control characters",
            got: format!("\"{}\"", text.chars().take(80).collect::<String>().escape_default()),
        })
    }
}

impl From<PackPath> for String {
    fn from(path: PackPath) -> Self {
        path.0
    }
}

impl fmt::Display for PackPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn paths_that_could_escape_are_refused() {
        for path in ["", "/etc/passwd", "a/../b", "..", "a//b", "C:/x", "a\\b", "a/", "./a", "a\0b"]
        {
            assert!(PackPath::try_from(path.to_owned()).is_err(), "{path:?} was taken");
        }
        assert!(PackPath::try_from("textures/wood grain.png".to_owned()).is_ok());
        assert!(PackPath::try_from("a".repeat(901)).is_err());
    }

    proptest! {
        #[test]
        fn no_accepted_path_leaves_its_root(text in ".{0,40}") {
            if let Ok(path) = PackPath::try_from(text) {
                let under = path.under(Path::new("/root"));
                prop_assert!(under.starts_with("/root"));
                prop_assert!(under.components().all(|part| part != std::path::Component::ParentDir));
            }
        }
    }
}
