//! Takes a task, if it is to be had and may be rendered here.

use std::sync::Arc;
use std::time::Duration;

use farm::{FarmError, ReceivedMessage, read_control, read_job};
use protocol::{Job, JobId, TaskMessage, sentence};

use crate::error::{ConsumerError, Result};
use crate::task::found::Found;
use crate::task::record::Record;
use crate::task::wait_for_slices::Wait;
use crate::worker::Worker;

/// When a task is given out again that failed here. Soon, but not at once: what broke may be
/// mending.
pub(crate) const MENDING: Duration = Duration::from_secs(2);

/// The longest that a task is hidden from other workers which one may not render: a thousand times
/// that are three days.
const LONGEST_LEFT_ALONE: Duration = Duration::from_mins(5);

impl Worker {
    /// Takes the task, if it is to be had; nothing where its job was cancelled. What can be asked at
    /// the same time is: each call is a round trip of a worker that is paid for.
    pub(crate) async fn take(
        &mut self,
        task: &TaskMessage,
        message: &ReceivedMessage,
        record: &Record,
    ) -> Result<(Arc<Job>, Option<Found>)> {
        // The mapping hides a message for as long as the function may run. A lease of a minute
        // lets a crash be noticed in a minute.
        let lease = self.queue.set_visibility(&message.receipt_handle, self.settings.lease);
        let control = read_control(&self.storage, task.job);
        let (job, control, found) = if let Some(job) = self.jobs.get(task.job) {
            check_frame(&job, task)?;
            if let Some(obstacle) = self.obstacle(&job) {
                let left = self.leave_alone(task.job, message, obstacle).await?;
                return Ok((job, Some(left)));
            }
            match self.waits_for_slices(&job, task, message).await? {
                Wait::Over => {}
                Wait::For(lease_left) => return Ok((job, Some(Found::Held { lease_left }))),
                Wait::Dropped => return Ok((job, Some(Found::NotWanted))),
            }
            let (leased, control, found) = tokio::join!(lease, control, record.take(task.second));
            if let (Err(error), Ok(Found::Begun { .. })) = (&leased, &found) {
                // What was not leased was not tried either.
                tracing::warn!(error = sentence(error), "cannot lease the task");
                record.hand_back().await?;
                return Ok((job, Some(Found::Held { lease_left: MENDING })));
            }
            leased?;
            (job, control?, Some(found?))
        } else {
            let (leased, job, control) =
                tokio::join!(lease, read_job(&self.storage, task.job), control);
            leased?;
            let job = match job {
                Err(FarmError::NoObject { .. }) => {
                    return Err(ConsumerError::NoJob { job: task.job });
                }
                job => self.jobs.remember(job?),
            };
            check_frame(&job, task)?;
            (job, control?, None)
        };
        if control.paused.is_some() {
            // Whoever lets the job go on enqueues what has not begun.
            if let Some(Found::Begun { .. }) = found {
                record.hand_back().await?;
            }
            return Ok((job, None));
        }
        if control.cancelled {
            self.jobs.cancel(task.job);
            let found = match found {
                // Its slices have told that it had begun.
                Some(Found::Split(_)) => Some(record.begin_anyhow().await?),
                found => found,
            };
            if let Some(Found::Begun { .. }) = found {
                return Err(ConsumerError::Cancelled);
            }
            return Ok((job, None));
        }
        if let Some(Found::Split(split)) = found {
            let found = self.go_on_with_split(task, message, record, split).await?;
            return Ok((job, Some(found)));
        }
        if found.is_some() {
            return Ok((job, found));
        }
        if let Some(obstacle) = self.obstacle(&job) {
            let left = self.leave_alone(task.job, message, obstacle).await?;
            return Ok((job, Some(left)));
        }
        match self.waits_for_slices(&job, task, message).await? {
            Wait::Over => {}
            Wait::For(lease_left) => return Ok((job, Some(Found::Held { lease_left }))),
            Wait::Dropped => return Ok((job, Some(Found::NotWanted))),
        }
        // A job that is met for the first time: Blender imports its modules meanwhile.
        self.forget_other_scripts(&job)?;
        self.prepare(&job);
        let found = match record.take(task.second).await? {
            Found::Split(split) => self.go_on_with_split(task, message, record, split).await?,
            found => found,
        };
        Ok((job, Some(found)))
    }

    /// Why this worker may not render a job, where that is so: it has scripts that may not run here,
    /// or no Blender here is the one that it was promised.
    fn obstacle(&self, job: &Job) -> Option<ConsumerError> {
        if job.allow_scripts && !self.confinement.holds_scripts(self.settings.files_are_ours) {
            return Some(ConsumerError::Unconfined { missing: self.confinement.to_string() });
        }
        self.settings.blenders.lack(job)
    }

    /// What to do with a task that this worker may not render. In Lambda all workers are alike; of
    /// other machines another one may do.
    async fn leave_alone(
        &self,
        job: JobId,
        message: &ReceivedMessage,
        obstacle: ConsumerError,
    ) -> Result<Found> {
        if self.settings.files_are_ours {
            return Err(obstacle);
        }
        if read_control(&self.storage, job).await?.cancelled {
            return Ok(Found::NotWanted);
        }
        tracing::warn!(obstacle = sentence(&obstacle), "the task is left to others");
        Ok(Found::Held { lease_left: longer_each_time(message.deliveries).min(LONGEST_LEFT_ALONE) })
    }
}

/// From two seconds, twice as long at each delivery, to 17 minutes.
pub(crate) fn longer_each_time(deliveries: u32) -> Duration {
    MENDING * 2_u32.pow(deliveries.saturating_sub(1).min(9))
}

fn check_frame(job: &Job, task: &TaskMessage) -> Result<()> {
    let of_each = |slice: u32| job.slices_of_each().is_some_and(|count| slice < count);
    let has_slice = task.split.is_some() || task.slice.is_none_or(of_each);
    if job.frames.contains(task.frame) && has_slice {
        return Ok(());
    }
    Err(ConsumerError::NoFrame { job: task.job, frame: task.frame })
}
