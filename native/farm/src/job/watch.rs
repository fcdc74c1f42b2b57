//! Follows a job: reads its task records as they change and fetches its frames as they land.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use protocol::{
    FailureClass, Job, JobControl, JobId, TaskFailure, TaskRecord, TaskState, Versioned, keys,
};

use crate::aws::connection::FarmSettings;
use crate::aws::stack::Farm;
use crate::aws::storage::ListedObject;
use crate::error::{FarmError, Result};
use crate::job::enqueue::ensure_enqueued;
use crate::job::fetch::fetch_files;
use crate::job::progress::{Progress, is_cancelled, read_job, read_record};

const POLL_EVERY: Duration = Duration::from_millis(1000);
const RECORDS_AT_ONCE: usize = 16;

/// How long the record of a running task may stay unchanged on its last attempt. A living worker
/// renews it three times in each lease of a minute.
const SILENCE_LIMIT: Duration = Duration::from_secs(300);

/// The longest pause after calls that failed.
const MAX_PAUSE: Duration = Duration::from_secs(15);

/// What a watched job reports.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// How far the job is; sent when it changes.
    Progress(Progress),
    /// A frame is on this machine.
    Frame {
        /// The frame.
        frame: i32,
        /// Its files.
        paths: Vec<PathBuf>,
    },
    /// A task failed; `retrying` where it will be tried again.
    TaskFailed {
        /// The frame.
        frame: i32,
        /// Which attempt it was.
        attempt: u32,
        /// Whether the queue delivers it again.
        retrying: bool,
        /// What went wrong.
        failure: TaskFailure,
    },
    /// Something is in the way, such as the network; the watch goes on.
    Trouble {
        /// What, in one sentence.
        message: String,
    },
    /// Every task has come to its end.
    Finished(Progress),
}

/// Follows a job until every task has come to its end. Frames are fetched into `folder`.
///
/// What can heal by itself is reported as [`Event::Trouble`] and waited for.
///
/// # Errors
/// [`FarmError`] that someone must act on: credentials, a bucket that is gone, a folder that
/// cannot be written.
pub async fn run(
    settings: &FarmSettings,
    job: JobId,
    folder: PathBuf,
    on_event: impl Fn(Event) + Sync,
) -> Result<()> {
    let mut pause = POLL_EVERY;
    let mut watched = loop {
        match start(settings, job).await {
            Ok(watched) => break watched,
            Err(error) => wait_out(error, &mut pause, &on_event).await?,
        }
    };
    pause = POLL_EVERY;
    let mut reported = None;
    loop {
        match watched.step(&folder, &on_event).await {
            Ok(()) => pause = POLL_EVERY,
            Err(error) => {
                wait_out(error, &mut pause, &on_event).await?;
                continue;
            }
        }
        let progress = watched.progress();
        if watched.is_finished(&progress) {
            on_event(Event::Finished(progress));
            return Ok(());
        }
        if reported.replace(progress) != Some(progress) {
            on_event(Event::Progress(progress));
        }
        tokio::time::sleep(POLL_EVERY).await;
    }
}

/// Asks that a job stop. Tasks that have not begun are dropped, those that have are stopped.
///
/// # Errors
/// [`FarmError`] of the call.
pub async fn cancel(settings: &FarmSettings, job: JobId) -> Result<()> {
    let farm = Farm::connect(settings).await?;
    let control = JobControl { version: JobControl::VERSION, cancelled: true };
    let bytes = serde_json::to_vec(&control).map_err(|source| {
        protocol::ProtocolError::Malformed { document: JobControl::DOCUMENT, source }
    })?;
    farm.storage.put(&keys::control(job), bytes).await
}

async fn wait_out(error: FarmError, pause: &mut Duration, on_event: &impl Fn(Event)) -> Result<()> {
    if !error.is_transient() {
        return Err(error);
    }
    on_event(Event::Trouble { message: protocol::sentence(&error) });
    tokio::time::sleep(*pause).await;
    *pause = (*pause * 2).min(MAX_PAUSE);
    Ok(())
}

async fn start(settings: &FarmSettings, id: JobId) -> Result<WatchedJob> {
    let farm = Farm::connect(settings).await?;
    let job = read_job(&farm.storage, id).await?;
    ensure_enqueued(&farm.storage, &farm.queue, &job).await?;
    Ok(WatchedJob { farm, job, tasks: HashMap::new(), is_cancelled: false })
}

struct WatchedJob {
    farm: Farm,
    job: Job,
    tasks: HashMap<i32, WatchedTask>,
    is_cancelled: bool,
}

struct WatchedTask {
    etag: String,
    record: TaskRecord,
    changed: Instant,
    is_fetched: bool,
}

impl WatchedJob {
    /// Reads what changed and fetches what landed.
    async fn step(&mut self, folder: &std::path::Path, on_event: &impl Fn(Event)) -> Result<()> {
        let storage = self.farm.storage.clone();
        let listed = storage.list(&keys::tasks(self.job.id)).await?;
        let changed: Vec<(i32, ListedObject)> = listed
            .into_iter()
            .filter_map(|object| Some((keys::frame_of_task(self.job.id, &object.key)?, object)))
            .filter(|(frame, object)| {
                self.job.frames.contains(*frame)
                    && self.tasks.get(frame).is_none_or(|task| task.etag != object.etag)
            })
            .collect();
        let mut records = stream::iter(changed)
            .map(|(frame, object)| {
                let storage = &storage;
                async move { (frame, object.etag, read_record(storage, &object.key).await) }
            })
            .buffer_unordered(RECORDS_AT_ONCE);
        while let Some((frame, etag, record)) = records.next().await {
            match record {
                Ok(Some(record)) => self.take(frame, etag, record, on_event),
                Ok(None) => {}
                // One record that cannot be read is no reason to lose sight of the others.
                Err(FarmError::Protocol(error)) => on_event(Event::Trouble {
                    message: format!("frame {frame}: {}", protocol::sentence(&error)),
                }),
                Err(error) => return Err(error),
            }
        }
        drop(records);
        self.give_up_the_silent(on_event);
        self.fetch(folder, on_event).await?;
        if !self.is_cancelled {
            self.is_cancelled = is_cancelled(&storage, self.job.id).await?;
        }
        Ok(())
    }

    fn take(&mut self, frame: i32, etag: String, record: TaskRecord, on_event: &impl Fn(Event)) {
        let failure = match &record.state {
            TaskState::Failed { failure } => Some((false, failure)),
            TaskState::Retrying { failure } => Some((true, failure)),
            _ => None,
        };
        if let Some((retrying, failure)) = failure {
            let failure = failure.clone();
            on_event(Event::TaskFailed { frame, attempt: record.attempt, retrying, failure });
        }
        let task = WatchedTask { etag, record, changed: Instant::now(), is_fetched: false };
        self.tasks.insert(frame, task);
    }

    /// A task whose worker died on the last attempt has nobody left to say so.
    fn give_up_the_silent(&mut self, on_event: &impl Fn(Event)) {
        for (frame, task) in &mut self.tasks {
            let record = &mut task.record;
            let is_last = record.attempt >= record.max_attempts;
            if matches!(record.state, TaskState::Running { .. })
                && is_last
                && task.changed.elapsed() > SILENCE_LIMIT
            {
                let failure = TaskFailure {
                    class: FailureClass::Machine,
                    message: format!(
                        "the worker fell silent on the last of {} attempts",
                        record.max_attempts
                    ),
                    log_tail: String::new(),
                };
                record.state = TaskState::Failed { failure: failure.clone() };
                let attempt = record.attempt;
                on_event(Event::TaskFailed { frame: *frame, attempt, retrying: false, failure });
            }
        }
    }

    async fn fetch(&mut self, folder: &std::path::Path, on_event: &impl Fn(Event)) -> Result<()> {
        let (storage, id) = (self.farm.storage.clone(), self.job.id);
        let landed: Vec<(i32, Vec<protocol::ResultFile>)> = self
            .tasks
            .iter()
            .filter(|(_, task)| !task.is_fetched)
            .filter_map(|(frame, task)| match &task.record.state {
                TaskState::Done { files, .. } => Some((*frame, files.clone())),
                _ => None,
            })
            .collect();
        let mut fetches = stream::iter(landed)
            .map(|(frame, files)| {
                let storage = &storage;
                async move { (frame, fetch_files(storage, id, &files, folder).await) }
            })
            .buffer_unordered(RECORDS_AT_ONCE);
        while let Some((frame, paths)) = fetches.next().await {
            let paths = paths?;
            if let Some(task) = self.tasks.get_mut(&frame) {
                task.is_fetched = true;
            }
            on_event(Event::Frame { frame, paths });
        }
        Ok(())
    }

    fn progress(&self) -> Progress {
        let mut progress = Progress::of(
            &self.job,
            self.tasks.values().map(|task| &task.record),
            self.farm.consumer_memory_mib,
        );
        progress.fetched = self.tasks.values().filter(|task| task.is_fetched).count() as u64;
        progress.is_cancelled = self.is_cancelled;
        progress
    }

    fn is_finished(&self, progress: &Progress) -> bool {
        let ended = progress.fetched + progress.failed + progress.cancelled;
        let nothing_runs = progress.running == 0 && progress.fetched == progress.done;
        ended == progress.total || (self.is_cancelled && nothing_runs)
    }
}
