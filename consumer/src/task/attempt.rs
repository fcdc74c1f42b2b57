//! One delivery of a task: what it takes, and what becomes of its message.

use std::time::{Duration, Instant};

use farm::{ReceivedMessage, stop_where_all_fail_alike};
use protocol::{
    FailureClass, TaskEventKind, TaskFailure, TaskMessage, TaskState, keys, milliseconds, parse,
    sentence,
};
use tokio::sync::watch;

use crate::blender::log::Log;
use crate::error::{ConsumerError, Result};
use crate::task::failure::{cause, classify};
use crate::task::lease::Heartbeat;
use crate::task::metrics::{self, Outcome};
use crate::task::record::{Found, Record};
use crate::task::take::{MENDING, longer_each_time};
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
    /// Back on the queue.
    GiveBack,
}

/// How a delivery went that nothing went wrong with.
enum Course {
    /// There is nothing more to do with the message.
    Ended,
    /// Another worker has the task.
    Held { lease_left: Duration },
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
            // A worker of the next version knows what it means.
            Err(error) if error.is_newer() => {
                tracing::warn!(error = sentence(&error), "a message of a newer version");
                self.give_back(message, longer_each_time(message.deliveries)).await;
                return Verdict::GiveBack;
            }
            Err(error) => {
                tracing::error!(error = sentence(&error), "a message that is no task");
                return self.bury(message, "malformed").await;
            }
        };
        let started = Instant::now();
        let record = Record::new(&self.storage, &self.settings, &task);
        self.record = Some(record.clone());
        self.log = Log::default();
        let (verdict, pause) = match self.attempt(&task, message, &record, started, deadline).await
        {
            Ok(Course::Ended) => (Verdict::Finished, MENDING),
            Ok(Course::Held { lease_left }) => (Verdict::GiveBack, lease_left),
            Err(error) if error.is_newer() => {
                tracing::warn!(job = %task.job, error = sentence(&error), "left to others");
                self.hand_back().await;
                (Verdict::GiveBack, longer_each_time(message.deliveries))
            }
            Err(error) => {
                let verdict = self.fail(&task, message, &record, started, error).await;
                // What has not even begun is no try, and must not be paid for all the time.
                let has_begun = record.try_number() > 0;
                (verdict, if has_begun { MENDING } else { longer_each_time(message.deliveries) })
            }
        };
        self.record = None;
        if verdict == Verdict::GiveBack {
            self.give_back(message, pause).await;
        }
        let try_number = record.try_number();
        tracing::info!(job = %task.job, frame = task.frame, try_number, ?verdict, "task ended");
        verdict
    }

    /// Lets a message be delivered again after a while.
    async fn give_back(&self, message: &ReceivedMessage, pause: Duration) {
        if let Err(error) = self.queue.set_visibility(&message.receipt_handle, pause).await {
            tracing::warn!(error = sentence(&error), "cannot give the task back early");
        }
    }

    /// Gives the task at hand back as if it had never begun here.
    pub(crate) async fn hand_back(&mut self) {
        let Some(record) = self.record.take() else { return };
        if let Err(error) = record.hand_back().await {
            tracing::warn!(record = record.key(), error = sentence(&error), "cannot hand back");
        }
    }

    async fn attempt(
        &mut self,
        task: &TaskMessage,
        message: &ReceivedMessage,
        record: &Record,
        started: Instant,
        deadline: Option<Instant>,
    ) -> Result<Course> {
        if self.jobs.is_cancelled(task.job) {
            return Ok(Course::Ended);
        }
        let (job, found) = self.take(task, message, record).await?;
        match found {
            Some(Found::Begun { .. }) => {}
            Some(Found::Final) => {
                match task.slice {
                    Some(slice) => self.tell_failed_slice_again(task, slice).await?,
                    None => record.tell_again().await?,
                }
                return Ok(Course::Ended);
            }
            Some(Found::Held { lease_left }) => return Ok(Course::Held { lease_left }),
            Some(Found::Exhausted { tries }) => return Err(ConsumerError::GivenUp { tries }),
            Some(Found::NotWanted) | None => return Ok(Course::Ended),
        }
        let (progress, progress_seen) = watch::channel(None);
        let (storage, queue) = (self.storage.clone(), self.queue.clone());
        let heartbeat = Heartbeat {
            storage: &storage,
            queue: &queue,
            job: task.job,
            receipt_handle: &message.receipt_handle,
            lease: self.settings.lease,
            record,
            progress: progress_seen,
        };
        let out_of_time = async {
            match deadline.and_then(|deadline| deadline.checked_sub(DEADLINE_MARGIN)) {
                Some(last_moment) => tokio::time::sleep_until(last_moment.into()).await,
                None => std::future::pending().await,
            }
        };
        let rendered = tokio::select! {
            rendered = self.work(task, &job, started, &progress) => rendered?,
            error = heartbeat.run() => return Err(error),
            () = out_of_time => return Err(ConsumerError::Deadline { after: started.elapsed() }),
        };
        let try_number = record.try_number();
        metrics::tell(&rendered.outcome(), task, try_number);
        let kind = TaskEventKind::Done {
            render_ms: milliseconds(rendered.times.render_seconds),
            total_ms: milliseconds(rendered.times.total_seconds),
        };
        self.finish(task, record, rendered.into_state(), kind).await?;
        Ok(Course::Ended)
    }

    /// Whether an error is this worker's own, so that it should leave: every task would end alike.
    fn makes_unfit(&self, error: &ConsumerError) -> bool {
        match error {
            ConsumerError::Unfit(_) => true,
            // In Lambda all are alike, and somebody has to be told.
            ConsumerError::NoBlender { .. } | ConsumerError::Cage(_) => {
                !self.settings.files_are_ours
            }
            _ => false,
        }
    }

    /// Writes how a task ended, with Blender's log and the event.
    async fn finish(
        &self,
        task: &TaskMessage,
        record: &Record,
        state: TaskState,
        kind: TaskEventKind,
    ) -> Result<()> {
        let log_key = keys::log(task.job, task.frame, task.slice, record.try_number());
        let (logged, finished, told) = tokio::join!(
            self.storage.put(&log_key, self.log.bytes()),
            record.finish(state),
            record.tell(kind),
        );
        if let Err(error) = logged {
            tracing::warn!(key = log_key, error = sentence(&error), "cannot write Blender's log");
        }
        finished.and(told)
    }

    async fn fail(
        &mut self,
        task: &TaskMessage,
        message: &ReceivedMessage,
        record: &Record,
        started: Instant,
        error: ConsumerError,
    ) -> Verdict {
        // The answer may have overtaken what was printed before it.
        tokio::time::sleep(LAST_WORDS).await;
        let allow_scripts = self.jobs.get(task.job).is_some_and(|job| job.allow_scripts);
        let failure = classify(&error, self.log.tail(), allow_scripts);
        let cause = cause(&error);
        let is_machine = failure.class == FailureClass::Machine;
        tracing::warn!(job = %task.job, frame = task.frame, class = ?failure.class, error = failure.message, "task failed");
        if is_machine {
            // Whatever state this Blender is in, the next task shall not depend on it.
            self.blender.let_go();
        }
        let total_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let makes_unfit = self.makes_unfit(&error);
        // In Lambda all are alike; of other machines another one may have it.
        let is_for_others =
            matches!(error, ConsumerError::LacksBlender { .. }) && !self.settings.files_are_ours;
        if makes_unfit || is_for_others {
            self.hand_back().await;
            self.unfit = makes_unfit.then_some(failure.message);
            return Verdict::GiveBack;
        }
        if matches!(error, ConsumerError::Superseded) || record.is_second() {
            let told = record.tell(TaskEventKind::Overtaken { total_ms }).await;
            if let Err(error) = told {
                tracing::warn!(error = sentence(&error), "cannot tell what a try has cost");
            }
            // One that was the second leaves the task to the first, whatever went wrong.
            let is_needed = !record.is_second() && record.is_open().await.unwrap_or(true);
            return if is_needed { Verdict::GiveBack } else { Verdict::Finished };
        }
        if !matches!(error, ConsumerError::Cancelled) {
            let outcome = Outcome::Failed { class: failure.class };
            metrics::tell(&outcome, task, record.try_number());
        }
        if matches!(&error, ConsumerError::NoJob { .. } | ConsumerError::NoFrame { .. }) {
            // Nobody waits for a record.
            return self.bury(message, &task.job.to_string()).await;
        }
        if record.try_number() == 0 {
            // It failed before it began. What may work elsewhere was no try; what cannot is told.
            let began = if is_machine { None } else { record.begin().await.ok() };
            if !matches!(began, Some(Found::Begun { .. })) {
                return Verdict::GiveBack;
            }
        }
        let (state, kind, is_given_up) = match error {
            ConsumerError::Cancelled => {
                self.jobs.cancel(task.job);
                (TaskState::Cancelled, TaskEventKind::Cancelled { total_ms }, false)
            }
            ConsumerError::GivenUp { .. } => {
                (TaskState::Failed { failure }, TaskEventKind::Failed { total_ms }, true)
            }
            _ if !is_machine => {
                (TaskState::Failed { failure }, TaskEventKind::Failed { total_ms }, false)
            }
            _ if record.is_last_try(cause).await => {
                let tries = record.try_number();
                let message = format!("{} (given up after {tries} tries)", failure.message);
                let failure = TaskFailure { message, ..failure };
                (TaskState::Failed { failure }, TaskEventKind::Failed { total_ms }, true)
            }
            _ => {
                let retrying = TaskState::Retrying { failure };
                (retrying, TaskEventKind::Retrying { total_ms }, false)
            }
        };
        let is_over = !matches!(state, TaskState::Retrying { .. });
        if let Err(error) = self.finish(task, record, state, kind).await {
            tracing::error!(error = sentence(&error), "cannot write the task's record");
            return Verdict::GiveBack;
        }
        if is_over && let Some(slice) = task.slice {
            if let Err(error) = self.tell_failed_slice(task, slice).await {
                tracing::warn!(job = %task.job, error = sentence(&error), "cannot tell of it");
                return Verdict::GiveBack;
            }
        } else if is_over && let Some(job) = self.jobs.get(task.job) {
            match stop_where_all_fail_alike(&self.storage, &job).await {
                Ok(true) => tracing::warn!(job = %task.job, "the job has stopped itself"),
                Ok(false) => {}
                Err(error) => {
                    tracing::warn!(job = %task.job, error = sentence(&error), "cannot stop it");
                }
            }
        }
        match (is_over, is_given_up) {
            (_, true) => self.bury(message, &task.job.to_string()).await,
            (true, false) => Verdict::Finished,
            (false, false) => Verdict::GiveBack,
        }
    }

    /// Moves a message to the dead letters. The queue itself would do so after a thousand
    /// deliveries: it counts those that no worker has ever seen.
    async fn bury(&self, message: &ReceivedMessage, group: &str) -> Verdict {
        let Some(dead_letters) = &self.dead_letters else { return Verdict::Finished };
        match dead_letters.send(&message.body, group).await {
            Ok(()) => Verdict::Finished,
            Err(error) => {
                tracing::error!(
                    error = sentence(&error),
                    "cannot move a message to the dead letters"
                );
                Verdict::GiveBack
            }
        }
    }
}
