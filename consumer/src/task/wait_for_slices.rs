//! How long the end of a frame waits for its slices, and how often it looks for them.

use std::time::Duration;

use farm::{ReceivedMessage, read_control};
use protocol::keys::PartKind;
use protocol::{Job, TaskMessage};

use crate::error::Result;
use crate::worker::Worker;

/// After how many deliveries the end of a frame is made without the slices that are missing: whoever
/// makes it renders them itself, before the queue gives its message up. By then it is half a day.
const MOST_DELIVERIES: u32 = 900;

/// For so many deliveries, some 50 minutes, slices are looked for often.
const OFTEN_DELIVERIES: u32 = 200;

/// How long the end of a frame waits at the most before it looks for its slices again, in seconds:
/// where some are there, and where none is or it has looked often enough. Each look is paid.
const LONGEST_WAITS_SECONDS: (u32, u32) = (15, 60);

/// By how many seconds the end of a frame waits longer each time that no slice is there.
const LONGER_SECONDS: u32 = 5;

impl Worker {
    /// How long the end of a frame has to wait before it looks for its slices again; nothing where
    /// all are there, or one says that there is nothing to wait for.
    pub(super) async fn waits_for_slices(
        &self,
        job: &Job,
        task: &TaskMessage,
        message: &ReceivedMessage,
    ) -> Result<Option<Duration>> {
        match (job.slices_of_each(), task.slice) {
            (Some(count), None) => self.waits_for(count, task, message).await,
            _ => Ok(None),
        }
    }

    /// How long the end of a frame has to wait for so many slices.
    pub(super) async fn waits_for(
        &self,
        count: u32,
        task: &TaskMessage,
        message: &ReceivedMessage,
    ) -> Result<Option<Duration>> {
        if message.deliveries > MOST_DELIVERIES {
            return Ok(None);
        }
        let parts = self.parts(task).await?;
        let is_decided =
            |(_, kind): &(u32, PartKind)| matches!(kind, PartKind::Failed | PartKind::Whole);
        if parts.iter().any(is_decided) || parts.len() >= count as usize {
            return Ok(None);
        }
        // The slices of a job that stands still are dropped: so is its end, by who takes it.
        let control = read_control(&self.storage, task.job).await?;
        if control.cancelled || control.paused.is_some() {
            return Ok(None);
        }
        self.help_slow_slices(task, count, &parts).await;
        Ok(Some(wait_after(message.deliveries, !parts.is_empty())))
    }
}

/// How long the end of a frame waits after so many deliveries, where some of its slices are there or
/// none.
fn wait_after(deliveries: u32, has_begun: bool) -> Duration {
    let (often, seldom) = LONGEST_WAITS_SECONDS;
    let seconds = if has_begun && deliveries <= OFTEN_DELIVERIES {
        deliveries.clamp(1, often)
    } else {
        deliveries.saturating_mul(LONGER_SECONDS).clamp(LONGER_SECONDS, seldom)
    };
    Duration::from_secs(seconds.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_frame_waits_for_half_a_day_before_it_renders_what_is_missing() {
        assert_eq!(wait_after(1, true), Duration::from_secs(1));
        assert_eq!(wait_after(40, true), Duration::from_secs(15));
        assert_eq!(wait_after(1, false), Duration::from_secs(5));
        assert_eq!(wait_after(40, false), Duration::from_secs(60));
        let all: Duration =
            (1..=MOST_DELIVERIES).map(|deliveries| wait_after(deliveries, true)).sum();
        assert!(all > Duration::from_hours(12), "{all:?}");
    }
}
