//! One small function a datablock type: which paths it holds, and what they mean.
//!
//! To support another type, write its function and add one line to [`readers`].

mod image;
mod library;
mod single;

use blendfile::{BlockCode, StructView};

use crate::dependency::DependencyKind;

/// A path that a datablock holds.
#[derive(Debug, Clone)]
pub(crate) struct PathField {
    /// What it points to.
    pub(crate) kind: DependencyKind,
    /// The char array that holds it, as a path of fields.
    pub(crate) field: &'static str,
    /// Whether it stands for a numbered sequence of files.
    pub(crate) is_sequence: bool,
}

/// Reads the paths of one datablock; none where its data is packed into the file.
pub(crate) type Reader = fn(&StructView<'_>) -> Vec<PathField>;

/// A datablock type that can ask for files.
pub(crate) struct DatablockType {
    /// The code of its blocks.
    pub(crate) code: BlockCode,
    /// Its name in Blender.
    pub(crate) name: &'static str,
    /// Its function.
    pub(crate) reader: Reader,
}

/// Every datablock type that can ask for files.
pub(crate) const fn readers() -> [DatablockType; 7] {
    const fn of(letters: [u8; 2], name: &'static str, reader: Reader) -> DatablockType {
        DatablockType { code: BlockCode::datablock(letters), name, reader }
    }
    [
        of(*b"LI", "Library", library::read),
        of(*b"IM", "Image", image::read),
        of(*b"SO", "Sound", single::sound),
        of(*b"VF", "Font", single::font),
        of(*b"MC", "MovieClip", single::movie_clip),
        of(*b"CF", "CacheFile", single::cache_file),
        of(*b"VO", "Volume", single::volume),
    ]
}

/// The first of some fields that the file's DNA knows: names differ between versions.
fn first_known(view: &StructView<'_>, fields: &[&'static str]) -> Option<&'static str> {
    fields.iter().find(|field| view.field(field).is_some()).copied()
}

/// Whether any of some pointers is set.
fn any_set(view: &StructView<'_>, pointers: &[&str]) -> bool {
    pointers.iter().any(|pointer| view.pointer(pointer).is_some_and(|address| address != 0))
}
