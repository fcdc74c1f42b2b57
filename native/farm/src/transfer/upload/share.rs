//! What part of an upload a body is, counted as it leaves.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::large_file::CountedPart;
use super::meter::Meter;
use crate::aws::counted_body::SentBytes;

/// The part of an upload that one body stands for.
#[derive(Debug)]
pub(super) struct Share {
    meter: Arc<Meter>,
    /// The bytes of the files in the body: more than the body has where it is compressed.
    file_bytes: u64,
    body_bytes: u64,
    left: AtomicU64,
    counted: AtomicU64,
}

impl Share {
    pub(super) fn new(meter: &Arc<Meter>, file_bytes: u64, body_bytes: u64) -> Arc<Self> {
        let meter = meter.clone();
        Arc::new(Self { meter, file_bytes, body_bytes, left: 0.into(), counted: 0.into() })
    }
}

impl SentBytes for Share {
    fn add(&self, count: usize) {
        let left = self.left.fetch_add(count as u64, Ordering::Relaxed) + count as u64;
        let share = u128::from(left.min(self.body_bytes)) * u128::from(self.file_bytes)
            / u128::from(self.body_bytes.max(1));
        let share = u64::try_from(share).unwrap_or(self.file_bytes);
        let before = self.counted.swap(share, Ordering::Relaxed);
        self.meter.count(|progress| progress.sent_bytes += share.saturating_sub(before));
    }

    fn take_back(&self) {
        self.left.store(0, Ordering::Relaxed);
        let counted = self.counted.swap(0, Ordering::Relaxed);
        if counted > 0 {
            self.meter.count(|progress| progress.sent_bytes -= counted.min(progress.sent_bytes));
        }
    }
}

impl CountedPart for Share {
    /// Counts all of it as there before, unless this run has sent it.
    fn skip(&self) {
        if self.counted.load(Ordering::Relaxed) == self.file_bytes {
            return;
        }
        self.take_back();
        self.meter.count(|progress| progress.skipped_bytes += self.file_bytes);
    }
}
