use std::path::PathBuf;

use pyo3::prelude::*;

use crate::error::preview_error;

#[pyfunction]
pub(crate) fn make_preview(
    py: Python<'_>,
    frame: PathBuf,
    folder: PathBuf,
    name: &str,
    most_pixels: u32,
) -> PyResult<PathBuf> {
    py.detach(move || preview::make(&frame, &folder, name, most_pixels))
        .map_err(|error| preview_error(&error))
}
