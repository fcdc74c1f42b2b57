//! Follows a job: reads what is new in its log and fetches its frames as they land.

use std::pin::pin;
use std::time::Duration;

use protocol::JobId;

pub use super::placement::OutputFolders;
use super::placement::Placement;
pub use super::watch_event::Event;
use super::watched_job::WatchedJob;
use crate::aws::connection::FarmSettings;
use crate::error::{FarmError, Result};

const POLL_EVERY: Duration = Duration::from_millis(1000);
/// After how long without a word the artist is told.
const QUIET: Duration = Duration::from_secs(15);
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
        match WatchedJob::start(settings, job, folders.previews.clone()).await {
            Ok(watched) => break watched,
            Err(error) => wait_out(error, &mut pause, &on_event).await?,
        }
    };
    pause = POLL_EVERY;
    let placement = Placement::new(watched.job(), folders);
    let mut reported = None;
    loop {
        let (step, was_quiet) =
            tell_quiet(watched.step(&placement, &on_event), QUIET, &on_event).await;
        if was_quiet {
            // Whoever shows that nothing comes learns that something does again.
            reported = None;
        }
        match step {
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

/// Does a step; where it takes long, says so, once. Gives what came of it, and whether it was said.
async fn tell_quiet(
    step: impl Future<Output = Result<()>>,
    quiet: Duration,
    on_event: &impl Fn(Event),
) -> (Result<()>, bool) {
    let mut step = pin!(step);
    if let Ok(done) = tokio::time::timeout(quiet, &mut step).await {
        return (done, false);
    }
    let message = format!(
        "nothing has come for {} s: the network is slow, or AWS does not answer",
        quiet.as_secs()
    );
    on_event(Event::Trouble { message });
    (step.await, true)
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

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[tokio::test]
    async fn a_server_that_stalls_is_told_of_once_and_waited_for() {
        let told = Mutex::new(Vec::new());
        let tell = |event| told.lock().unwrap().push(event);
        let quiet = Duration::from_secs(1);
        assert!(!tell_quiet(async { Ok(()) }, quiet, &tell).await.1);
        assert!(told.lock().unwrap().is_empty());
        let stalled = async {
            tokio::time::sleep(quiet * 2).await;
            Ok(())
        };
        assert!(tell_quiet(stalled, quiet, &tell).await.1);
        let message = "nothing has come for 1 s: the network is slow, or AWS does not answer";
        let expected = Event::Trouble { message: message.into() };
        assert_eq!(*told.lock().unwrap(), [expected]);
    }
}
