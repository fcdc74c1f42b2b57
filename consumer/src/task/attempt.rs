//! One delivery of a task: what it takes, and what becomes of its message.

use std::time::{Duration, Instant};

use farm::ReceivedMessage;
use protocol::{TaskEventKind, TaskMessage, milliseconds, parse, sentence};
use tokio::sync::watch;

use crate::blender::log::Log;
use crate::error::{ConsumerError, Result};
use crate::task::found::Found;
use crate::task::lease::Heartbeat;
use crate::task::metrics;
use crate::task::record::Record;
use crate::task::split_frame::BEGINS_AFTER;
use crate::task::take::{MENDING, longer_each_time};
use crate::task::too_long::{DEADLINE_MARGIN, FrameProgress, SplitWatch};
use crate::worker::Worker;

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
            Some(Found::Split(_) | Found::NotWanted) | None => return Ok(Course::Ended),
        }
        // The message of a frame does not say that a worker has split it: its record does.
        let split = task.split.or(record.split.get().copied());
        let task = &TaskMessage { split, ..task.clone() };
        let rule = self.split_rule(&job, task, record, started, deadline);
        let known = FrameProgress { is_asked: rule.is_some(), ..FrameProgress::default() };
        let (progress, progress_seen) = watch::channel(known);
        let mut split_watch = SplitWatch::new(rule, progress_seen.clone(), started);
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
            rendered = self.work(task, &job, started, &progress) => Ok(rendered?),
            error = heartbeat.run() => return Err(error),
            slices = split_watch.is_better_split() => Err(Some(slices)),
            () = out_of_time => Err(None),
        };
        let rendered = match rendered {
            Ok(rendered) => rendered,
            Err(slices) => {
                let Some(slices) = slices.or_else(|| split_watch.after_the_time()) else {
                    return Err(ConsumerError::Deadline { after: started.elapsed() });
                };
                self.split(task, record, slices, started).await?;
                return Ok(Course::Held { lease_left: BEGINS_AFTER });
            }
        };
        let try_number = record.try_number();
        metrics::tell(&rendered.outcome(), task, try_number);
        let kind = TaskEventKind::Done {
            render_ms: milliseconds(rendered.times.render_seconds),
            total_ms: milliseconds(rendered.times.total_seconds),
        };
        self.finish(task, record, rendered.into_state(), kind).await?;
        if task.slice.is_some()
            && let Some(count) = task.slices(&job)
        {
            self.tell_progress_of_slices(task, count).await;
        }
        Ok(Course::Ended)
    }
}
