//! Keeps a task alive while it is worked on: renews its lease, tells its progress, and notices
//! that the job was cancelled.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use farm::{Queue, Storage, is_cancelled};
use protocol::{JobId, TaskEventKind, sentence};
use tokio::sync::watch;

use crate::error::ConsumerError;
use crate::task::record::Record;
use crate::task::too_long::FrameProgress;

/// How often progress may be told. Each time is a paid request.
const PROGRESS_EVERY: Duration = Duration::from_secs(5);

/// What is worth telling: twenty times a frame at the most.
const PROGRESS_STEP: f32 = 0.05;

/// How often the artist's wish to cancel is looked for.
const CONTROL_EVERY: Duration = Duration::from_secs(5);

pub(crate) struct Heartbeat<'a> {
    pub(crate) storage: &'a Storage,
    pub(crate) queue: &'a Queue,
    pub(crate) job: JobId,
    pub(crate) receipt_handle: &'a str,
    pub(crate) lease: Duration,
    pub(crate) record: &'a Record,
    pub(crate) progress: watch::Receiver<FrameProgress>,
}

impl Heartbeat<'_> {
    /// Runs until the job is cancelled, or another worker has the task; whoever works drops it when
    /// the work is done.
    ///
    /// A call that fails is tried again at the next beat: the lease is three beats long.
    pub(crate) async fn run(self) -> ConsumerError {
        tokio::select! {
            never = self.renew_lease() => match never {},
            never = self.tell() => match never {},
            error = self.renew_record() => error,
            error = self.look_for_control() => error,
        }
    }

    /// Renews the lease, whatever else is slow.
    async fn renew_lease(&self) -> Infallible {
        loop {
            tokio::time::sleep(self.lease / 3).await;
            self.warn(self.queue.set_visibility(self.receipt_handle, self.lease).await);
        }
    }

    /// Says in the record that the task is alive; ends where another worker has taken it.
    async fn renew_record(&self) -> ConsumerError {
        loop {
            tokio::time::sleep(self.lease / 3).await;
            let progress = self.progress.borrow().part;
            match self.record.renew(progress).await {
                Ok(true) => {}
                Ok(false) => return ConsumerError::Superseded,
                Err(error) => self.warn(Err(error)),
            }
        }
    }

    /// Tells in the job's log that the task has begun, and how far it is.
    async fn tell(&self) -> Infallible {
        self.warn(self.record.tell(TaskEventKind::Running).await);
        let mut told = 0.0;
        loop {
            tokio::time::sleep(PROGRESS_EVERY).await;
            let part = self.progress.borrow().part.unwrap_or(0.0);
            if part - told >= PROGRESS_STEP {
                told = part;
                let kind = TaskEventKind::Progress { permille: permille(part) };
                self.warn(self.record.tell(kind).await);
            }
        }
    }

    /// Ends where the job was cancelled.
    async fn look_for_control(&self) -> ConsumerError {
        let mut looked = Instant::now();
        loop {
            tokio::time::sleep(CONTROL_EVERY.saturating_sub(looked.elapsed())).await;
            looked = Instant::now();
            match is_cancelled(self.storage, self.job).await {
                Ok(true) => return ConsumerError::Cancelled,
                Ok(false) => {}
                Err(error) => self.warn(Err(error)),
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

/// Thousandths of a part of 0 to 1.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 0 and 1000 by then"
)]
fn permille(part: f32) -> u16 {
    (part.clamp(0.0, 1.0) * 1000.0) as u16
}
