use std::path::PathBuf;

use pyo3::prelude::*;
use scene::{Dependency, TraceSource};

use crate::error::scene_error;

#[pyclass(name = "Dependency", frozen, get_all)]
#[derive(Debug)]
pub(crate) struct PyDependency {
    kind: &'static str,
    datablock_type: &'static str,
    datablock: String,
    library_chain: Vec<PathBuf>,
    written: Vec<u8>,
    path: PathBuf,
    files: Vec<PathBuf>,
    missing: bool,
    required: bool,
}

impl From<&Dependency> for PyDependency {
    fn from(dependency: &Dependency) -> Self {
        Self {
            kind: dependency.kind.as_str(),
            datablock_type: dependency.datablock_type,
            datablock: dependency.datablock.clone(),
            library_chain: dependency.library_chain.clone(),
            written: dependency.written.as_bytes().to_vec(),
            path: dependency.resolved.clone(),
            files: dependency.files.clone(),
            missing: dependency.is_missing(),
            required: dependency.is_required,
        }
    }
}

#[pyfunction]
#[pyo3(signature = (blend_file, as_path=None))]
pub(crate) fn trace(
    py: Python<'_>,
    blend_file: PathBuf,
    as_path: Option<PathBuf>,
) -> PyResult<Vec<PyDependency>> {
    let as_path = as_path.unwrap_or_else(|| blend_file.clone());
    let source = TraceSource { file: blend_file, as_path };
    let traced =
        py.detach(|| scene::trace(&source, |_| {})).map_err(|error| scene_error(&error))?;
    Ok(traced.dependencies().iter().map(PyDependency::from).collect())
}
