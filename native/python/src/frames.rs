use std::path::PathBuf;

use frames::{PlannedTile, SampleSlice, Tile};
use pyo3::prelude::*;

use crate::error::frames_error;

/// Two sides of a rectangle, or its place, in pixels.
type Pixels = (usize, usize);

#[pyfunction]
pub(crate) fn merge_tiles(
    py: Python<'_>,
    tiles: Vec<(PathBuf, Pixels, Pixels, Pixels, Pixels)>,
    size: Pixels,
    frame: PathBuf,
) -> PyResult<()> {
    let tiles: Vec<_> = tiles
        .into_iter()
        .map(|(path, position, size, rendered_position, rendered_size)| Tile {
            path,
            place: PlannedTile { position, size, rendered_position, rendered_size },
        })
        .collect();
    py.detach(move || frames::merge_tiles(&tiles, size, &frame))
        .map_err(|error| frames_error(&error))
}

#[pyfunction]
#[pyo3(signature = (size, count, *, adaptive_tile_size=None))]
pub(crate) fn plan_tiles(
    size: Pixels,
    count: usize,
    adaptive_tile_size: Option<usize>,
) -> Vec<(Pixels, Pixels, Pixels, Pixels)> {
    let tiles = match adaptive_tile_size {
        Some(tile_size) => frames::plan_adaptive_tiles(size, count, tile_size),
        None => frames::plan_tiles(size, count, 0),
    };
    tiles
        .into_iter()
        .map(|tile| (tile.position, tile.size, tile.rendered_position, tile.rendered_size))
        .collect()
}

#[pyfunction]
pub(crate) fn slice_metadata(py: Python<'_>, slice: PathBuf) -> PyResult<Vec<(String, String)>> {
    py.detach(move || frames::metadata(&slice)).map_err(|error| frames_error(&error))
}

#[pyfunction]
#[pyo3(signature = (slices, frame, *, views=Vec::new()))]
pub(crate) fn merge_samples(
    py: Python<'_>,
    slices: Vec<(PathBuf, u32, u32)>,
    frame: PathBuf,
    views: Vec<String>,
) -> PyResult<()> {
    let slices: Vec<_> = slices
        .into_iter()
        .map(|(path, first_sample, samples)| SampleSlice { path, first_sample, samples })
        .collect();
    py.detach(move || frames::merge_samples(&slices, &views, &frame))
        .map_err(|error| frames_error(&error))
}
