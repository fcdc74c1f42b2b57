//! Slices of a frame that were rendered by many workers, put together again: tiles of its pixels, or
//! parts of its samples.
//!
//! A slice is an `OpenEXR` file with all passes in one part, as 32-bit floats. Memory is bounded by one
//! block of rows, however many slices there are.

mod canvas;
mod cryptomatte;
mod error;
mod grid;
mod layout;
mod pass;
mod preview;
mod samples;
mod slice;
mod sums;
mod tiles;
mod writer;

use std::path::Path;

pub use canvas::PreviewCanvas;
pub use error::FramesError;
pub use grid::{PlannedTile, least_adaptive_tiles, plan_adaptive_tiles, plan_tiles};
pub use preview::{MOST_PREVIEW_BYTES, MOST_PREVIEW_PIXELS, preview_of_tile};
pub use samples::{SampleSlice, merge_samples};
pub use tiles::{Tile, merge_tiles};

/// The texts that Cycles has written into a slice for whoever reads the frame: what is in a
/// Cryptomatte, how many samples there are.
///
/// # Errors
/// [`FramesError`] where it is no slice.
pub fn metadata(slice: &Path) -> Result<Vec<(String, String)>, FramesError> {
    Ok(slice::SliceReader::open(slice)?.metadata())
}
