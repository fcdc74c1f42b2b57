//! Turns one path into the files behind it: the frames of a sequence, what is below a folder.

use std::fs::DirEntry;
use std::path::{Path, PathBuf};

use crate::blend_path::{BlendPath, native};
use crate::cache_folder::CacheFolder;
use crate::disk_file::{DiskFile, entries_of, is_not_there};
use crate::references::referenced;
use crate::tiles;

/// Most files in one folder that is packed whole.
const MOST_FILES: usize = 1_000_000;

/// How the names of point caches end (`PTCACHE_EXT`, `BKE_pointcache.h`, Blender 5.2).
const POINT_CACHE: &[u8] = b".bphys";

/// Which files a path stands for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Expansion {
    /// One file.
    File,
    /// The numbered files that it is one of.
    Sequence,
    /// The tiles of its `<UDIM>` or `<UVTILE>`, with the numbers of those that the image has.
    Tiles(Vec<i64>),
    /// The files below a folder that Blender reads there.
    Folder(CacheFolder),
    /// Those files of a folder.
    Names(Vec<Vec<u8>>),
    /// The point caches of a folder whose names begin like that.
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
            _ => None,
        };
        let mut absent = Vec::new();
        let mut matching = |folder: &Path, number: &dyn Fn(&[u8]) -> Option<Option<i64>>| {
            matching(folder, number).unwrap_or_else(|| {
                absent.push(folder.to_owned());
                Vec::new()
            })
        };
        let mut files = match (self, &pattern, resolved.parent()) {
            (_, Some(pattern), Some(folder)) => {
                matching(folder, &|name| pattern.frame_of(name).map(Some))
            }
            (Self::Tiles(numbers), ..) => {
                let (files, missing) = tiles::files(resolved, numbers);
                absent.extend(missing);
                files
            }
            (Self::Folder(of), ..) => {
                let mut found = FilesBelow::of(*of, MOST_FILES);
                found.look(resolved, 0);
                absent.extend(found.unreadable);
                found.files
            }
            (Self::Prefix(prefix) | Self::BlendCache(prefix), ..) => matching(resolved, &|name| {
                (name.starts_with(prefix) && name.ends_with(POINT_CACHE)).then_some(None)
            }),
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
                    absent.extend(referenced.absolute);
                    let others = referenced.relative.iter();
                    let others = others.filter_map(|path| DiskFile::at(path, None));
                    std::iter::once(file).chain(others).collect()
                }
                None => Vec::new(),
            },
        };
        files.sort();
        files.dedup();
        absent.sort();
        absent.dedup();
        let names_files = matches!(self, Self::Names(_) | Self::Tiles(_) | Self::File);
        let is_unreadable = !absent.is_empty() && !names_files;
        Expanded { files, absent, is_unreadable }
    }
}

/// What a path stands for on this machine.
#[derive(Debug, Clone, Default)]
pub(crate) struct Expanded {
    /// The files that are there, sorted, each once.
    pub(crate) files: Vec<DiskFile>,
    /// Those that are named one by one and are not there, or by an absolute path in a file that cannot be
    /// rewritten, and folders that cannot be read.
    pub(crate) absent: Vec<PathBuf>,
    /// Whether there is a folder that cannot be read: nobody knows what is missing.
    pub(crate) is_unreadable: bool,
}

/// Whether a folder holds anything that Blender reads there; looks no further than the first.
pub(crate) fn holds_anything(folder: &Path, of: CacheFolder) -> bool {
    let mut found = FilesBelow::of(of, 1);
    found.look(folder, 0);
    !found.files.is_empty()
}

/// What is below a folder.
struct FilesBelow {
    of: CacheFolder,
    /// How many files are enough.
    most: usize,
    files: Vec<DiskFile>,
    /// Folders whose content nobody may see.
    unreadable: Vec<PathBuf>,
    /// The folders on the way here, as they are without links.
    way: Vec<PathBuf>,
}

impl FilesBelow {
    fn of(of: CacheFolder, most: usize) -> Self {
        Self { of, most, files: Vec::new(), unreadable: Vec::new(), way: Vec::new() }
    }

    /// Follows links to folders too, unless they lead back.
    fn look(&mut self, folder: &Path, level: usize) {
        let (real, entries) = match (folder.canonicalize(), entries_of(folder)) {
            (Ok(real), Some(entries)) => (real, entries),
            (Err(error), _) if is_not_there(&error) => return,
            _ => {
                self.unreadable.push(folder.to_owned());
                return;
            }
        };
        if level > self.of.levels() || self.way.contains(&real) {
            return;
        }
        self.way.push(real);
        for entry in entries {
            if self.files.len() >= self.most {
                break;
            }
            let path = entry.path();
            match entry.file_type() {
                Ok(kind) if kind.is_dir() || (kind.is_symlink() && path.is_dir()) => {
                    self.look(&path, level + 1);
                }
                Ok(_) if self.of.holds(&path) => self.files.extend(DiskFile::at(&path, None)),
                _ => {}
            }
        }
        self.way.pop();
    }
}

/// A file name with the number of a frame in the middle.
#[derive(Debug, PartialEq, Eq)]
struct Pattern {
    head: Vec<u8>,
    tail: Vec<u8>,
    digits: usize,
}

/// The file of a sequence with another number.
pub(crate) fn numbered(resolved: &Path, number: i64) -> Option<PathBuf> {
    let pattern = sequence_pattern(resolved.file_name()?.as_encoded_bytes())?;
    let digits = format!("{number:0width$}", width = pattern.digits);
    let name = [pattern.head.as_slice(), digits.as_bytes(), &pattern.tail].concat();
    Some(resolved.with_file_name(native(name)))
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
        digits: end - start,
    })
}

impl Pattern {
    /// The frame of a name that is one of these: of as many digits, or of more where it needs them.
    fn frame_of(&self, name: &[u8]) -> Option<i64> {
        let middle = name.strip_prefix(&*self.head)?.strip_suffix(&*self.tail)?;
        let is_frame = !middle.is_empty()
            && middle.iter().all(u8::is_ascii_digit)
            && (middle.len() == self.digits
                || (middle.len() > self.digits && middle.first() != Some(&b'0')));
        std::str::from_utf8(middle).ok().filter(|_| is_frame)?.parse().ok()
    }
}

/// The files of a folder whose names match; `None` where it cannot be read.
fn matching(folder: &Path, number: &dyn Fn(&[u8]) -> Option<Option<i64>>) -> Option<Vec<DiskFile>> {
    let file = |entry: DirEntry| {
        let frame = number(entry.file_name().as_encoded_bytes())?;
        DiskFile::at(&entry.path(), frame)
    };
    Some(entries_of(folder)?.into_iter().filter_map(file).collect())
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
            assert_eq!(pattern.frame_of(name.as_bytes()).is_some(), is_frame, "{name}");
        }
        assert_eq!(pattern.frame_of(b"sh010_fire.0012.j2k"), Some(12));
        assert_eq!(sequence_pattern(b"wood.png"), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_of_caches_goes_on_behind_links_and_not_in_circles() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let (bake, disk) = (folder.path().join("bake"), folder.path().join("disk"));
        std::fs::create_dir(&bake).unwrap();
        std::fs::create_dir(&disk).unwrap();
        std::fs::write(disk.join("0001.vdb"), "x").unwrap();
        symlink(&disk, bake.join("data")).unwrap();
        symlink(&bake, disk.join("back")).unwrap();
        let found = Expansion::Folder(CacheFolder::Settings).files(&bake);
        let paths: Vec<_> = found.files.into_iter().map(|file| file.path).collect();
        assert_eq!(paths, [bake.join("data/0001.vdb")]);
        assert!(!found.is_unreadable);
        assert!(
            !Expansion::Folder(CacheFolder::Settings)
                .files(&folder.path().join("nothing"))
                .is_unreadable
        );
        // What cannot be read is not the same as what is not there.
        let circle = folder.path().join("circle");
        symlink(&circle, &circle).unwrap();
        for expansion in [Expansion::Folder(CacheFolder::Settings), Expansion::Prefix(Vec::new())] {
            let found = expansion.files(&circle);
            assert!(found.is_unreadable && found.absent == [circle.clone()]);
        }
    }
}
