use std::path::PathBuf;

use farm::UploadProgress;
use farm::submission::{self, Event, Request};
use protocol::{
    BlenderVersion, FrameRange, FrameSet, JobId, OutputFolder, OutputNaming, PackPath,
    ProtocolError,
};
use pyo3::prelude::*;
use scene::{MissingFile, PaintedImage, UnbakedSimulation};

use crate::connection::PyFarmSettings;
use crate::error::value_error;
use crate::task::EventTask;
use crate::trace::color_config;

#[pyfunction]
pub(crate) fn new_job_id() -> String {
    JobId::now().to_string()
}

#[pyclass(name = "MissingFile", frozen, get_all)]
#[derive(Debug)]
pub(crate) struct PyMissingFile {
    kind: &'static str,
    datablock_type: &'static str,
    datablock: String,
    path: PathBuf,
    blend_file: PathBuf,
}

impl From<MissingFile> for PyMissingFile {
    fn from(file: MissingFile) -> Self {
        let MissingFile { kind, datablock_type, datablock, path, blend_file } = file;
        Self { kind, datablock_type, datablock, path, blend_file }
    }
}

#[pyclass(name = "UnbakedSimulation", frozen, get_all)]
#[derive(Debug)]
pub(crate) struct PyUnbakedSimulation {
    datablock_type: &'static str,
    datablock: String,
    simulation: &'static str,
}

impl From<UnbakedSimulation> for PyUnbakedSimulation {
    fn from(unbaked: UnbakedSimulation) -> Self {
        let UnbakedSimulation { datablock_type, datablock, simulation } = unbaked;
        Self { datablock_type, datablock, simulation }
    }
}

#[pyclass(name = "UploadProgress", frozen, get_all, from_py_object)]
#[derive(Debug, Clone)]
pub(crate) struct PyUploadProgress {
    found_files: u64,
    found_bytes: u64,
    hashed_files: u64,
    hashed_bytes: u64,
    skipped_files: u64,
    skipped_bytes: u64,
    sent_files: u64,
    sent_bytes: u64,
    bytes_per_second: f64,
    seconds_left: Option<f64>,
}

impl From<UploadProgress> for PyUploadProgress {
    fn from(progress: UploadProgress) -> Self {
        let UploadProgress {
            found_files,
            found_bytes,
            hashed_files,
            hashed_bytes,
            skipped_files,
            skipped_bytes,
            sent_files,
            sent_bytes,
            bytes_per_second,
            seconds_left,
        } = progress;
        Self {
            found_files,
            found_bytes,
            hashed_files,
            hashed_bytes,
            skipped_files,
            skipped_bytes,
            sent_files,
            sent_bytes,
            bytes_per_second,
            seconds_left,
        }
    }
}

#[pyclass(name = "SubmissionEvent", frozen)]
#[derive(Debug)]
pub(crate) enum PySubmissionEvent {
    Tracing {
        path: PathBuf,
    },
    Concerns {
        missing_files: Vec<Py<PyMissingFile>>,
        unbaked: Vec<Py<PyUnbakedSimulation>>,
        other_blender: Option<(u16, u16)>,
    },
    NotSplit {
        obstacle: String,
        message: String,
    },
    Uploading {
        progress: PyUploadProgress,
    },
    Trouble {
        message: String,
    },
    Waking {
        message: String,
    },
    Enqueueing {
        enqueued: u64,
        total: u64,
    },
    Submitted {
        job: String,
        tasks: u64,
        missing_files: usize,
        blender: (u16, u16),
    },
}

impl PySubmissionEvent {
    fn from_rust(py: Python<'_>, event: Event) -> PyResult<Self> {
        Ok(match event {
            Event::Tracing { path } => Self::Tracing { path },
            Event::Concerns { missing_files, unbaked, other_blender } => Self::Concerns {
                other_blender,
                missing_files: missing_files
                    .into_iter()
                    .map(|file| Py::new(py, PyMissingFile::from(file)))
                    .collect::<PyResult<_>>()?,
                unbaked: unbaked
                    .into_iter()
                    .map(|one| Py::new(py, PyUnbakedSimulation::from(one)))
                    .collect::<PyResult<_>>()?,
            },
            Event::NotSplit { obstacle } => Self::NotSplit {
                obstacle: obstacle.name().to_owned(),
                message: obstacle.to_string(),
            },
            Event::Uploading(progress) => Self::Uploading { progress: progress.into() },
            Event::Trouble { message } => Self::Trouble { message },
            Event::Waking { message } => Self::Waking { message },
            Event::Enqueueing(progress) => {
                Self::Enqueueing { enqueued: progress.enqueued, total: progress.total }
            }
            Event::Submitted { job, tasks, missing_files, blender } => {
                Self::Submitted { job: job.to_string(), tasks, missing_files, blender }
            }
        })
    }
}

/// The name of an image, a file with its pixels, and their colour space.
pub(crate) type Painted = (String, PathBuf, Option<String>);

pub(crate) fn painted_images(painted: Vec<Painted>) -> Vec<PaintedImage> {
    painted
        .into_iter()
        .map(|(name, file, color_space)| PaintedImage { name, file, color_space })
        .collect()
}

#[pyclass(name = "Submission", frozen)]
#[derive(Debug)]
pub(crate) struct PySubmission(EventTask<Event>);

#[pymethods]
impl PySubmission {
    #[new]
    #[pyo3(signature = (
        settings, *, job, blend_file, as_path, name, frames, output_template, blender_version,
        scene=None, allow_scripts=false, allow_missing_files=false, allow_unbaked=false,
        allow_other_blender=false, slices=None, allow_other_noise=false,
        painted=Vec::new(), kept_frames=Vec::new(), keeps_files=false, output_folders=Vec::new(),
        is_still=false, is_session=false
    ))]
    #[expect(
        clippy::too_many_arguments,
        clippy::fn_params_excessive_bools,
        reason = "keyword arguments of the Python constructor"
    )]
    fn new(
        settings: &PyFarmSettings,
        job: &str,
        blend_file: PathBuf,
        as_path: PathBuf,
        name: String,
        frames: (i32, i32, u32),
        output_template: String,
        blender_version: (u16, u16, u16),
        scene: Option<String>,
        allow_scripts: bool,
        allow_missing_files: bool,
        allow_unbaked: bool,
        allow_other_blender: bool,
        slices: Option<u32>,
        allow_other_noise: bool,
        painted: Vec<Painted>,
        kept_frames: Vec<i32>,
        keeps_files: bool,
        output_folders: Vec<(String, String)>,
        is_still: bool,
        is_session: bool,
    ) -> PyResult<Self> {
        let (first, last, step) = frames;
        let range = FrameRange { first, last, step };
        range.validate().map_err(|error| value_error(&error))?;
        let frames = FrameSet::without(range, kept_frames);
        frames.validate().map_err(|error| value_error(&error))?;
        let (major, minor, patch) = blender_version;
        let request = Request {
            job: job.parse().map_err(|error| value_error(&error))?,
            blend_file,
            painted: painted_images(painted),
            as_path,
            is_session,
            name,
            scene,
            frames,
            is_still,
            output: OutputNaming {
                template: output_template,
                keeps_files,
                folders: output_folders
                    .into_iter()
                    .map(|(written, place)| {
                        Ok(OutputFolder { written, place: PackPath::try_from(place)? })
                    })
                    .collect::<Result<_, ProtocolError>>()
                    .map_err(|error| value_error(&error))?,
            },
            blender_version: BlenderVersion(major, minor, patch),
            slices,
            allow_other_noise,
            allow_scripts,
            allow_missing_files,
            allow_unbaked,
            allow_other_blender,
            color_config: color_config(),
        };
        let settings = settings.to_rust();
        let task = EventTask::spawn(move |sender| async move {
            submission::run(&settings, request, |event| {
                let _ = sender.send(Ok(event));
            })
            .await
        })?;
        Ok(Self(task))
    }

    fn poll(&self, py: Python<'_>) -> PyResult<Vec<PySubmissionEvent>> {
        let events = self.0.poll()?;
        events.into_iter().map(|event| PySubmissionEvent::from_rust(py, event)).collect()
    }

    #[getter]
    fn is_over(&self) -> bool {
        self.0.is_over()
    }

    fn stop(&self) {
        self.0.stop();
    }
}
