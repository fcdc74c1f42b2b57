//! Turns one path into the files behind it: the frames of a sequence, the tiles of a UDIM image.

use std::path::{Path, PathBuf};

use crate::blend_path::{BlendPath, native};
use crate::references::referenced;

/// Most files in one folder that is packed whole.
const MOST_FILES: usize = 1_000_000;

/// Most folders below one that is packed whole.
const MOST_LEVELS: usize = 32;

/// Which files a path stands for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Expansion {
    /// One file.
    File,
    /// The numbered files that it is one of.
    Sequence,
    /// The tiles of its `<UDIM>` or `<UVTILE>`.
    Tiles,
    /// Every file below a folder.
    Folder,
    /// Those files of a folder.
    Names(Vec<Vec<u8>>),
    /// The files of a folder whose names begin like that.
    Prefix(Vec<u8>),
    /// The same in the folder `blendcache_<name>` beside the `.blend` file of that name.
    BlendCache(Vec<u8>),
}

impl Expansion {
    /// Where a path leads, for a `.blend` file at `blend`.
    pub(crate) fn resolve(&self, written: &BlendPath, blend: &Path) -> PathBuf {
        let folder = blend.parent().unwrap_or(blend);
        match self {
            Self::BlendCache(_) => {
                let mut name = std::ffi::OsString::from("blendcache_");
                name.push(blend.file_stem().unwrap_or_default());
                folder.join(name)
            }
            _ => written.resolve(folder),
        }
    }

    /// The files that are there, sorted, and those that are named and are not.
    pub(crate) fn files(&self, resolved: &Path) -> Expanded {
        let name = resolved.file_name().map(std::ffi::OsStr::as_encoded_bytes).unwrap_or_default();
        let pattern = match self {
            Self::Sequence => sequence_pattern(name),
            Self::Tiles => tiles_pattern(name),
            _ => None,
        };
        let mut absent = Vec::new();
        let mut files = match (self, &pattern, resolved.parent()) {
            (_, Some(pattern), Some(folder)) => matching(folder, |name| pattern.number_of(name)),
            (Self::Folder, ..) => {
                let mut files = Vec::new();
                below(resolved, 0, &mut files);
                files
            }
            (Self::Prefix(prefix) | Self::BlendCache(prefix), ..) => {
                matching(resolved, |name| name.starts_with(prefix).then_some(None))
            }
            (Self::Names(names), ..) => {
                let mut files = Vec::new();
                for name in names {
                    let path = resolved.join(native(name.clone()));
                    match DiskFile::at(&path, None) {
                        Some(file) => files.push(file),
                        None => absent.push(path),
                    }
                }
                files
            }
            _ => match DiskFile::at(resolved, None) {
                Some(file) => {
                    let referenced = referenced(resolved);
                    let others = referenced.iter().filter_map(|path| DiskFile::at(path, None));
                    std::iter::once(file).chain(others).collect()
                }
                None => Vec::new(),
            },
        };
        files.sort();
        files.dedup();
        absent.sort();
        absent.dedup();
        Expanded { files, absent }
    }
}

/// What a path stands for on this machine.
#[derive(Debug, Clone, Default)]
pub(crate) struct Expanded {
    /// The files that are there, sorted, each once.
    pub(crate) files: Vec<DiskFile>,
    /// Those that are named one by one and are not there.
    pub(crate) absent: Vec<PathBuf>,
}

/// A file that is there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DiskFile {
    /// Where.
    pub path: PathBuf,
    /// Its size in bytes.
    pub size_bytes: u64,
    /// The number in its name, for a frame of a sequence.
    pub frame: Option<i64>,
}

impl DiskFile {
    fn at(path: &Path, frame: Option<i64>) -> Option<Self> {
        let found = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
        Some(Self { path: path.to_owned(), size_bytes: found.len(), frame })
    }
}

/// Lists what is below a folder. A link to a folder is not followed: it could lead in circles.
fn below(folder: &Path, level: usize, files: &mut Vec<DiskFile>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.filter_map(std::result::Result::ok) {
        if files.len() >= MOST_FILES {
            return;
        }
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && level < MOST_LEVELS => {
                below(&entry.path(), level + 1, files);
            }
            Ok(_) => files.extend(DiskFile::at(&entry.path(), None)),
            Err(_) => {}
        }
    }
}

/// A file name with a number in the middle.
#[derive(Debug, PartialEq, Eq)]
struct Pattern {
    head: Vec<u8>,
    tail: Vec<u8>,
    number: Number,
}

#[derive(Debug, PartialEq, Eq)]
enum Number {
    /// A frame of that many digits, more only where the number needs them.
    Frame { digits: usize },
    /// A UDIM tile: 1001 to 2000.
    Udim,
    /// `u1_v1`.
    UvTile,
}

/// Splits at the last run of digits (`BLI_path_sequence_decode`, Blender 5.0).
fn sequence_pattern(name: &[u8]) -> Option<Pattern> {
    // Digits of the extension, as in `.mp4`, do not count: the stem is searched alone.
    let stem = name.iter().rposition(|byte| *byte == b'.').unwrap_or(name.len());
    let end = name.get(..stem)?.iter().rposition(u8::is_ascii_digit)? + 1;
    let start =
        name.get(..end)?.iter().rposition(|byte| !byte.is_ascii_digit()).map_or(0, |at| at + 1);
    Some(Pattern {
        head: name.get(..start)?.to_vec(),
        tail: name.get(end..)?.to_vec(),
        number: Number::Frame { digits: end - start },
    })
}

/// Splits at `<UDIM>` or `<UVTILE>`, or at `1001` in files from before Blender 3.1.
fn tiles_pattern(name: &[u8]) -> Option<Pattern> {
    for (token, number) in
        [(&b"<UDIM>"[..], Number::Udim), (b"<UVTILE>", Number::UvTile), (b"1001", Number::Udim)]
    {
        if let Some(at) = name.windows(token.len()).rposition(|window| window == token) {
            return Some(Pattern {
                head: name.get(..at)?.to_vec(),
                tail: name.get(at + token.len()..)?.to_vec(),
                number,
            });
        }
    }
    None
}

impl Pattern {
    /// Whether a name is one of these; with the number of its frame, where it is one.
    #[expect(clippy::option_option, reason = "a tile belongs to them and is no frame")]
    fn number_of(&self, name: &[u8]) -> Option<Option<i64>> {
        let middle = name.strip_prefix(&*self.head)?.strip_suffix(&*self.tail)?;
        let text = std::str::from_utf8(middle).ok()?;
        let all_digits = !middle.is_empty() && middle.iter().all(u8::is_ascii_digit);
        match self.number {
            Number::Frame { digits } => {
                let is_frame = all_digits
                    && (middle.len() == digits
                        || (middle.len() > digits && middle.first() != Some(&b'0')));
                is_frame.then(|| text.parse().ok())
            }
            Number::Udim => {
                let is_tile = all_digits && middle.len() == 4 && ("1001"..="2000").contains(&text);
                is_tile.then_some(None)
            }
            Number::UvTile => {
                let (u, v) = text.strip_prefix('u')?.split_once("_v")?;
                (u.parse::<u16>().is_ok() && v.parse::<u16>().is_ok()).then_some(None)
            }
        }
    }
}

/// The files of a folder whose names match.
fn matching(folder: &Path, number: impl Fn(&[u8]) -> Option<Option<i64>>) -> Vec<DiskFile> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    entries
        .filter_map(Result::ok)
        .filter_map(|entry| {
            let frame = number(entry.file_name().as_encoded_bytes())?;
            DiskFile::at(&entry.path(), frame)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sequence_is_the_last_run_of_digits_before_the_extension() {
        let pattern = sequence_pattern(b"sh010_fire.0007.j2k").unwrap();
        assert_eq!(pattern.head, b"sh010_fire.");
        assert_eq!(pattern.tail, b".j2k");
        for (name, is_frame) in [
            ("sh010_fire.0001.j2k", true),
            ("sh010_fire.10000.j2k", true),
            ("sh010_fire.00001.j2k", false),
            ("sh010_fire.001.j2k", false),
            ("sh020_fire.0001.j2k", false),
            ("sh010_fire..j2k", false),
        ] {
            assert_eq!(pattern.number_of(name.as_bytes()).is_some(), is_frame, "{name}");
        }
        assert_eq!(pattern.number_of(b"sh010_fire.0012.j2k"), Some(Some(12)));
        assert_eq!(sequence_pattern(b"wood.png"), None);
    }

    #[test]
    fn tiles_are_numbered_1001_to_2000_or_named_by_u_and_v() {
        let udim = tiles_pattern(b"skin.<UDIM>.exr").unwrap();
        assert!(
            udim.number_of(b"skin.1001.exr").is_some()
                && udim.number_of(b"skin.1102.exr").is_some()
        );
        assert!(
            udim.number_of(b"skin.0999.exr").is_none()
                && udim.number_of(b"skin.10010.exr").is_none()
        );
        let uv = tiles_pattern(b"skin_<UVTILE>.exr").unwrap();
        assert!(
            uv.number_of(b"skin_u1_v2.exr").is_some() && uv.number_of(b"skin_v2_u1.exr").is_none()
        );
    }
}
