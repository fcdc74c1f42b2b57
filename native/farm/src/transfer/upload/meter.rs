use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Over how long the rate is taken: long enough to be steady, short enough to notice a change.
const RATE_WINDOW: Duration = Duration::from_secs(10);

/// What has been uploaded so far. Bytes are those of the files, however small they travel.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct UploadProgress {
    /// Files of the pack that were found so far; all of them before the first is sent.
    pub found_files: u64,
    /// Their bytes.
    pub found_bytes: u64,
    /// Files whose digest is known, by hashing or from before.
    pub hashed_files: u64,
    /// Their bytes.
    pub hashed_bytes: u64,
    /// Files that the bucket had.
    pub skipped_files: u64,
    /// Their bytes.
    pub skipped_bytes: u64,
    /// Files that were sent.
    pub sent_files: u64,
    /// Bytes that were sent.
    pub sent_bytes: u64,
    /// Bytes sent in a second, over the last ten.
    pub bytes_per_second: f64,
    /// Seconds until everything is sent, at that rate; unknown before anything was.
    pub seconds_left: Option<f64>,
}

/// Counts what happens; whoever drives the upload looks at it from time to time.
#[derive(Debug, Default)]
pub(super) struct Meter(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    progress: UploadProgress,
    history: VecDeque<(Instant, u64)>,
}

impl Meter {
    pub(super) fn count(&self, change: impl FnOnce(&mut UploadProgress)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner).progress);
    }

    /// What was counted so far, with the rate and the time left.
    pub(super) fn read(&self) -> UploadProgress {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.measure(Instant::now());
        counts.progress
    }
}

impl Counts {
    #[expect(clippy::cast_precision_loss, reason = "a rate needs no exact bytes")]
    fn measure(&mut self, now: Instant) {
        let progress = &mut self.progress;
        self.history.push_back((now, progress.sent_bytes));
        while self.history.get(1).is_some_and(|(at, _)| now - *at >= RATE_WINDOW) {
            self.history.pop_front();
        }
        let Some((since, before)) = self.history.front() else { return };
        let seconds = (now - *since).as_secs_f64();
        // A part that has to be sent again takes its bytes back.
        let sent = progress.sent_bytes.saturating_sub(*before);
        progress.bytes_per_second = if seconds > 0.0 { sent as f64 / seconds } else { 0.0 };
        let done = progress.sent_bytes.saturating_add(progress.skipped_bytes);
        let left = progress.found_bytes.saturating_sub(done) as f64;
        progress.seconds_left =
            (progress.bytes_per_second > 0.0).then(|| left / progress.bytes_per_second);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_follows_from_the_last_ten_seconds() {
        let mut counts = Counts {
            progress: UploadProgress { found_bytes: 1000, ..Default::default() },
            history: VecDeque::new(),
        };
        let start = Instant::now();
        counts.measure(start);
        assert_eq!(counts.progress.seconds_left, None);
        for (seconds, sent) in [(10, 100), (20, 400)] {
            counts.progress.sent_bytes = sent;
            counts.measure(start + Duration::from_secs(seconds));
        }
        assert!((counts.progress.bytes_per_second - 30.0).abs() < 1e-9);
        assert_eq!(counts.progress.seconds_left, Some(20.0));
    }
}
