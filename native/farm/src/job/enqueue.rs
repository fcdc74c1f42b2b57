use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::{StreamExt, TryStreamExt, stream};
use protocol::{ClientToken, Digest, Job, JobId, Manifest, Versioned, keys, parse};

use super::documents::{is_cancelled, read_job};
use super::messages::enqueue_frames;
use crate::aws::queue::Queue;
use crate::aws::storage::Storage;
use crate::error::{FarmError, Result};

/// How many blobs are looked up at the same time.
const LOOKUPS_AT_ONCE: usize = 64;

/// How many frames are enqueued between two notes of how far a submission is.
const STRETCH: usize = 100;

const STRETCHES_AT_ONCE: usize = 4;

/// How long a submission may take before another client thinks that it died, in milliseconds.
const SUBMISSION_LIMIT_MS: u64 = 120_000;

/// How many frames have been enqueued so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EnqueueProgress {
    /// Frames on the queue.
    pub enqueued: u64,
    /// Frames of the job.
    pub total: u64,
}

/// Submits a job whose pack is whole in the bucket: puts `job.json` and enqueues one message a
/// frame. False where all of it was on the queue before. The add-on, whose upload has asked for every blob, and the HTTP API, which has
/// [`check_pack`] for that, both come through here.
///
/// # Errors
/// [`FarmError::Protocol`] with the field that is wrong, else [`FarmError`] of a call.
pub async fn submit_job(
    storage: &Storage,
    queue: &Queue,
    job: &Job,
    on_progress: impl Fn(EnqueueProgress),
) -> Result<bool> {
    job.validate()?;
    if !storage.put_if_absent(&keys::job(job.id), json(job)?).await? {
        // Only the same job goes on: its frames would be those of another scene.
        // What was promised of it stays promised, whatever the farm has by now.
        let there = Job {
            version: job.version,
            render_version: job.render_version,
            ..read_job(storage, job.id).await?
        };
        if there != *job {
            return Err(FarmError::OtherJob { job: job.id });
        }
        if is_cancelled(storage, job.id).await? {
            return Err(FarmError::JobCancelled { job: job.id });
        }
        if storage.look(&keys::enqueued(job.id)).await?.is_some() {
            return Ok(false);
        }
    }
    enqueue_job(storage, queue, job, on_progress).await?;
    Ok(true)
}

/// The id of the job that a client's token makes: `fresh` at the first time, and that one from then
/// on, however often and by how many clients at once the token is sent.
///
/// # Errors
/// [`FarmError`] of a call.
pub async fn job_of_token(storage: &Storage, token: &Digest, fresh: JobId) -> Result<JobId> {
    let key = keys::token(token);
    let document = ClientToken { version: ClientToken::VERSION, job: fresh };
    let bytes = serde_json::to_vec(&document).map_err(malformed::<ClientToken>)?;
    if storage.put_if_absent(&key, bytes).await? {
        return Ok(fresh);
    }
    let bytes = storage.get(&key, ClientToken::MAX_SIZE_BYTES).await?;
    let bytes =
        bytes.ok_or_else(|| FarmError::NoObject { bucket: storage.bucket().to_owned(), key })?;
    Ok(parse::<ClientToken>(&bytes)?.job)
}

/// Checks that every blob of a job's pack is in the bucket with its size.
///
/// # Errors
/// [`FarmError::Protocol`] with the field of the job that is wrong, [`FarmError::NoPack`],
/// [`FarmError::PackIncomplete`], else [`FarmError`] of a call.
pub async fn check_pack(storage: &Storage, job: &Job) -> Result<()> {
    job.validate()?;
    let manifest = storage
        .get(&keys::pack(&job.pack), Manifest::MAX_SIZE_BYTES)
        .await?
        .ok_or_else(|| FarmError::NoPack { pack: job.pack.to_string() })?;
    let manifest: Manifest = parse(&manifest)?;
    manifest.check_frames(job.frames.range())?;
    let blobs: Vec<(String, u64, String)> = manifest
        .blobs()
        .into_iter()
        .map(|(digest, (size_bytes, path))| (keys::blob(digest), size_bytes, path.to_string()))
        .collect();
    let total = blobs.len();
    let mut missing: Vec<String> = stream::iter(blobs)
        .map(|(key, size_bytes, path)| async move {
            let found = storage.look(&key).await?;
            let is_whole = found.is_some_and(|found| found.size_bytes == size_bytes);
            Ok::<_, FarmError>((!is_whole).then_some(path))
        })
        .buffer_unordered(LOOKUPS_AT_ONCE)
        .try_filter_map(|missing| async move { Ok(missing) })
        .try_collect()
        .await?;
    missing.sort_unstable();
    match missing.first() {
        None => Ok(()),
        Some(example) => Err(FarmError::PackIncomplete {
            missing: missing.len(),
            total,
            example: example.clone(),
        }),
    }
}

/// Enqueues the frames of a job whose `job.json` is there, many batches at once: those that an
/// earlier submission has not enqueued before it died.
///
/// Of the stretches that it was at work on, frames are enqueued twice. That is harmless: the second
/// delivery of a frame finds its result and is dropped.
///
/// # Errors
/// [`FarmError`] of a call.
pub async fn enqueue_job(
    storage: &Storage,
    queue: &Queue,
    job: &Job,
    on_progress: impl Fn(EnqueueProgress),
) -> Result<()> {
    let total = job.frames.count();
    let known = if total > STRETCH as u64 {
        storage.keys_below(&keys::enqueued_stretches(job.id)).await?
    } else {
        HashSet::new()
    };
    let enqueued = AtomicU64::new(0);
    let count = |frames: usize| {
        let before = enqueued.fetch_add(frames as u64, Ordering::Relaxed);
        on_progress(EnqueueProgress { enqueued: before + frames as u64, total });
    };
    count(0);
    stream::iter(job.frames.iter())
        .chunks(STRETCH)
        .enumerate()
        .map(|(number, frames)| {
            let (known, count) = (&known, &count);
            async move {
                let note = format!("{}{number}", keys::enqueued_stretches(job.id));
                if !known.contains(&note) {
                    enqueue_frames(queue, job, frames.iter().copied()).await?;
                    if total > STRETCH as u64 {
                        storage.put(&note, Vec::new()).await?;
                    }
                }
                count(frames.len());
                Ok::<_, FarmError>(())
            }
        })
        .buffer_unordered(STRETCHES_AT_ONCE)
        .try_collect::<Vec<()>>()
        .await?;
    storage.put_if_absent(&keys::enqueued(job.id), b"{\"version\":1}".to_vec()).await?;
    Ok(())
}

/// Enqueues the frames of a job whose submission died half way; true where that was so.
///
/// # Errors
/// [`FarmError`] of a call.
pub async fn ensure_enqueued(storage: &Storage, queue: &Queue, job: &Job) -> Result<bool> {
    let age_ms = crate::clock::now_ms().saturating_sub(job.id.created_ms());
    if age_ms < SUBMISSION_LIMIT_MS || storage.look(&keys::enqueued(job.id)).await?.is_some() {
        return Ok(false);
    }
    enqueue_job(storage, queue, job, |_| {}).await?;
    Ok(true)
}

fn json(job: &Job) -> Result<Vec<u8>> {
    serde_json::to_vec(job).map_err(malformed::<Job>)
}

fn malformed<T: Versioned>(source: serde_json::Error) -> FarmError {
    protocol::ProtocolError::Malformed { document: T::DOCUMENT, source }.into()
}
