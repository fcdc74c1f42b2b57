//! The tiles of an image: one file each, by a number in the name or in that of a folder above.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::blend_path::native;
use crate::disk_file::{DiskFile, entries_of};

/// The first and the last tile (`IMA_UDIM_MAX`, `BKE_image.hh`, Blender 5.0).
const FIRST: i64 = 1001;
const LAST: i64 = 2000;

/// The tiles that are there, and those of an image's own that are not.
pub(crate) fn files(resolved: &Path, numbers: &[i64]) -> (Vec<DiskFile>, Vec<PathBuf>) {
    let parts: Vec<&[u8]> = resolved.iter().map(OsStr::as_encoded_bytes).collect();
    let Some(form) = Form::of(&parts) else {
        return (DiskFile::at(resolved, None).into_iter().collect(), Vec::new());
    };
    // What Blender does not know of yet may be added by a script or a newer list of tiles.
    let tiles: BTreeSet<i64> = form.on_disk(&parts).into_iter().chain(numbers.to_vec()).collect();
    let (mut files, mut absent) = (Vec::new(), Vec::new());
    for tile in tiles {
        let path = form.path(&parts, tile);
        match DiskFile::at(&path, None) {
            Some(file) => files.push(file),
            None if numbers.contains(&tile) => absent.push(path),
            None => {}
        }
    }
    // Where there is none at all, the pattern itself is what is missing.
    if files.is_empty() {
        absent.clear();
    }
    (files, absent)
}

/// How the number of a tile is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `<UDIM>`: 1001 to 2000.
    Udim,
    /// `<UVTILE>`: `u1_v1`.
    UvTile,
    /// `1001` in the file's name, in files from before Blender 3.1.
    First,
}

impl Form {
    fn of(parts: &[&[u8]]) -> Option<Self> {
        let name = parts.last()?;
        [Self::Udim, Self::UvTile]
            .into_iter()
            .find(|form| parts.iter().any(|part| form.split(part).is_some()))
            .or_else(|| Self::First.split(name).map(|_| Self::First))
    }

    fn token(self) -> &'static [u8] {
        match self {
            Self::Udim => b"<UDIM>",
            Self::UvTile => b"<UVTILE>",
            Self::First => b"1001",
        }
    }

    /// What stands before and behind the last token of a name.
    fn split(self, name: &[u8]) -> Option<(&[u8], &[u8])> {
        let token = self.token();
        let at = name.windows(token.len()).rposition(|window| window == token)?;
        Some((name.get(..at)?, name.get(at + token.len()..)?))
    }

    fn write(self, tile: i64) -> Vec<u8> {
        let index = tile - FIRST;
        match self {
            Self::Udim | Self::First => tile.to_string().into_bytes(),
            Self::UvTile => format!("u{}_v{}", index % 10 + 1, index / 10 + 1).into_bytes(),
        }
    }

    fn read(self, text: &[u8]) -> Option<i64> {
        let text = std::str::from_utf8(text).ok()?;
        let tile = match self {
            Self::Udim | Self::First => text.parse().ok()?,
            Self::UvTile => {
                let (u, v) = text.strip_prefix('u')?.split_once("_v")?;
                let (u, v): (i64, i64) = (u.parse().ok()?, v.parse().ok()?);
                FIRST + (u - 1) + (v - 1).checked_mul(10)?
            }
        };
        let is_one = (FIRST..=LAST).contains(&tile) && self.write(tile) == text.as_bytes();
        is_one.then_some(tile)
    }

    /// The tiles that the folder of the first token has.
    fn on_disk(self, parts: &[&[u8]]) -> Vec<i64> {
        let first = if self == Self::First { parts.len().saturating_sub(1) } else { 0 };
        let Some((depth, (head, tail))) = parts
            .iter()
            .enumerate()
            .skip(first)
            .find_map(|(depth, part)| Some((depth, self.split(part)?)))
        else {
            return Vec::new();
        };
        let above = parts.get(..depth).unwrap_or_default();
        let folder: PathBuf = above.iter().map(|part| native(part.to_vec())).collect();
        let tile = |name: &OsStr| {
            let middle = name.as_encoded_bytes().strip_prefix(head)?.strip_suffix(tail)?;
            self.read(middle)
        };
        let entries = entries_of(&folder).unwrap_or_default();
        entries.iter().filter_map(|entry| tile(&entry.file_name())).collect()
    }

    /// The path of a tile.
    fn path(self, parts: &[&[u8]], tile: i64) -> PathBuf {
        let last = parts.len().saturating_sub(1);
        let replace = |(depth, part): (usize, &&[u8])| {
            let split = self.split(part).filter(|_| self != Self::First || depth == last);
            native(match split {
                Some((head, tail)) => [head, &self.write(tile), tail].concat(),
                None => part.to_vec(),
            })
        };
        parts.iter().enumerate().map(replace).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(folder: &Path, pattern: &str, numbers: &[i64]) -> (Vec<String>, Vec<String>) {
        let (files, absent) = files(&folder.join(pattern), numbers);
        let below = |path: &Path| path.strip_prefix(folder).unwrap().display().to_string();
        (
            files.iter().map(|file| below(&file.path)).collect(),
            absent.iter().map(|path| below(path)).collect(),
        )
    }

    #[test]
    fn tiles_are_found_by_any_form_of_their_number_and_holes_are_named() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.1001.png", "a.1012.png", "a.0999.png", "a.10010.png", "b_u2_v1.png"] {
            std::fs::write(folder.path().join(name), "x").unwrap();
        }
        for tile in ["1001", "1002"] {
            std::fs::create_dir(folder.path().join(tile)).unwrap();
            std::fs::write(folder.path().join(tile).join(format!("c.{tile}.png")), "x").unwrap();
        }
        let strings = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        for (pattern, numbers, files, absent) in [
            ("a.<UDIM>.png", &[][..], &["a.1001.png", "a.1012.png"][..], &[][..]),
            ("a.1001.png", &[1001, 1002], &["a.1001.png", "a.1012.png"], &["a.1002.png"]),
            ("b_<UVTILE>.png", &[1001, 1002], &["b_u2_v1.png"], &["b_u1_v1.png"]),
            ("<UDIM>/c.<UDIM>.png", &[1001], &["1001/c.1001.png", "1002/c.1002.png"], &[]),
            ("gone.<UDIM>.png", &[1001], &[], &[]),
        ] {
            let expected: (Vec<String>, Vec<String>) = (strings(files), strings(absent));
            assert_eq!(found(folder.path(), pattern, numbers), expected, "{pattern}");
        }
    }
}
