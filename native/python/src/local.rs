use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use farm::{FarmError, Result};
use protocol::{FrameRange, OutputNaming};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use scene::path_template;
use scene::{
    BlenderCommand, PackPlan, PackProgress, Problem, RenderSettings, SplitObstacle, Trace,
    TraceSource,
};

use crate::error::scene_error;
use crate::submission::{Painted, PyMissingFile, painted_images};
use crate::task::{EventTask, Sender};
use crate::trace::color_config;

enum Event {
    Tracing(PathBuf),
    MissingFiles(Vec<scene::MissingFile>),
    Writing(PackProgress),
    Written { files: u64, bytes: u64, blend_file: String, rewritten: usize },
    Opening,
    NotSplit(SplitObstacle),
    Verified(Vec<Problem>),
}

#[pyclass(name = "Problem", frozen, get_all)]
#[derive(Debug)]
pub(crate) struct PyProblem {
    kind: &'static str,
    datablock_type: String,
    datablock: String,
    library: String,
    path: String,
}

impl From<Problem> for PyProblem {
    fn from(problem: Problem) -> Self {
        let Problem { kind, datablock_type, datablock, library, path, .. } = problem;
        Self { kind: kind.as_str(), datablock_type, datablock, library, path }
    }
}

#[pyclass(name = "LocalPackEvent", frozen)]
#[derive(Debug)]
pub(crate) enum PyLocalPackEvent {
    Tracing { path: PathBuf },
    MissingFiles { files: Vec<Py<PyMissingFile>> },
    Writing { files_done: u64, files_total: u64, bytes_done: u64, bytes_total: u64 },
    Written { files: u64, bytes: u64, blend_file: String, rewritten: usize },
    Opening(),
    NotSplit { obstacle: String, message: String },
    Verified { problems: Vec<Py<PyProblem>> },
}

impl PyLocalPackEvent {
    fn from_rust(py: Python<'_>, event: Event) -> PyResult<Self> {
        Ok(match event {
            Event::Tracing(path) => Self::Tracing { path },
            Event::MissingFiles(files) => Self::MissingFiles {
                files: files
                    .into_iter()
                    .map(|file| Py::new(py, PyMissingFile::from(file)))
                    .collect::<PyResult<_>>()?,
            },
            Event::Writing(PackProgress { files_done, files_total, bytes_done, bytes_total }) => {
                Self::Writing { files_done, files_total, bytes_done, bytes_total }
            }
            Event::Written { files, bytes, blend_file, rewritten } => {
                Self::Written { files, bytes, blend_file, rewritten }
            }
            Event::Opening => Self::Opening(),
            Event::NotSplit(obstacle) => Self::NotSplit {
                obstacle: obstacle.name().to_owned(),
                message: obstacle.to_string(),
            },
            Event::Verified(problems) => Self::Verified {
                problems: problems
                    .into_iter()
                    .map(|problem| Py::new(py, PyProblem::from(problem)))
                    .collect::<PyResult<_>>()?,
            },
        })
    }
}

#[pyclass(name = "LocalPack", frozen)]
pub(crate) struct PyLocalPack {
    task: EventTask<Event>,
    is_stopped: Arc<AtomicBool>,
}

#[pymethods]
impl PyLocalPack {
    #[new]
    #[pyo3(signature = (
        blend_file, to, *, as_path=None, allow_missing_files=false, frames=None,
        painted=Vec::new(), is_session=false
    ))]
    fn new(
        blend_file: PathBuf,
        to: PathBuf,
        as_path: Option<PathBuf>,
        allow_missing_files: bool,
        frames: Option<(i32, i32, u32)>,
        painted: Vec<Painted>,
        is_session: bool,
    ) -> PyResult<Self> {
        Self::spawn(move |work| {
            let frames = frames.map(|(first, last, step)| FrameRange { first, last, step });
            let mut source = TraceSource { frames, is_session, ..source(blend_file, as_path) };
            let copies = temporary_folder()?;
            source.file = Work::shown(source.file, painted, copies.path())?;
            let traced = work.trace(&source)?;
            if traced.missing_files().is_empty() || allow_missing_files {
                work.pack(&traced, &to)?;
            }
            Ok(())
        })
    }

    #[staticmethod]
    #[pyo3(signature = (
        blend_file, blender, *, as_path=None, scene=None, allow_scripts=false, painted=Vec::new(),
        limit_seconds=600
    ))]
    fn verify(
        blend_file: PathBuf,
        blender: PathBuf,
        as_path: Option<PathBuf>,
        scene: Option<String>,
        allow_scripts: bool,
        painted: Vec<Painted>,
        limit_seconds: u64,
    ) -> PyResult<Self> {
        let limit = Duration::from_secs(limit_seconds);
        let blender = BlenderCommand { program: blender, limit };
        Self::spawn(move |work| {
            let scene = RenderSettings::read(&blend_file, scene.as_deref())?.scene;
            let scene = Some(scene);
            let mut source = TraceSource { scene, allow_scripts, ..source(blend_file, as_path) };
            let folder = temporary_folder()?;
            // What is missing is what the artist wants to know: it is no reason to stop.
            let copies = temporary_folder()?;
            source.file = Work::shown(source.file, painted, copies.path())?;
            let traced = work.trace(&source)?;
            if let Some(obstacle) = traced.split_obstacle() {
                work.say(Event::NotSplit(obstacle));
            }
            let plan = work.pack(&traced, folder.path())?;
            work.say(Event::Opening);
            let opened = scene::verify(&blender, folder.path(), &plan, || work.is_wanted())?;
            let scripts = traced.disabled_scripts().iter().map(Problem::from);
            let unbaked = traced.unbaked_simulations().iter().map(Problem::from);
            let problems = scripts.chain(unbaked).chain(opened).collect();
            work.say(Event::Verified(problems));
            Ok(())
        })
    }

    fn poll(&self, py: Python<'_>) -> PyResult<Vec<PyLocalPackEvent>> {
        let events = self.task.poll()?;
        events.into_iter().map(|event| PyLocalPackEvent::from_rust(py, event)).collect()
    }

    #[getter]
    fn is_over(&self) -> bool {
        self.task.is_over()
    }

    fn stop(&self) {
        self.is_stopped.store(true, Ordering::Relaxed);
    }
}

impl PyLocalPack {
    fn spawn(work: impl FnOnce(&Work) -> Result<()> + Send + 'static) -> PyResult<Self> {
        let is_stopped = Arc::new(AtomicBool::new(false));
        let stopped = is_stopped.clone();
        let task = EventTask::spawn(move |sender| async move {
            let context = Work { sender, is_stopped: stopped };
            tokio::task::spawn_blocking(move || work(&context))
                .await
                .map_err(|_| FarmError::Cancelled)?
        })?;
        Ok(Self { task, is_stopped })
    }
}

impl Drop for PyLocalPack {
    fn drop(&mut self) {
        self.stop();
    }
}

struct Work {
    sender: Sender<Event>,
    is_stopped: Arc<AtomicBool>,
}

impl Work {
    /// The file to read: a copy of it that shows what was painted, where anything was.
    fn shown(file: PathBuf, painted: Vec<Painted>, copies: &Path) -> Result<PathBuf> {
        if painted.is_empty() {
            return Ok(file);
        }
        let shown = copies.join("painted.blend");
        scene::show_painted(&file, &painted_images(painted), &shown)?;
        Ok(shown)
    }

    fn trace(&self, source: &TraceSource) -> Result<Trace> {
        let traced = scene::trace(source, |path| self.say(Event::Tracing(path.to_owned())))?;
        let missing = traced.missing_files();
        if !missing.is_empty() {
            self.say(Event::MissingFiles(missing));
        }
        Ok(traced)
    }

    fn pack(&self, traced: &Trace, to: &Path) -> Result<PackPlan> {
        let copies = temporary_folder()?;
        let plan = PackPlan::new(traced, copies.path())?;
        let mut last = PackProgress::default();
        scene::write_pack(&plan, to, |progress| {
            last = progress;
            self.say(Event::Writing(progress));
            self.is_wanted()
        })?;
        self.say(Event::Written {
            files: last.files_done,
            bytes: last.bytes_done,
            blend_file: plan.blend_file.to_string(),
            rewritten: plan.rewritten,
        });
        Ok(plan)
    }

    fn say(&self, event: Event) {
        // Nobody polls any more: then nobody wants to know.
        let _ = self.sender.send(Ok(event));
    }

    fn is_wanted(&self) -> bool {
        !self.is_stopped.load(Ordering::Relaxed)
    }
}

fn temporary_folder() -> Result<tempfile::TempDir> {
    tempfile::tempdir().map_err(|source| FarmError::Io {
        action: "make a folder in",
        path: std::env::temp_dir(),
        source,
    })
}

fn source(blend_file: PathBuf, as_path: Option<PathBuf>) -> TraceSource {
    TraceSource {
        as_path: as_path.unwrap_or_else(|| blend_file.clone()),
        file: blend_file,
        color_config: color_config(),
        ..TraceSource::default()
    }
}

#[pyclass(name = "RenderSettings", frozen, get_all)]
#[derive(Debug)]
pub(crate) struct PyRenderSettings {
    scene: String,
    frames: (i32, i32, u32),
    output_folder: String,
    output_template: String,
    is_movie: bool,
    overwrites: bool,
    blender_version: (u16, u16, u16),
}

#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "a path of Python is extracted by value")]
#[pyo3(signature = (blend_file, scene=None))]
pub(crate) fn render_settings(
    py: Python<'_>,
    blend_file: PathBuf,
    scene: Option<&str>,
) -> PyResult<PyRenderSettings> {
    let read = py
        .detach(|| RenderSettings::read(&blend_file, scene))
        .map_err(|error| scene_error(&error))?;
    let output_path = resolved(&read.output_path, Some(&blend_file), read.blender_version)?;
    let (output_folder, naming) = OutputNaming::split(&output_path);
    let (major, minor) = read.blender_version;
    Ok(PyRenderSettings {
        scene: read.scene,
        frames: (read.frame_first, read.frame_last, read.frame_step),
        output_folder,
        output_template: naming.template,
        is_movie: read.is_movie,
        overwrites: read.overwrites,
        blender_version: (major, minor, 0),
    })
}

#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "a path of Python is extracted by value")]
#[pyo3(signature = (output_path, *, blend_file=None, blender_version=(5, 2)))]
pub(crate) fn split_output_path(
    output_path: &str,
    blend_file: Option<PathBuf>,
    blender_version: (u16, u16),
) -> PyResult<(String, String)> {
    let resolved = resolved(output_path, blend_file.as_deref(), blender_version)?;
    let (folder, naming) = OutputNaming::split(&resolved);
    Ok((folder, naming.template))
}

fn resolved(
    output_path: &str,
    blend_file: Option<&Path>,
    blender_version: (u16, u16),
) -> PyResult<String> {
    path_template::resolve(output_path, blend_file, blender_version).map_err(|reason| {
        let message = format!("the output path \"{output_path}\" has {reason}: change it there");
        PyValueError::new_err(message)
    })
}
