use std::fmt;
use std::path::{Component, Path, PathBuf};

/// A path as it is written in a `.blend` file: bytes, with `//` for the folder of that file.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct BlendPath(Vec<u8>);

impl BlendPath {
    /// Takes a path as written.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes as written.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it begins with `//`.
    #[must_use]
    pub fn is_relative(&self) -> bool {
        self.0.starts_with(b"//")
    }

    /// The path on this machine, for a `.blend` file in `folder`, without `.` and `..`.
    ///
    /// Backslashes count as slashes, whoever wrote them. A Windows path met on another system leads
    /// where Blender looks for it there: `C:\wood.png` is `/c/wood.png` (`BLI_path_abs`,
    /// `path_utils.cc`, Blender 5.2).
    #[must_use]
    pub fn resolve(&self, folder: &Path) -> PathBuf {
        let slashed: Vec<u8> =
            self.0.iter().map(|byte| if *byte == b'\\' { b'/' } else { *byte }).collect();
        match slashed.as_slice() {
            _ if self.is_relative() => {
                let below = slashed.get(2..).unwrap_or_default().to_vec();
                normalize(&folder.join(native(below)))
            }
            [drive, b':', b'/', below @ ..] if !cfg!(windows) && drive.is_ascii_alphabetic() => {
                let drive = [b'/', drive.to_ascii_lowercase(), b'/'];
                normalize(&native([&drive, below].concat()))
            }
            _ => normalize(&native(slashed)),
        }
    }
}

impl fmt::Display for BlendPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        String::from_utf8_lossy(&self.0).fmt(f)
    }
}

impl fmt::Debug for BlendPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

#[cfg(unix)]
pub(crate) fn native(bytes: Vec<u8>) -> PathBuf {
    use std::os::unix::ffi::OsStringExt;
    std::ffi::OsString::from_vec(bytes).into()
}

#[cfg(not(unix))]
pub(crate) fn native(bytes: Vec<u8>) -> PathBuf {
    String::from_utf8_lossy(&bytes).into_owned().into()
}

/// Drops `.` and resolves `..` by the text alone, as Blender does (`BLI_path_normalize`).
fn normalize(path: &Path) -> PathBuf {
    let mut result = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                result.pop();
            }
            other => result.push(other),
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(written: &[u8]) -> PathBuf {
        BlendPath::new(written.to_vec()).resolve(Path::new("/shows/one/shots"))
    }

    #[test]
    fn relative_paths_start_at_the_folder_of_the_blend_file() {
        assert_eq!(resolve(b"//wood.png"), Path::new("/shows/one/shots/wood.png"));
        assert_eq!(resolve(b"//../tex/./wood.png"), Path::new("/shows/one/tex/wood.png"));
        assert_eq!(resolve(b"//..\\tex\\wood.png"), Path::new("/shows/one/tex/wood.png"));
        assert_eq!(resolve(b"//../../../../../x"), Path::new("/x"));
        assert_eq!(resolve(b"/abs/../wood.png"), Path::new("/wood.png"));
    }

    #[cfg(unix)]
    #[test]
    fn windows_paths_lead_where_blender_looks_for_them() {
        assert_eq!(resolve(b"C:\\tex\\wood.png"), Path::new("/c/tex/wood.png"));
        assert_eq!(resolve(b"e:/wood.png"), Path::new("/e/wood.png"));
    }

    #[cfg(unix)]
    #[test]
    fn bytes_that_are_not_utf8_survive() {
        use std::os::unix::ffi::OsStrExt;
        assert!(resolve(b"//caf\xe9.png").as_os_str().as_bytes().ends_with(b"/caf\xe9.png"));
    }
}
