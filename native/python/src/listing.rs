use farm::{Farm, Retry};
use protocol::BlenderVersion;
use pyo3::prelude::*;

use crate::connection::PyFarmSettings;
use crate::error::value_error;
use crate::job::PyProgress;
use crate::runtime::wait;

#[pyclass(name = "ListedJob", frozen, get_all)]
#[derive(Debug)]
pub(crate) struct PyListedJob {
    id: String,
    name: String,
    created_ms: u64,
    frames: (i32, i32, u32),
    scene: Option<String>,
    output_template: String,
    blender_version: (u16, u16, u16),
    progress: PyProgress,
}

#[pyfunction]
#[pyo3(signature = (settings, *, limit=20))]
pub(crate) fn list_jobs(
    py: Python<'_>,
    settings: &PyFarmSettings,
    limit: usize,
) -> PyResult<Vec<PyListedJob>> {
    let settings = settings.to_rust();
    let listed = wait(py, async move {
        let farm = Farm::connect(&settings).await?;
        farm::list_jobs(&farm.storage, limit, farm.consumer_memory_mib).await
    })?;
    let listed = listed.into_iter().map(|(job, progress)| {
        let BlenderVersion(major, minor, patch) = job.blender_version;
        PyListedJob {
            id: job.id.to_string(),
            created_ms: job.id.created_ms(),
            name: job.name,
            frames: (job.frames.first, job.frames.last, job.frames.step),
            scene: job.scene,
            output_template: job.output.template,
            blender_version: (major, minor, patch),
            progress: progress.into(),
        }
    });
    Ok(listed.collect())
}

#[pyfunction]
pub(crate) fn cancel_job(py: Python<'_>, settings: &PyFarmSettings, job: &str) -> PyResult<()> {
    let id = job.parse().map_err(|error| value_error(&error))?;
    let settings = settings.to_rust();
    wait(py, async move {
        let farm = Farm::connect(&settings).await?;
        farm::read_job(&farm.storage, id).await?;
        farm::cancel(&settings, id).await
    })
}

#[pyfunction]
pub(crate) fn pause_job(py: Python<'_>, settings: &PyFarmSettings, job: &str) -> PyResult<bool> {
    let id = job.parse().map_err(|error| value_error(&error))?;
    let settings = settings.to_rust();
    wait(py, async move { farm::pause(&settings, id).await })
}

#[pyfunction]
pub(crate) fn remove_job(py: Python<'_>, settings: &PyFarmSettings, job: &str) -> PyResult<()> {
    let id = job.parse().map_err(|error| value_error(&error))?;
    let settings = settings.to_rust();
    wait(py, async move { farm::remove(&settings, id).await })
}

#[pyfunction]
#[pyo3(signature = (settings, job, *, missing=false))]
pub(crate) fn retry_job(
    py: Python<'_>,
    settings: &PyFarmSettings,
    job: &str,
    missing: bool,
) -> PyResult<u64> {
    let id = job.parse().map_err(|error| value_error(&error))?;
    let settings = settings.to_rust();
    let which = if missing { Retry::Missing } else { Retry::Failed };
    wait(py, async move { farm::retry(&settings, id, which).await })
}
