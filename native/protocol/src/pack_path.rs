use std::fmt;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::ProtocolError;

/// A path inside a pack or a result: relative, with forward slashes, and never out of its root.
///
/// No part is empty, `.`, `..`, or holds a backslash, a colon or a control character, so that the
/// path means the same on every system and cannot escape where it is unpacked. A name that holds one
/// of these, a `%`, or bytes that are no UTF-8 is written with `%` and two hexadecimal digits for
/// each such byte, and becomes itself again where the system takes it.
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

    /// The path of some names, one below the other, whatever bytes they hold.
    ///
    /// # Errors
    /// [`ProtocolError::Invalid`] where one is empty, `.` or `..`, or all are too long.
    pub fn of_names<'a>(names: impl IntoIterator<Item = &'a [u8]>) -> Result<Self, ProtocolError> {
        let parts: Vec<String> = names.into_iter().map(encode).collect();
        Self::try_from(parts.join("/"))
    }

    /// The path as the bytes that its names have on Linux.
    #[must_use]
    pub fn names(&self) -> Vec<u8> {
        let escaped = |at: usize, digits: &[u8]| {
            let is_number = digits.iter().all(u8::is_ascii_hexdigit);
            let byte = std::str::from_utf8(digits).ok().filter(|_| is_number)?;
            let byte = u8::from_str_radix(byte, 16).ok()?;
            // No other byte is ever written so, and none of these is a slash or a dot.
            let is_one = byte == b'%' || (cfg!(unix) && is_escaped(byte));
            is_one.then_some((byte, at + 3))
        };
        let text = self.0.as_bytes();
        let (mut bytes, mut at) = (Vec::with_capacity(text.len()), 0);
        while let Some(byte) = text.get(at) {
            let digits = text.get(at + 1..at + 3).filter(|_| *byte == b'%');
            let (byte, next) =
                digits.and_then(|digits| escaped(at, digits)).unwrap_or((*byte, at + 1));
            bytes.push(byte);
            at = next;
        }
        bytes
    }

    /// The path below a root on this machine.
    #[must_use]
    pub fn under(&self, root: &Path) -> PathBuf {
        let names = self.names();
        let mut path = root.to_owned();
        path.extend(names.split(|byte| *byte == b'/').map(native));
        path
    }
}

/// Whether a byte of a name stands as `%` and two digits: backslash, colon, control characters but
/// for zero, and what belongs to no character.
fn is_escaped(byte: u8) -> bool {
    matches!(byte, b'%' | b'\\' | b':' | 1..=0x1f | 0x7f..)
}

fn encode(name: &[u8]) -> String {
    use fmt::Write;
    let mut text = String::with_capacity(name.len());
    for chunk in name.utf8_chunks() {
        for letter in chunk.valid().chars() {
            if matches!(letter, '\\' | ':' | '%') || letter.is_control() {
                let mut bytes = [0; 4];
                for byte in letter.encode_utf8(&mut bytes).bytes() {
                    let _ = write!(text, "%{byte:02x}");
                }
            } else {
                text.push(letter);
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(text, "%{byte:02x}");
        }
    }
    text
}

#[cfg(unix)]
fn native(name: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    std::ffi::OsStr::from_bytes(name).into()
}

#[cfg(not(unix))]
fn native(name: &[u8]) -> PathBuf {
    String::from_utf8_lossy(name).into_owned().into()
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

    #[test]
    fn names_that_not_every_system_takes_are_written_out_and_come_back() {
        let path = PackPath::of_names([b"te:x".as_slice(), b"50%3a\xe9\\ \xc3\xa9.png"]).unwrap();
        assert_eq!(path.as_str(), "te%3ax/50%253a%e9%5c \u{e9}.png");
        #[cfg(unix)]
        assert_eq!(path.names(), b"te:x/50%3a\xe9\\ \xc3\xa9.png");
        for other in ["a%20b", "%2e%2e/x", "a%2fb", "a%00", "100%", "%zz", "%+5"] {
            let path = PackPath::try_from(other.to_owned()).unwrap();
            assert_eq!(path.names(), other.as_bytes());
        }
        assert!(PackPath::of_names([b"..".as_slice()]).is_err());
    }

    proptest! {
        #[cfg(unix)]
        #[test]
        fn every_name_comes_back(name in prop::collection::vec(1_u8.., 1..40)) {
            prop_assume!(!name.contains(&b'/') && name != b"." && name != b"..");
            let path = PackPath::of_names([name.as_slice()]).unwrap();
            prop_assert_eq!(path.names(), name);
        }

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
