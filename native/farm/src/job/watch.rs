//! Follows a job: reads what is new in its log and fetches its frames as they land.

use std::time::Duration;

use protocol::JobId;

pub use super::placement::OutputFolders;
use super::placement::Placement;
pub use super::watch_event::Event;
use super::watched_job::WatchedJob;
use crate::aws::connection::FarmSettings;
use crate::error::{FarmError, Result};

const POLL_EVERY: Duration = Duration::from_millis(1000);
/// The longest pause after calls that failed.
const MAX_PAUSE: Duration = Duration::from_secs(15);

/// Follows a job until every task has come to its end. Frames are fetched into `folders`.
///
/// What can heal by itself is reported as [`Event::Trouble`] and waited for.
///
/// # Errors
/// [`FarmError`] that someone must act on: credentials, a bucket that is gone, a folder that
/// cannot be written.
pub async fn run(
    settings: &FarmSettings,
    job: JobId,
    folders: OutputFolders,
    on_event: impl Fn(Event) + Sync,
) -> Result<()> {
    let mut pause = POLL_EVERY;
    let mut watched = loop {
        match WatchedJob::start(settings, job).await {
            Ok(watched) => break watched,
            Err(error) => wait_out(error, &mut pause, &on_event).await?,
        }
    };
    pause = POLL_EVERY;
    let placement = Placement::new(watched.job(), folders);
    let mut reported = None;
    loop {
        match watched.step(&placement, &on_event).await {
            Ok(()) => pause = POLL_EVERY,
            Err(error) => {
                wait_out(error, &mut pause, &on_event).await?;
                continue;
            }
        }
        let progress = watched.progress();
        if watched.is_finished(&progress) {
            on_event(Event::Finished(progress));
            return Ok(());
        }
        if reported.replace(progress) != Some(progress) {
            on_event(Event::Progress(progress));
        }
        tokio::time::sleep(POLL_EVERY).await;
    }
}

async fn wait_out(error: FarmError, pause: &mut Duration, on_event: &impl Fn(Event)) -> Result<()> {
    if !error.is_transient() {
        return Err(error);
    }
    on_event(Event::Trouble { message: protocol::sentence(&error) });
    tokio::time::sleep(*pause).await;
    *pause = (*pause * 2).min(MAX_PAUSE);
    Ok(())
}
