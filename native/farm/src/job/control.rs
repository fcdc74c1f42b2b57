use protocol::{JobControl, JobId, Versioned, keys, parse};

use super::documents::read_job;
use crate::aws::connection::FarmSettings;
use crate::aws::stack::Farm;
use crate::aws::storage::Storage;
use crate::error::{FarmError, Result};

/// How often a control document that others change too is looked at again.
const CHANGES: usize = 5;

/// Asks that a job stop. Tasks that have not begun are dropped, those that have are stopped.
///
/// # Errors
/// [`FarmError`] of the call.
pub async fn cancel(settings: &FarmSettings, job: JobId) -> Result<()> {
    cancel_in(&Farm::connect(settings).await?.storage, job).await
}

/// Asks it of a bucket that is open already.
pub(super) async fn cancel_in(storage: &Storage, job: JobId) -> Result<()> {
    let control = JobControl { cancelled: true, ..JobControl::default() };
    // Whatever it says, and whoever changes it meanwhile.
    storage.put(&keys::control(job), encode(&control)?).await
}

/// Asks that a job wait: tasks that have not begun are dropped until [`crate::retry`] enqueues them
/// again, those that have come to their end. False where it waits already, or is cancelled.
///
/// # Errors
/// [`FarmError::NoObject`] where there is no such job, else [`FarmError`] of a call.
pub async fn pause(settings: &FarmSettings, job: JobId) -> Result<bool> {
    let farm = Farm::connect(settings).await?;
    read_job(&farm.storage, job).await?;
    stop(&farm.storage, job, JobControl::BY_ARTIST.into()).await
}

/// Says why a job has stopped; false where it has been cancelled or has stopped before.
pub(super) async fn stop(storage: &Storage, job: JobId, reason: String) -> Result<bool> {
    change(storage, job, |control| {
        let goes_on = !control.cancelled && control.paused.is_none();
        goes_on.then(|| JobControl { paused: Some(reason.clone()), ..JobControl::default() })
    })
    .await
}

/// Lets a job go on that has stopped itself; false where it has not. One that is cancelled stays so.
pub(super) async fn resume(storage: &Storage, job: JobId) -> Result<bool> {
    change(storage, job, |control| {
        let is_paused = !control.cancelled && control.paused.is_some();
        is_paused.then(JobControl::default)
    })
    .await
}

/// Changes what is wanted of a job by compare and swap; false where there is nothing to change.
async fn change(
    storage: &Storage,
    job: JobId,
    wanted: impl Fn(&JobControl) -> Option<JobControl>,
) -> Result<bool> {
    let key = keys::control(job);
    for _ in 0..CHANGES {
        let found = storage.get_with_etag(&key, JobControl::MAX_SIZE_BYTES).await?;
        let control: JobControl =
            found.as_ref().and_then(|(bytes, _)| parse(bytes).ok()).unwrap_or_default();
        let Some(changed) = wanted(&control) else { return Ok(false) };
        let seen = found.as_ref().map(|(_, etag)| etag.as_str());
        if storage.put_if_unchanged(&key, &encode(&changed)?, seen).await?.is_some() {
            return Ok(true);
        }
    }
    let reason = format!("{key} is being changed by others");
    Err(FarmError::Throttled { action: "change what is wanted of the job".into(), reason })
}

fn encode(control: &JobControl) -> Result<Vec<u8>> {
    serde_json::to_vec(control).map_err(|source| {
        let document = JobControl::DOCUMENT;
        protocol::ProtocolError::Malformed { document, source }.into()
    })
}
