//! How far a job is, from what its tasks have written.

use std::collections::HashSet;

use futures_util::{StreamExt, TryStreamExt, stream};
use protocol::{Job, JobControl, JobId, TaskRecord, TaskState, keys, parse, pricing};

use crate::aws::storage::Storage;
use crate::error::{FarmError, Result};

/// How many records are read at the same time.
const RECORDS_AT_ONCE: usize = 64;

/// How many jobs are looked at at the same time.
const JOBS_AT_ONCE: usize = 8;

/// How far a job is.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Progress {
    /// Tasks of the job.
    pub total: u64,
    /// Tasks whose frames are rendered.
    pub done: u64,
    /// Tasks whose frames are on this machine.
    pub fetched: u64,
    /// Tasks being worked on.
    pub running: u64,
    /// Tasks that failed for good.
    pub failed: u64,
    /// Tasks dropped because the job was cancelled.
    pub cancelled: u64,
    /// The frames done, with the parts of those that are running.
    pub frames: f64,
    /// How many different workers have taken part.
    pub workers: u64,
    /// Blender's own render time, all tasks together, in seconds.
    pub render_seconds: f64,
    /// All time that tasks took on their workers, in seconds.
    pub billed_seconds: f64,
    /// What the tasks so far cost on Lambda, in US dollars.
    pub cost_usd: f64,
    /// Whether the artist cancelled the job.
    pub is_cancelled: bool,
}

impl Progress {
    /// Sums up the records of a job whose workers have `memory_mib` of memory.
    #[must_use]
    pub fn of<'a>(
        job: &Job,
        records: impl Iterator<Item = &'a TaskRecord>,
        memory_mib: u32,
    ) -> Self {
        let mut progress = Self { total: job.frames.count(), ..Self::default() };
        let mut workers: HashSet<&str> = HashSet::new();
        for record in records {
            workers.insert(&record.worker);
            match &record.state {
                TaskState::Running { progress: part } => {
                    progress.running += 1;
                    progress.frames += f64::from(part.unwrap_or(0.0));
                }
                TaskState::Done { times, .. } => {
                    progress.done += 1;
                    progress.frames += 1.0;
                    progress.render_seconds += times.render_seconds;
                    progress.billed_seconds += times.total_seconds;
                }
                TaskState::Failed { .. } => progress.failed += 1,
                TaskState::Retrying { .. } => {}
                TaskState::Cancelled => progress.cancelled += 1,
            }
        }
        progress.workers = workers.len() as u64;
        progress.cost_usd = pricing::tasks_usd(progress.done, progress.billed_seconds, memory_mib);
        progress
    }
}

/// A job and how far it is; for whoever looks once. [`crate::watch`] follows it.
///
/// # Errors
/// [`FarmError::NoObject`] where there is no such job, else [`FarmError`] of a call.
pub async fn job_progress(
    storage: &Storage,
    id: JobId,
    memory_mib: u32,
) -> Result<(Job, Progress)> {
    let job = read_job(storage, id).await?;
    let listed = storage.list(&keys::tasks(id)).await?;
    let records: Vec<TaskRecord> = stream::iter(listed)
        .map(|object| async move { read_record(storage, &object.key).await })
        .buffer_unordered(RECORDS_AT_ONCE)
        .try_filter_map(|record| async move { Ok(record) })
        .try_collect()
        .await?;
    let mut progress = Progress::of(&job, records.iter(), memory_mib);
    progress.is_cancelled = is_cancelled(storage, id).await?;
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
                Err(FarmError::NoObject { .. } | FarmError::Protocol(_)) => Ok(None),
                Err(error) => Err(error),
            }
        })
        .buffered(JOBS_AT_ONCE)
        .try_collect()
        .await?;
    Ok(jobs.into_iter().flatten().collect())
}

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

/// Whether the artist cancelled a job.
///
/// # Errors
/// [`FarmError`] of the call.
pub async fn is_cancelled(storage: &Storage, job: JobId) -> Result<bool> {
    let bytes = storage.get(&keys::control(job), JobControl::MAX_SIZE_BYTES).await?;
    Ok(bytes
        .and_then(|bytes| parse::<JobControl>(&bytes).ok())
        .is_some_and(|control| control.cancelled))
}

pub(crate) async fn read_record(storage: &Storage, key: &str) -> Result<Option<TaskRecord>> {
    match storage.get(key, TaskRecord::MAX_SIZE_BYTES).await? {
        Some(bytes) => Ok(Some(parse(&bytes)?)),
        None => Ok(None),
    }
}
