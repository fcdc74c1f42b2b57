use std::path::PathBuf;

use frames::{SampleSlice, Tile};
use pyo3::prelude::*;

use crate::error::frames_error;

#[pyfunction]
pub(crate) fn merge_tiles(
    py: Python<'_>,
    tiles: Vec<(PathBuf, (usize, usize), (usize, usize), (usize, usize))>,
    size: (usize, usize),
    frame: PathBuf,
) -> PyResult<()> {
    let tiles: Vec<_> = tiles
        .into_iter()
        .map(|(path, position, size, margin)| Tile { path, position, size, margin })
        .collect();
    py.detach(move || frames::merge_tiles(&tiles, size, &frame))
        .map_err(|error| frames_error(&error))
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
