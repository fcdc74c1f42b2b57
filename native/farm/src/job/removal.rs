//! A job that is deleted from the bucket.

use protocol::{JobId, keys};

use super::control::cancel_in;
use crate::aws::connection::FarmSettings;
use crate::aws::stack::Farm;
use crate::error::Result;

/// Deletes what the bucket holds of a job: frames, logs, records, and in the end the job itself. What
/// had not begun is cancelled. Packs stay: other jobs may have them, too.
///
/// Interrupted, it goes on where it was when it is called again. As long as the queue holds messages,
/// the job's own two documents stay, which tell workers to drop those of it; they are deleted with
/// everything else once they are old.
///
/// # Errors
/// [`crate::FarmError`] of a call.
pub async fn remove(settings: &FarmSettings, job: JobId) -> Result<()> {
    let farm = Farm::connect(settings).await?;
    let storage = &farm.storage;
    cancel_in(storage, job).await?;
    let last = [keys::job(job), keys::control(job)];
    storage.delete_below(&keys::job_folder(job), &last).await?;
    if farm.queue.depth().await?.is_empty() {
        storage.delete_all(last.into()).await?;
    }
    Ok(())
}
