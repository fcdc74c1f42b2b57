use protocol::{JobControl, JobId, Versioned, keys};

use crate::aws::connection::FarmSettings;
use crate::aws::stack::Farm;
use crate::aws::storage::Storage;
use crate::error::Result;

/// Asks that a job stop. Tasks that have not begun are dropped, those that have are stopped.
///
/// # Errors
/// [`FarmError`] of the call.
pub async fn cancel(settings: &FarmSettings, job: JobId) -> Result<()> {
    let farm = Farm::connect(settings).await?;
    let control = JobControl { cancelled: true, ..JobControl::default() };
    write_control(&farm.storage, job, &control).await
}

/// Says what is wanted of a job.
pub(super) async fn write_control(
    storage: &Storage,
    job: JobId,
    control: &JobControl,
) -> Result<()> {
    let bytes = serde_json::to_vec(control).map_err(|source| {
        let document = JobControl::DOCUMENT;
        protocol::ProtocolError::Malformed { document, source }
    })?;
    storage.put(&keys::control(job), bytes).await
}
