//! Keeps a task alive while it is worked on: renews its lease, tells its progress, and notices
//! that the job was cancelled.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use farm::{Queue, Storage, is_cancelled};
use protocol::{JobId, TaskState, sentence};
use tokio::sync::watch;

use crate::error::ConsumerError;
use crate::task::record::Record;

/// How often progress may be written. Each write is a paid request.
const PROGRESS_EVERY: Duration = Duration::from_secs(5);

/// How often the artist's wish to cancel is looked for.
const CONTROL_EVERY: Duration = Duration::from_secs(5);

pub(crate) struct Heartbeat<'a> {
    pub(crate) storage: &'a Storage,
    pub(crate) queue: &'a Queue,
    pub(crate) job: JobId,
    pub(crate) receipt_handle: &'a str,
    pub(crate) lease: Duration,
    pub(crate) record: &'a Record,
    pub(crate) progress: watch::Receiver<Option<f32>>,
}

impl Heartbeat<'_> {
    /// Runs until the job is cancelled; whoever works drops it when the work is done.
    ///
    /// A call that fails is tried again at the next beat: the lease is three beats long.
    pub(crate) async fn run(self) -> ConsumerError {
        tokio::select! {
            never = self.renew() => match never {},
            error = self.tell() => error,
        }
    }

    /// Renews the lease, whatever else is slow.
    async fn renew(&self) -> Infallible {
        loop {
            tokio::time::sleep(self.lease / 3).await;
            self.warn(self.queue.set_visibility(self.receipt_handle, self.lease).await);
        }
    }

    /// Writes the progress, and that the task is alive; ends where the job was cancelled.
    async fn tell(&self) -> ConsumerError {
        let beat = self.lease / 3;
        let (mut written, mut looked) = (Instant::now(), Instant::now());
        let mut last_progress = None;
        loop {
            tokio::time::sleep(beat.min(Duration::from_secs(1))).await;
            let progress = *self.progress.borrow();
            let has_news = progress != last_progress && written.elapsed() >= PROGRESS_EVERY;
            if written.elapsed() >= beat || has_news {
                written = Instant::now();
                last_progress = progress;
                self.warn(self.record.write(TaskState::Running { progress }).await);
            }
            if looked.elapsed() >= CONTROL_EVERY {
                looked = Instant::now();
                match is_cancelled(self.storage, self.job).await {
                    Ok(true) => return ConsumerError::Cancelled,
                    Ok(false) => {}
                    Err(error) => self.warn(Err(error)),
                }
            }
        }
    }

    fn warn<E: std::error::Error>(&self, result: std::result::Result<(), E>) {
        if let Err(error) = result {
            let (job, key) = (self.job, self.record.key());
            tracing::warn!(%job, record = key, error = sentence(&error), "a heartbeat failed");
        }
    }
}
