use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use farm::{
    AwsConfig, FarmError, Queue, ReceivedMessage, Storage, digest_file, is_cancelled, read_job,
};
use protocol::{
    BlenderVersion, FailureClass, Job, PackPath, ResultFile, TaskMessage, TaskState, TaskTimes,
    keys, parse, sentence,
};
use tempfile::TempDir;
use tokio::sync::watch;

use crate::blender::{Blender, BlenderSetup, Rendered};
use crate::error::{ConsumerError, Result};
use crate::failure::classify;
use crate::heartbeat::Heartbeat;
use crate::log::Log;
use crate::pack::PackFolder;
use crate::record::Record;
use crate::settings::Settings;
use crate::wire::RenderRequest;

/// How long before the deadline Blender is stopped: time to write the record and the log.
const DEADLINE_MARGIN: Duration = Duration::from_secs(8);

/// Most files that one frame may leave behind.
const MAX_RESULT_FILES: usize = 10_000;

/// One worker: a warm Blender, the pack on disk, and the way to the bucket and the queue.
pub(crate) struct Worker {
    pub(crate) settings: Settings,
    pub(crate) storage: Storage,
    pub(crate) queue: Queue,
    folder: TempDir,
    packs: PackFolder,
    blender: Option<Blender>,
}

/// What is to become of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Off the queue: done, failed for good, or nobody's.
    Finished,
    /// Back on the queue; after its last delivery the queue moves it to the dead-letter queue.
    GiveBack,
}

impl Worker {
    pub(crate) async fn new(settings: Settings) -> Result<Self> {
        let config = AwsConfig::from_environment().await?;
        let temporary = std::env::temp_dir();
        let folder = tempfile::Builder::new()
            .prefix("render-on-lambda-")
            .tempdir()
            .map_err(ConsumerError::io("make a folder in", &temporary))?;
        Ok(Self {
            storage: Storage::new(&config, settings.bucket.clone()),
            queue: Queue::new(&config, settings.queue_url.clone()),
            packs: PackFolder::new(folder.path().join("packs")),
            folder,
            settings,
            blender: None,
        })
    }

    /// Works on one message. `deadline` is when the surroundings will stop this process.
    ///
    /// Nothing that the message, the job or the scene can hold makes this fail: what went wrong is
    /// in the task's record, and the verdict says what is to become of the message.
    pub(crate) async fn process(
        &mut self,
        message: &ReceivedMessage,
        deadline: Option<Instant>,
    ) -> Verdict {
        let task: TaskMessage = match parse(message.body.as_bytes()) {
            Ok(task) => task,
            Err(error) => {
                tracing::error!(error = sentence(&error), "a message that is no task");
                return Verdict::GiveBack;
            }
        };
        let attempt = message.receive_count;
        let record = Record::new(&self.storage, &self.settings, task.job, task.frame, attempt);
        let verdict = match self.attempt(&task, message, &record, deadline).await {
            Ok(()) => Verdict::Finished,
            Err(error) => self.fail(&task, &record, attempt, error).await,
        };
        if verdict == Verdict::GiveBack {
            // Soon, but not at once: what broke here may be mending.
            let pause = Duration::from_secs(2);
            if let Err(error) = self.queue.set_visibility(&message.receipt_handle, pause).await {
                tracing::warn!(error = sentence(&error), "cannot give the task back early");
            }
        }
        tracing::info!(job = %task.job, frame = task.frame, attempt, ?verdict, "task ended");
        verdict
    }

    async fn attempt(
        &mut self,
        task: &TaskMessage,
        message: &ReceivedMessage,
        record: &Record,
        deadline: Option<Instant>,
    ) -> Result<()> {
        let (started, attempt) = (Instant::now(), message.receive_count);
        // The mapping hides a message for as long as the function may run. A lease of a minute
        // lets a crash be noticed in a minute.
        self.queue.set_visibility(&message.receipt_handle, self.settings.lease).await?;
        if record.is_final().await? {
            return Ok(());
        }
        let job = match read_job(&self.storage, task.job).await {
            Err(FarmError::NoObject { .. }) => return Err(ConsumerError::NoJob { job: task.job }),
            job => job?,
        };
        if is_cancelled(&self.storage, task.job).await? {
            return Err(ConsumerError::Cancelled);
        }
        record.write(TaskState::Running { progress: None }).await?;
        let (progress, progress_seen) = watch::channel(None);
        let (storage, queue, lease) =
            (self.storage.clone(), self.queue.clone(), self.settings.lease);
        let heartbeat = Heartbeat {
            storage: &storage,
            queue: &queue,
            job: task.job,
            receipt_handle: &message.receipt_handle,
            lease,
            record,
            progress: progress_seen,
        };
        let out_of_time = async {
            match deadline.and_then(|deadline| deadline.checked_sub(DEADLINE_MARGIN)) {
                Some(last_moment) => tokio::time::sleep_until(last_moment.into()).await,
                None => std::future::pending().await,
            }
        };
        let state = tokio::select! {
            state = self.render(task, &job, attempt, started, &progress) => state?,
            error = heartbeat.run() => return Err(error),
            () = out_of_time => return Err(ConsumerError::Deadline { after: started.elapsed() }),
        };
        record.write(state).await
    }

    async fn render(
        &mut self,
        task: &TaskMessage,
        job: &Job,
        attempt: u32,
        started: Instant,
        progress: &watch::Sender<Option<f32>>,
    ) -> Result<TaskState> {
        let pack = self.packs.fetch(&self.storage, &job.pack).await?;
        let fetched = started.elapsed();
        let output_folder = self.empty_folder("output")?;
        let request = RenderRequest {
            blend_file: pack.blend_file,
            scene: job.scene.clone(),
            allow_scripts: job.allow_scripts,
            frame: task.frame,
            output_folder: output_folder.clone(),
            output_template: job.output.template.clone(),
        };
        let setup = BlenderSetup { color_config: pack.color_config };
        let rendered =
            self.render_in_blender(&setup, &request, job.blender_version, progress).await?;
        let before_upload = started.elapsed();
        let files = self.upload(task, &output_folder).await?;
        if files.is_empty() {
            return Err(ConsumerError::Scene {
                message: "Blender rendered the frame but wrote no file".into(),
            });
        }
        let log = self.blender.as_ref().map(|blender| blender.log().bytes()).unwrap_or_default();
        self.storage.put(&keys::log(task.job, task.frame, attempt), log).await?;
        let times = TaskTimes {
            fetch_seconds: fetched.as_secs_f64(),
            load_seconds: before_upload.saturating_sub(fetched).as_secs_f64()
                - rendered.render_seconds,
            render_seconds: rendered.render_seconds,
            upload_seconds: started.elapsed().saturating_sub(before_upload).as_secs_f64(),
            total_seconds: started.elapsed().as_secs_f64(),
        };
        tracing::info!(job = %task.job, frame = task.frame, ?times, blender_load_seconds = rendered.load_seconds, "frame done");
        Ok(TaskState::Done { files, times, peak_memory_bytes: rendered.peak_memory_bytes })
    }

    async fn render_in_blender(
        &mut self,
        setup: &BlenderSetup,
        request: &RenderRequest,
        scene_version: BlenderVersion,
        progress: &watch::Sender<Option<f32>>,
    ) -> Result<Rendered> {
        // Taken out while it works: if this future is dropped, Blender is dropped and so stopped.
        let kept = self.blender.take().filter(|blender| blender.setup() == setup);
        let mut blender = if let Some(blender) = kept {
            blender.log().clear();
            blender
        } else {
            let home = self.empty_folder("blender")?;
            Blender::start(&self.settings.blender, &home, setup.clone(), Log::default()).await?
        };
        let farm = blender.version();
        if (scene_version.0, scene_version.1) > (farm.0, farm.1) {
            self.blender = Some(blender);
            return Err(ConsumerError::OldBlender { scene: scene_version, farm });
        }
        let rendered = blender.render(request, |part| {
            progress.send_replace(Some(part));
        });
        let rendered = rendered.await;
        blender.observe_memory();
        // Also kept when it died: its log is needed for the record. `fail` then lets go of it.
        self.blender = Some(blender);
        rendered
    }

    /// Puts every file of the output folder. Where a file is there already, that one counts.
    async fn upload(&self, task: &TaskMessage, folder: &Path) -> Result<Vec<ResultFile>> {
        let mut files = Vec::new();
        for (path, source) in files_below(folder)? {
            let mut digest = digest_file(&source)?;
            let mut size_bytes = size_of(&source)?;
            let key = keys::frame_file(task.job, &path);
            if !self.storage.put_file_if_absent(&key, &source, size_bytes).await? {
                (digest, size_bytes) = self.storage.digest_of(&key).await?;
            }
            files.push(ResultFile { path, digest, size_bytes });
        }
        Ok(files)
    }

    async fn fail(
        &mut self,
        task: &TaskMessage,
        record: &Record,
        attempt: u32,
        error: ConsumerError,
    ) -> Verdict {
        let log = self.blender.as_ref().map(|blender| blender.log().clone()).unwrap_or_default();
        let failure = classify(&error, log.tail());
        tracing::warn!(job = %task.job, frame = task.frame, attempt, class = ?failure.class, error = failure.message, "task failed");
        if failure.class == FailureClass::Machine {
            // Whatever state this Blender is in, the next task shall not depend on it.
            self.blender = None;
        }
        if matches!(&error, ConsumerError::NoJob { .. }) {
            // Nobody waits for a record.
            return Verdict::GiveBack;
        }
        let (state, verdict) = match (&error, failure.class) {
            (ConsumerError::Cancelled, _) => (TaskState::Cancelled, Verdict::Finished),
            (_, FailureClass::Scene) => (TaskState::Failed { failure }, Verdict::Finished),
            (_, FailureClass::Machine) if record.is_last_attempt() => {
                (TaskState::Failed { failure }, Verdict::GiveBack)
            }
            (_, FailureClass::Machine) => (TaskState::Retrying { failure }, Verdict::GiveBack),
        };
        let log_key = keys::log(task.job, task.frame, attempt);
        let written = async {
            self.storage.put(&log_key, log.bytes()).await?;
            record.write(state).await
        };
        match written.await {
            Ok(()) => verdict,
            Err(error) => {
                tracing::error!(error = sentence(&error), "cannot write the task's record");
                Verdict::GiveBack
            }
        }
    }

    fn empty_folder(&self, name: &str) -> Result<PathBuf> {
        let folder = self.folder.path().join(name);
        match std::fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(ConsumerError::io("clear", &folder)(error));
            }
            _ => {}
        }
        std::fs::create_dir_all(&folder).map_err(ConsumerError::io("make the folder", &folder))?;
        Ok(folder)
    }
}

fn size_of(path: &Path) -> Result<u64> {
    std::fs::metadata(path).map(|found| found.len()).map_err(ConsumerError::io("read", path))
}

/// Every regular file below a folder with its path there. Links are left out: a script in a scene
/// could make them point anywhere.
fn files_below(folder: &Path) -> Result<Vec<(PackPath, PathBuf)>> {
    let mut files = Vec::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(current) = waiting.pop() {
        let entries = std::fs::read_dir(&current).map_err(ConsumerError::io("list", &current))?;
        for entry in entries {
            let entry = entry.map_err(ConsumerError::io("list", &current))?;
            let kind = entry.file_type().map_err(ConsumerError::io("read", &entry.path()))?;
            if kind.is_dir() {
                waiting.push(entry.path());
            } else if kind.is_file() {
                let path = entry.path();
                let below = path.strip_prefix(folder).unwrap_or(&path);
                let below = below.to_string_lossy().replace('\\', "/");
                files.push((PackPath::try_from(below)?, path));
            }
            if files.len() > MAX_RESULT_FILES {
                return Err(ConsumerError::Scene {
                    message: format!("the frame made more than {MAX_RESULT_FILES} files"),
                });
            }
        }
    }
    files.sort();
    Ok(files)
}
