//! How far a job is, for whoever looks once. [`crate::watch`] follows it.

use futures_util::{StreamExt, TryStreamExt, stream};
use protocol::{Job, JobId, keys};

use super::documents::{read_control, read_job};
use super::event_log::EventLog;
use super::tally::{Progress, Tally};
use crate::aws::storage::Storage;
use crate::error::{FarmError, Result};

/// How many jobs are looked at at the same time.
const JOBS_AT_ONCE: usize = 8;

/// A job and how far it is.
///
/// # Errors
/// [`FarmError::NoObject`] where there is no such job, else [`FarmError`] of a call.
pub async fn job_progress(
    storage: &Storage,
    id: JobId,
    memory_mib: u32,
) -> Result<(Job, Progress)> {
    let mut events = Vec::new();
    let mut log = EventLog::new(id);
    let (job, control, read) = tokio::join!(
        read_job(storage, id),
        read_control(storage, id),
        log.read_whole(storage, |event| events.push(event)),
    );
    let (job, control) = (job?, control?);
    read?;
    let mut tally = Tally::default();
    for event in events {
        tally.take(&job, event);
    }
    let progress = tally.progress(&job, memory_mib, &control);
    Ok((job, progress))
}

/// The newest jobs, the newest first, each with how far it is.
///
/// # Errors
/// [`FarmError`] of a call. A job that this version cannot read is left out.
pub async fn list_jobs(
    storage: &Storage,
    limit: usize,
    memory_mib: u32,
) -> Result<Vec<(Job, Progress)>> {
    let folders = storage.list_folders(keys::JOBS).await?;
    let ids: Vec<JobId> = folders
        .iter()
        .rev()
        .filter_map(|folder| folder.strip_prefix(keys::JOBS)?.strip_suffix('/')?.parse().ok())
        .take(limit)
        .collect();
    let jobs: Vec<Option<(Job, Progress)>> = stream::iter(ids)
        .map(|id| async move {
            match job_progress(storage, id, memory_mib).await {
                Ok(found) => Ok(Some(found)),
                Err(
                    FarmError::NoObject { .. }
                    | FarmError::Protocol(_)
                    | FarmError::TooLarge { .. },
                ) => Ok(None),
                Err(error) => Err(error),
            }
        })
        .buffered(JOBS_AT_ONCE)
        .try_collect()
        .await?;
    Ok(jobs.into_iter().flatten().collect())
}
