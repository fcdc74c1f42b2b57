//! Turns one path into the files behind it: the frames of a sequence, the tiles of a UDIM image.

use std::path::{Path, PathBuf};

use crate::blend_path::{BlendPath, native};

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
    pub(crate) fn files(&self, resolved: &Path) -> (Vec<PathBuf>, Vec<PathBuf>) {
        let name = resolved.file_name().map(std::ffi::OsStr::as_encoded_bytes).unwrap_or_default();
        let pattern = match self {
            Self::Sequence => sequence_pattern(name),
            Self::Tiles => tiles_pattern(name),
            _ => None,
        };
        let there = match (self, pattern, resolved.parent()) {
            (_, Some(pattern), Some(folder)) => matching(folder, |name| pattern.matches(name)),
            (Self::Folder, ..) => {
                let mut files = Vec::new();
                below(resolved, 0, &mut files);
                files.sort();
                files
            }
            (Self::Prefix(prefix) | Self::BlendCache(prefix), ..) => {
                matching(resolved, |name| name.starts_with(prefix))
            }
            (Self::Names(names), ..) => {
                let mut paths: Vec<PathBuf> =
                    names.iter().map(|name| resolved.join(native(name.clone()))).collect();
                paths.sort();
                paths.dedup();
                return paths.into_iter().partition(|path| path.is_file());
            }
            _ if resolved.is_file() => vec![resolved.to_owned()],
            _ => Vec::new(),
        };
        (there, Vec::new())
    }
}

/// Lists what is below a folder. A link to a folder is not followed: it could lead in circles.
fn below(folder: &Path, level: usize, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.filter_map(std::result::Result::ok) {
        if files.len() >= MOST_FILES {
            return;
        }
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && level < MOST_LEVELS => {
                below(&entry.path(), level + 1, files);
            }
            Ok(_) if entry.path().is_file() => files.push(entry.path()),
            _ => {}
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
    fn matches(&self, name: &[u8]) -> bool {
        let Some(middle) =
            name.strip_prefix(&*self.head).and_then(|rest| rest.strip_suffix(&*self.tail))
        else {
            return false;
        };
        let all_digits = !middle.is_empty() && middle.iter().all(u8::is_ascii_digit);
        match self.number {
            Number::Frame { digits } => {
                all_digits
                    && (middle.len() == digits
                        || (middle.len() > digits && middle.first() != Some(&b'0')))
            }
            Number::Udim => {
                all_digits && middle.len() == 4 && (&b"1001"[..]..=b"2000").contains(&middle)
            }
            Number::UvTile => std::str::from_utf8(middle)
                .ok()
                .and_then(|text| text.strip_prefix('u')?.split_once("_v"))
                .is_some_and(|(u, v)| u.parse::<u16>().is_ok() && v.parse::<u16>().is_ok()),
        }
    }
}

fn matching(folder: &Path, matches: impl Fn(&[u8]) -> bool) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .filter(|entry| matches(entry.file_name().as_encoded_bytes()))
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    files
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
            assert_eq!(pattern.matches(name.as_bytes()), is_frame, "{name}");
        }
        assert_eq!(sequence_pattern(b"wood.png"), None);
    }

    #[test]
    fn tiles_are_numbered_1001_to_2000_or_named_by_u_and_v() {
        let udim = tiles_pattern(b"skin.<UDIM>.exr").unwrap();
        assert!(udim.matches(b"skin.1001.exr") && udim.matches(b"skin.1102.exr"));
        assert!(!udim.matches(b"skin.0999.exr") && !udim.matches(b"skin.10010.exr"));
        let uv = tiles_pattern(b"skin_<UVTILE>.exr").unwrap();
        assert!(uv.matches(b"skin_u1_v2.exr") && !uv.matches(b"skin_v2_u1.exr"));
    }
}
