//! How a delivery ends: what is written of it, and what becomes of its message where it failed.

use std::time::{Duration, Instant};

use farm::{ReceivedMessage, stop_where_all_fail_alike};
use protocol::{FailureClass, TaskEventKind, TaskFailure, TaskMessage, TaskState, keys, sentence};

use crate::error::{ConsumerError, Result};
use crate::task::attempt::Verdict;
use crate::task::failure::{cause, classify};
use crate::task::found::Found;
use crate::task::metrics::{self, Outcome};
use crate::task::record::Record;
use crate::worker::Worker;

/// How long what Blender has printed may be on its way.
const LAST_WORDS: Duration = Duration::from_millis(50);

impl Worker {
    /// Writes how a task ended, with Blender's log and the event.
    pub(super) async fn finish(
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

    pub(super) async fn fail(
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
            let began = if is_machine { None } else { record.begin_anyhow().await.ok() };
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
    pub(super) async fn bury(&self, message: &ReceivedMessage, group: &str) -> Verdict {
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
}
