//! The documents of a job, as they are read.

use protocol::{Job, JobControl, JobId, TaskRecord, keys, parse};

use crate::aws::storage::Storage;
use crate::error::{FarmError, Result};

/// Reads a job's description.
///
/// # Errors
/// [`FarmError::NoObject`] where there is none, else [`FarmError`] of the call.
pub async fn read_job(storage: &Storage, id: JobId) -> Result<Job> {
    let key = keys::job(id);
    let bytes = storage.get(&key, Job::MAX_SIZE_BYTES).await?;
    let bytes =
        bytes.ok_or_else(|| FarmError::NoObject { bucket: storage.bucket().to_owned(), key })?;
    Ok(parse(&bytes)?)
}

/// Reads what became of a task; `None` where nobody has begun it.
pub(super) async fn read_record(
    storage: &Storage,
    job: JobId,
    frame: i32,
) -> Result<Option<TaskRecord>> {
    let bytes = storage.get(&keys::task(job, frame), TaskRecord::MAX_SIZE_BYTES).await?;
    Ok(bytes.map(|bytes| parse(&bytes)).transpose()?)
}

/// What the artist, or the job itself, wants of its tasks. A document that cannot be read says
/// nothing: whoever cancels writes it anew.
///
/// # Errors
/// [`FarmError`] of the call.
pub async fn read_control(storage: &Storage, job: JobId) -> Result<JobControl> {
    match storage.get(&keys::control(job), JobControl::MAX_SIZE_BYTES).await {
        Ok(bytes) => Ok(bytes.and_then(|bytes| parse(&bytes).ok()).unwrap_or_default()),
        Err(FarmError::TooLarge { .. }) => Ok(JobControl::default()),
        Err(error) => Err(error),
    }
}

/// Whether the artist cancelled a job.
///
/// # Errors
/// [`FarmError`] of the call.
pub async fn is_cancelled(storage: &Storage, job: JobId) -> Result<bool> {
    Ok(read_control(storage, job).await?.cancelled)
}
