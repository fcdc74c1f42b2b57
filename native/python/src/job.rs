use std::path::PathBuf;

use farm::watch::{self, Event, OutputFolders};
use farm::{FarmSettings, Progress, Retry};
use protocol::{FailureClass, JobId, PackPath, ProtocolError, sentence};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::connection::PyFarmSettings;
use crate::error::value_error;
use crate::runtime::runtime;
use crate::task::{EventTask, Sender};

#[pyclass(name = "Progress", frozen, get_all, from_py_object)]
#[derive(Debug, Clone)]
pub(crate) struct PyProgress {
    total: u64,
    done: u64,
    fetched: u64,
    running: u64,
    failed: u64,
    cancelled: u64,
    lost: u64,
    frames: f64,
    workers: u64,
    render_seconds: f64,
    billed_seconds: f64,
    cost_usd: f64,
    is_cancelled: bool,
    is_paused: bool,
}

impl From<Progress> for PyProgress {
    fn from(progress: Progress) -> Self {
        Self {
            total: progress.total,
            done: progress.done,
            fetched: progress.fetched,
            running: progress.running,
            failed: progress.failed,
            cancelled: progress.cancelled,
            lost: progress.lost,
            frames: progress.frames,
            workers: progress.workers,
            render_seconds: progress.render_seconds,
            billed_seconds: progress.billed_seconds,
            cost_usd: progress.cost_usd,
            is_cancelled: progress.is_cancelled,
            is_paused: progress.is_paused,
        }
    }
}

#[pyclass(name = "JobEvent", frozen)]
#[derive(Debug)]
pub(crate) enum PyJobEvent {
    Progress {
        progress: PyProgress,
    },
    Frame {
        frame: i32,
        paths: Vec<PathBuf>,
    },
    Refined {
        frame: i32,
        path: PathBuf,
        slices: u32,
        of: u32,
    },
    TaskFailed {
        frame: i32,
        try_number: u32,
        retrying: bool,
        failure_class: String,
        message: String,
        log_tail: String,
    },
    Trouble {
        message: String,
    },
    Lost {
        frames: Vec<i32>,
        message: String,
    },
    Finished {
        progress: PyProgress,
    },
}

impl PyJobEvent {
    fn from_rust(event: Event) -> Self {
        match event {
            Event::Progress(progress) => Self::Progress { progress: progress.into() },
            Event::Frame { frame, paths } => Self::Frame { frame, paths },
            Event::Refined { frame, path, slices, of } => Self::Refined { frame, path, slices, of },
            Event::TaskFailed { frame, try_number, retrying, failure } => Self::TaskFailed {
                frame,
                try_number,
                retrying,
                failure_class: match failure.class {
                    FailureClass::Scene => "scene".into(),
                    FailureClass::Machine => "machine".into(),
                },
                message: failure.message,
                log_tail: failure.log_tail,
            },
            Event::Trouble { message } => Self::Trouble { message },
            Event::Lost { frames, message } => Self::Lost { frames, message },
            Event::Finished(progress) => Self::Finished { progress: progress.into() },
        }
    }
}

#[pyclass(name = "Job", frozen)]
#[derive(Debug)]
pub(crate) struct PyJob {
    settings: FarmSettings,
    id: JobId,
    task: EventTask<Event>,
    sender: Sender<Event>,
}

#[pymethods]
impl PyJob {
    #[new]
    #[pyo3(signature = (settings, job, folder, *, elsewhere=Vec::new(), previews=None, retry=None))]
    fn new(
        settings: &PyFarmSettings,
        job: &str,
        folder: PathBuf,
        elsewhere: Vec<(String, PathBuf)>,
        previews: Option<PathBuf>,
        retry: Option<&str>,
    ) -> PyResult<Self> {
        let retry = match retry {
            None => None,
            Some("failed") => Some(Retry::Failed),
            Some("missing") => Some(Retry::Missing),
            Some(other) => {
                let message = format!("retry: expected \"failed\" or \"missing\", got \"{other}\"");
                return Err(PyValueError::new_err(message));
            }
        };
        let elsewhere = elsewhere
            .into_iter()
            .map(|(place, folder)| Ok((PackPath::try_from(place)?, folder)))
            .collect::<Result<_, ProtocolError>>()
            .map_err(|error| value_error(&error))?;
        let folders = OutputFolders { folder, elsewhere, previews };
        let settings = settings.to_rust();
        let id: JobId = job.parse().map_err(|error| value_error(&error))?;
        let mut kept = None;
        let task = EventTask::spawn(|sender| {
            kept = Some(sender.clone());
            let settings = settings.clone();
            async move {
                if let Some(which) = retry {
                    farm::retry(&settings, id, which).await?;
                }
                watch::run(&settings, id, folders, |event| {
                    let _ = sender.send(Ok(event));
                })
                .await
            }
        })?;
        let sender = kept.unwrap_or_else(|| std::sync::mpsc::channel().0);
        Ok(Self { settings, id, task, sender })
    }

    #[getter]
    fn id(&self) -> String {
        self.id.to_string()
    }

    fn poll(&self) -> PyResult<Vec<PyJobEvent>> {
        Ok(self.task.poll()?.into_iter().map(PyJobEvent::from_rust).collect())
    }

    fn cancel(&self) -> PyResult<()> {
        self.ask("cancelled", async |settings, id| farm::cancel(&settings, id).await)
    }

    fn pause(&self) -> PyResult<()> {
        self.ask("paused", async |settings, id| farm::pause(&settings, id).await.map(drop))
    }

    fn stop_watching(&self) {
        self.task.stop();
    }
}

impl PyJob {
    /// Asks something of the job beside its watch; what stands in the way is one of the watch's events.
    fn ask<F, W>(&self, wish: &'static str, work: F) -> PyResult<()>
    where
        F: FnOnce(FarmSettings, JobId) -> W + Send + 'static,
        W: Future<Output = farm::Result<()>> + Send,
    {
        let (settings, id, sender) = (self.settings.clone(), self.id, self.sender.clone());
        runtime()?.spawn(async move {
            if let Err(error) = work(settings, id).await {
                let message = format!("the job could not be {wish}: {}", sentence(&error));
                let _ = sender.send(Ok(Event::Trouble { message }));
            }
        });
        Ok(())
    }
}
