use std::path::PathBuf;

use pyo3::prelude::*;
use scene::{Dependency, RenderSettings, SplitObstacle, TraceSource};

use crate::error::scene_error;

#[pyclass(name = "Dependency", frozen, get_all)]
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct PyDependency {
    kind: &'static str,
    datablock_type: &'static str,
    datablock: String,
    library_chain: Vec<PathBuf>,
    written: Vec<u8>,
    path: PathBuf,
    files: Vec<PathBuf>,
    file_sizes: Vec<u64>,
    frames: Option<(i64, i64)>,
    missing: bool,
    missing_files: Vec<PathBuf>,
    used: bool,
    required: bool,
    packed: bool,
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
            files: dependency.files.iter().map(|file| file.path.clone()).collect(),
            file_sizes: dependency.files.iter().map(|file| file.size_bytes).collect(),
            frames: dependency.frame_range(),
            missing: dependency.is_missing(),
            missing_files: dependency.missing_paths().to_vec(),
            used: dependency.is_used,
            required: dependency.is_required,
            packed: dependency.is_packed(),
        }
    }
}

/// The colour configuration that a Blender with this environment uses instead of its own.
pub(crate) fn color_config() -> Option<PathBuf> {
    std::env::var_os("OCIO").map(PathBuf::from)
}

#[pyfunction]
#[pyo3(signature = (blend_file, scene=None))]
pub(crate) fn split_obstacle(
    py: Python<'_>,
    blend_file: PathBuf,
    scene: Option<&str>,
) -> PyResult<Option<(&'static str, String)>> {
    let found = py.detach(|| {
        let scene = RenderSettings::read(&blend_file, scene)?.scene;
        let (file, as_path) = (blend_file.clone(), blend_file);
        let source = TraceSource { file, as_path, scene: Some(scene), ..TraceSource::default() };
        Ok(scene::trace(&source, |_| {})?.split_obstacle())
    });
    let found: Option<SplitObstacle> = found.map_err(|error| scene_error(&error))?;
    Ok(found.map(|obstacle| (obstacle.name(), obstacle.to_string())))
}

#[pyfunction]
#[pyo3(signature = (blend_file, as_path=None))]
pub(crate) fn trace(
    py: Python<'_>,
    blend_file: PathBuf,
    as_path: Option<PathBuf>,
) -> PyResult<Vec<PyDependency>> {
    let as_path = as_path.unwrap_or_else(|| blend_file.clone());
    let source = TraceSource {
        file: blend_file,
        as_path,
        color_config: color_config(),
        ..TraceSource::default()
    };
    let traced =
        py.detach(|| scene::trace(&source, |_| {})).map_err(|error| scene_error(&error))?;
    Ok(traced.dependencies().iter().map(PyDependency::from).collect())
}
