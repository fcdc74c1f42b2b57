//! One attempt at a task: what it takes, and what becomes of its message.

use std::time::{Duration, Instant};

use farm::{FarmError, ReceivedMessage, is_cancelled, read_job};
use protocol::{FailureClass, TaskFailure, TaskMessage, TaskState, keys, parse, sentence};
use tokio::sync::watch;

use crate::blender::log::Log;
use crate::error::{ConsumerError, Result};
use crate::task::failure::classify;
use crate::task::lease::Heartbeat;
use crate::task::metrics::{self, Outcome};
use crate::task::record::Record;
use crate::worker::Worker;

/// How long before the deadline Blender is stopped: time to write the record and the log.
const DEADLINE_MARGIN: Duration = Duration::from_secs(8);

/// How long what Blender has printed may be on its way.
const LAST_WORDS: Duration = Duration::from_millis(50);

/// What is to become of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Off the queue: done, failed for good, or nobody's.
    Finished,
    /// Back on the queue; after its last delivery the queue moves it to the dead-letter queue.
    GiveBack,
}

impl Worker {
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
        self.log = Log::default();
        let mut allow_scripts = false;
        let attempted = self.attempt(&task, message, &record, deadline, &mut allow_scripts);
        let verdict = match attempted.await {
            Ok(()) => Verdict::Finished,
            Err(error) => self.fail(&task, &record, attempt, error, allow_scripts).await,
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
        allow_scripts: &mut bool,
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
        *allow_scripts = job.allow_scripts;
        if !job.frames.contains(task.frame) {
            return Err(ConsumerError::NoFrame { job: task.job, frame: task.frame });
        }
        if is_cancelled(&self.storage, task.job).await? {
            return Err(ConsumerError::Cancelled);
        }
        if attempt > self.settings.max_attempts {
            // The queue delivers once more than there are tries, so that somebody says this.
            return Err(ConsumerError::GivenUp { tries: self.settings.max_attempts });
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

    async fn fail(
        &mut self,
        task: &TaskMessage,
        record: &Record,
        attempt: u32,
        error: ConsumerError,
        allow_scripts: bool,
    ) -> Verdict {
        // The answer may have overtaken what was printed before it.
        tokio::time::sleep(LAST_WORDS).await;
        let log = self.log.clone();
        let failure = classify(&error, log.tail(), allow_scripts);
        tracing::warn!(job = %task.job, frame = task.frame, attempt, class = ?failure.class, error = failure.message, "task failed");
        if failure.class == FailureClass::Machine {
            // Whatever state this Blender is in, the next task shall not depend on it.
            self.blender.let_go();
        }
        let is_failure = !matches!(error, ConsumerError::Cancelled);
        if is_failure {
            let outcome = Outcome::Failed { class: failure.class };
            metrics::tell(&outcome, task, attempt);
        }
        if matches!(&error, ConsumerError::NoJob { .. } | ConsumerError::NoFrame { .. }) {
            // Nobody waits for a record.
            return Verdict::GiveBack;
        }
        let (state, verdict) = match (&error, failure.class) {
            (ConsumerError::Cancelled, _) => (TaskState::Cancelled, Verdict::Finished),
            (_, FailureClass::Scene) => (TaskState::Failed { failure }, Verdict::Finished),
            (ConsumerError::GivenUp { .. }, _) => {
                match record.has_failed().await {
                    // What the last try said says more.
                    Ok(true) => return Verdict::GiveBack,
                    Ok(false) | Err(_) => (TaskState::Failed { failure }, Verdict::GiveBack),
                }
            }
            (_, FailureClass::Machine) if record.is_last_attempt() => {
                let message = format!("{} (given up after {attempt} tries)", failure.message);
                let failure = TaskFailure { message, ..failure };
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
}
