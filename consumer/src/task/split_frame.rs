//! A frame that a worker splits because it is too long for one, or would come much earlier from many.

use std::time::{Duration, Instant};

use farm::{ReceivedMessage, enqueue_slices, now_ms};
use protocol::{
    FrameSplit, Job, RecordedSplit, TaskEventKind, TaskMessage, TaskRecord, TaskState, keys,
    sentence,
};

use crate::error::{ConsumerError, Result};
use crate::task::found::{Found, Ours, bytes_of};
use crate::task::record::Record;
use crate::task::too_long::{DEADLINE_MARGIN, SplitRule};
use crate::task::wait_for_slices::Wait;
use crate::worker::Worker;

/// When the end of a frame is looked at first, once its slices are on the queue.
pub(super) const BEGINS_AFTER: Duration = Duration::from_secs(2);

/// How often a record that others change too is looked at again.
const CHANGES: usize = 8;

impl Worker {
    /// When the frame of a task is to be split; nothing where it never is.
    pub(super) fn split_rule(
        &self,
        job: &Job,
        task: &TaskMessage,
        record: &Record,
        started: Instant,
        deadline: Option<Instant>,
    ) -> Option<SplitRule> {
        // What a script does in each slice anew, nobody knows.
        let stays_whole = job.slices.is_some()
            || job.allow_scripts
            || task.slice.is_some()
            || record.is_second()
            || record.split.get().is_some();
        if stays_whole {
            return None;
        }
        // A called worker hands back what its time does not suffice for: that is tried with all of it.
        let limit = deadline
            .map(|deadline| deadline.saturating_duration_since(started))
            .or(self.full_time)
            .map(|time| time.saturating_sub(DEADLINE_MARGIN));
        let workers = self.settings.workers.filter(|_| job.frames.count() == 1);
        let others_were_long = self.jobs.has_split_frames(job.id);
        (limit.is_some() || workers.is_some()).then_some(SplitRule {
            limit,
            workers,
            others_were_long,
        })
    }

    /// Splits the frame at hand: its slices go onto the queue, and its message waits for them.
    pub(super) async fn split(
        &mut self,
        task: &TaskMessage,
        record: &Record,
        slices: u32,
        started: Instant,
    ) -> Result<()> {
        // Blender went with the work that was dropped, one that has not begun yet too.
        self.blender.let_go();
        let split = record.split_into(slices).await?;
        tracing::info!(job = %task.job, frame = task.frame, slices, "the frame is split");
        self.jobs.split_frame(task.job);
        let total_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let log_key = keys::log(task.job, task.frame, None, record.try_number());
        let (logged, told) = tokio::join!(
            self.storage.put(&log_key, self.log.bytes()),
            // It is paid, and says nothing of the frame.
            record.tell(TaskEventKind::Overtaken { total_ms }),
        );
        for error in [logged.err().map(ConsumerError::from), told.err()].into_iter().flatten() {
            tracing::warn!(error = sentence(&error), "cannot tell of a split");
        }
        self.enqueue_split(task, record, split).await
    }

    /// What is to be done with a frame that a worker has split.
    pub(super) async fn go_on_with_split(
        &mut self,
        task: &TaskMessage,
        message: &ReceivedMessage,
        record: &Record,
        recorded: RecordedSplit,
    ) -> Result<Found> {
        self.jobs.split_frame(task.job);
        if task.second {
            // Of its slices each is helped by itself.
            return Ok(Found::NotWanted);
        }
        if !recorded.is_enqueued {
            // Who split it may have died before all slices were on the queue.
            let Err(error) = self.enqueue_split(task, record, recorded.split).await else {
                return Ok(Found::Held { lease_left: BEGINS_AFTER });
            };
            // A try, or what cannot be enqueued would be tried for ever.
            let _ = record.split.set(recorded.split);
            return match record.take(false).await? {
                Found::Begun { .. } => Err(error),
                found => Ok(found),
            };
        }
        let split = recorded.split;
        let end = TaskMessage { split: Some(split), ..task.clone() };
        match self.waits_for(split.slices, &end, message).await? {
            Wait::Over => {}
            Wait::For(lease_left) => return Ok(Found::Held { lease_left }),
            Wait::Dropped => return Ok(Found::NotWanted),
        }
        let _ = record.split.set(split);
        record.take(false).await
    }

    async fn enqueue_split(
        &self,
        task: &TaskMessage,
        record: &Record,
        split: FrameSplit,
    ) -> Result<()> {
        enqueue_slices(&self.queue, task.job, task.frame, split).await?;
        record.slices_are_enqueued().await
    }
}

impl Record {
    /// Writes down that this worker splits its frame; how. It has one try more for that.
    async fn split_into(&self, slices: u32) -> Result<FrameSplit> {
        let mut ours = self.ours.lock().await;
        let Some(known) = ours.as_mut() else { return Err(ConsumerError::Superseded) };
        let split = FrameSplit { slices, after_tries: known.tries };
        let changed = Ours {
            split: Some(RecordedSplit { split, is_enqueued: false }),
            max_tries: known.max_tries.saturating_add(1),
            last_cause: None,
            ..known.clone()
        };
        let bytes = self.encode(&changed, TaskState::Queued)?;
        for _ in 0..CHANGES {
            let put = self.storage.put_if_unchanged(&self.key(), &bytes, Some(&known.etag)).await?;
            if let Some(etag) = put {
                *known = Ours { etag, ..changed };
                return Ok(split);
            }
            match self.read().await? {
                // A renewal of ours has landed that was given up for lost.
                Some((record, etag)) if self.is_ours(&record, known) => known.etag = etag,
                _ => return Err(ConsumerError::Superseded),
            }
        }
        Err(self.contended())
    }

    /// Takes the task, a split frame without waiting for its slices: to write down why it fails.
    pub(super) async fn begin_anyhow(&self) -> Result<Found> {
        match self.begin().await? {
            Found::Split(recorded) => {
                let _ = self.split.set(recorded.split);
                self.begin().await
            }
            found => Ok(found),
        }
    }

    /// Writes down that all slices of its frame are on the queue.
    async fn slices_are_enqueued(&self) -> Result<()> {
        for _ in 0..CHANGES {
            let Some((mut record, etag)) = self.read().await? else { return Ok(()) };
            match &mut record.split {
                Some(recorded) if !recorded.is_enqueued => recorded.is_enqueued = true,
                _ => return Ok(()),
            }
            record.version = TaskRecord::version_of(record.split);
            record.updated_ms = now_ms();
            let bytes = bytes_of(&record)?;
            if self.storage.put_if_unchanged(&self.key(), &bytes, Some(&etag)).await?.is_some() {
                return Ok(());
            }
        }
        Err(self.contended())
    }
}
