//! How long the end of a frame waits for its slices, and how often it looks for them.

use std::time::Duration;

use farm::{ReceivedMessage, read_control};
use protocol::keys::PartKind;
use protocol::{Job, TaskMessage};

use crate::error::Result;
use crate::worker::Worker;

/// How long the end of a frame has to wait for its slices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    /// All are there, or something says that there is nothing to wait for.
    Over,
    /// So long, before it looks again.
    For(Duration),
    /// Its job is paused: it goes with its slices.
    Dropped,
}

/// After how many deliveries the end of a frame is made without the slices that are missing: whoever
/// makes it renders them itself, before the queue gives its message up. By then it is days.
const MOST_DELIVERIES: u32 = 900;

/// For so many deliveries, some 50 minutes, slices are looked for often.
const OFTEN_DELIVERIES: u32 = 200;

/// How long the end of a frame waits at the most before it looks for its slices again, in seconds:
/// where some are there, and where none is or it has looked often enough. Each look is paid, and the last
/// slice sends the end by itself: these look for slices that are slow, or whose worker died.
const LONGEST_WAITS_SECONDS: (u32, u32) = (15, 600);

/// By how many seconds the end of a frame waits longer each time that no slice is there.
const LONGER_SECONDS: u32 = 5;

impl Worker {
    /// How long the end of a frame has to wait where its job says into how many slices it is split.
    pub(super) async fn waits_for_slices(
        &self,
        job: &Job,
        task: &TaskMessage,
        message: &ReceivedMessage,
    ) -> Result<Wait> {
        match (job.slices_of_each(), task.slice) {
            (Some(count), None) => self.waits_for(count, task, message).await,
            _ => Ok(Wait::Over),
        }
    }

    /// How long the end of a frame has to wait for so many slices.
    pub(super) async fn waits_for(
        &self,
        count: u32,
        task: &TaskMessage,
        message: &ReceivedMessage,
    ) -> Result<Wait> {
        if message.deliveries > MOST_DELIVERIES {
            return Ok(Wait::Over);
        }
        let parts = self.parts(task).await?;
        let is_decided =
            |(_, kind): &(u32, PartKind)| matches!(kind, PartKind::Failed | PartKind::Whole);
        if parts.iter().any(is_decided) || parts.len() >= count as usize {
            return Ok(Wait::Over);
        }
        // The slices of a job that stands still are dropped: so is its end. That it was cancelled is told
        // by who takes it.
        let control = read_control(&self.storage, task.job).await?;
        if control.cancelled {
            return Ok(Wait::Over);
        }
        if control.paused.is_some() {
            return Ok(Wait::Dropped);
        }
        self.help_slow_slices(task, count, &parts).await;
        Ok(Wait::For(wait_after(message.deliveries, !parts.is_empty())))
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
    fn the_end_of_a_frame_waits_for_days_before_it_renders_what_is_missing() {
        assert_eq!(wait_after(1, true), Duration::from_secs(1));
        assert_eq!(wait_after(40, true), Duration::from_secs(15));
        assert_eq!(wait_after(1, false), Duration::from_secs(5));
        assert_eq!(wait_after(40, false), Duration::from_secs(200));
        assert_eq!(wait_after(400, false), Duration::from_secs(600));
        let all: Duration =
            (1..=MOST_DELIVERIES).map(|deliveries| wait_after(deliveries, true)).sum();
        assert!(all > Duration::from_hours(96), "{all:?}");
    }
}
