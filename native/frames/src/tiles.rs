//! A frame of tiles: each pixel is in one of them.

use std::path::{Path, PathBuf};

use crate::error::{FramesError, Result};
use crate::grid::PlannedTile;
use crate::slice::{Rows, SliceReader};
use crate::writer;

/// A slice that is a tile, with a margin that was rendered around it and is not used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tile {
    /// The slice: an `OpenEXR` file of one part.
    pub path: PathBuf,
    /// Where it belongs, and what was rendered for it.
    pub place: PlannedTile,
}

/// Puts tiles together to a frame of a size in pixels, and writes it.
///
/// Of each tile one block of rows is in memory, and only while the rows at hand are in it.
///
/// # Errors
/// [`FramesError::Plan`] where the tiles leave a pixel open or overlap, [`FramesError::Misfit`] or
/// [`FramesError::Damaged`] where a slice is not what it should be, [`FramesError::Io`].
pub fn merge_tiles(tiles: &[Tile], size: (usize, usize), frame: &Path) -> Result<()> {
    check_plan(tiles, size)?;
    let mut open = tiles.iter().map(OpenTile::open).collect::<Result<Vec<_>>>()?;
    let Some(first) = open.first() else {
        return Err(FramesError::Plan { reason: "there are none".into() });
    };
    let like = first.slice.header().clone();
    for tile in &open {
        if tile.slice.header().channels != like.channels {
            return Err(FramesError::Misfit {
                path: tile.slice.path().to_owned(),
                expected: format!("{} channels, those of the others", like.channels.list.len()),
                got: format!("{} channels", tile.slice.header().channels.list.len()),
            });
        }
    }
    let channels = like.channels.list.len();
    writer::write(frame, size, &like, |first_row, rows| {
        let mut samples = vec![0.0; rows * channels * size.0];
        for (number, line) in samples.chunks_exact_mut(channels * size.0).enumerate() {
            for tile in &mut open {
                tile.copy_row(first_row + number, size.0, line)?;
            }
        }
        Ok(samples)
    })
}

struct OpenTile<'tile> {
    tile: &'tile Tile,
    slice: SliceReader,
    rows: Option<Rows>,
}

impl<'tile> OpenTile<'tile> {
    fn open(tile: &'tile Tile) -> Result<Self> {
        let slice = SliceReader::open(&tile.path)?;
        let has = slice.header().layer_size;
        let needs = tile.place.rendered_size;
        if (has.width(), has.height()) != needs {
            return Err(FramesError::Misfit {
                path: tile.path.clone(),
                expected: format!("{} × {} pixels", needs.0, needs.1),
                got: format!("{} × {}", has.width(), has.height()),
            });
        }
        Ok(Self { tile, slice, rows: None })
    }

    /// Copies what this tile has of a row of the frame.
    fn copy_row(&mut self, row: usize, frame_width: usize, line: &mut [f32]) -> Result<()> {
        let tile = self.tile;
        let Some(inside) =
            row.checked_sub(tile.place.position.1).filter(|inside| *inside < tile.place.size.1)
        else {
            return Ok(());
        };
        let margin = tile.place.margin();
        let wanted = inside + margin.1;
        let width = self.slice.header().layer_size.width();
        let channels = self.slice.header().channels.list.len();
        while self.rows.as_ref().is_none_or(|rows| wanted >= rows.first + rows.count) {
            self.rows = None;
            self.rows = Some(self.slice.next_rows()?.ok_or_else(|| FramesError::Damaged {
                path: tile.path.clone(),
                reason: format!("it ends before row {wanted}"),
            })?);
        }
        let Some(rows) = &self.rows else { return Ok(()) };
        let row_samples = channels * width;
        let from = rows.samples.chunks_exact(row_samples).nth(wanted.saturating_sub(rows.first));
        let from = from.into_iter().flat_map(|samples| samples.chunks_exact(width));
        for (from, to) in from.zip(line.chunks_exact_mut(frame_width)) {
            let from = from.get(margin.0..margin.0 + tile.place.size.0);
            let to = to.get_mut(tile.place.position.0..tile.place.position.0 + tile.place.size.0);
            if let (Some(from), Some(to)) = (from, to) {
                to.copy_from_slice(from);
            }
        }
        if inside + 1 == tile.place.size.1 {
            // Nothing more of it is needed.
            self.rows = None;
        }
        Ok(())
    }
}

/// Checks that each pixel of the frame is in one tile.
fn check_plan(tiles: &[Tile], (width, height): (usize, usize)) -> Result<()> {
    let wrong = |reason: String| Err(FramesError::Plan { reason });
    let mut covered = 0_usize;
    for (number, tile) in tiles.iter().enumerate() {
        let right = tile.place.position.0.saturating_add(tile.place.size.0);
        let bottom = tile.place.position.1.saturating_add(tile.place.size.1);
        if tile.place.size.0 == 0 || tile.place.size.1 == 0 || right > width || bottom > height {
            return wrong(format!("tile {number} lies outside of {width} × {height} pixels"));
        }
        let overlaps = |other: &Tile| {
            other.place.position.0 < right
                && tile.place.position.0 < other.place.position.0 + other.place.size.0
                && other.place.position.1 < bottom
                && tile.place.position.1 < other.place.position.1 + other.place.size.1
        };
        if let Some(other) = tiles.iter().take(number).position(overlaps) {
            return wrong(format!("tiles {other} and {number} overlap"));
        }
        covered += tile.place.size.0 * tile.place.size.1;
    }
    if covered != width.saturating_mul(height) {
        return wrong(format!("they cover {covered} of {} pixels", width * height));
    }
    Ok(())
}
