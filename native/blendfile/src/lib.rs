//! Reads and rewrites `.blend` files without Blender.
//!
//! The file is indexed by its block headers; payloads stay on disk until they are asked for.
//! Struct fields are found by the file's own DNA, so one reader serves every Blender version.
//!
//! **Trust boundary:** a `.blend` file is untrusted. Every size, count and offset is checked
//! against the file and against the constants in [`limits`]; damage gives a [`BlendError`] that
//! names the file, the offset, what was expected and what was found. Nothing here panics on input.
//!
//! The layout tables and their sources are in `docs/blend-format.md`.

mod block;
mod datablock_pointers;
mod dna;
mod error;
mod file;
mod header;
mod index;
pub mod limits;
mod payload;
mod place;
mod rewrite;
mod seekable;
mod source;
mod view;
mod window;

pub use block::{Block, BlockCode};
pub use dna::{DatablockPointer, Dna, DnaCache, Field, Struct};
pub use error::{BlendError, Result};
pub use file::BlendFile;
pub use header::{BlockHeaderForm, ByteOrder, Header, PointerWidth};
pub use payload::Payload;
pub use place::{CharArray, Integer, Pointer};
pub use rewrite::Rewrite;
pub use source::Compression;
pub use view::StructView;
