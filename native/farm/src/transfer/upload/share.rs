//! A request's body that tells how much of it has left.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::meter::Meter;

/// How much is handed to the connection at once, and so how often progress moves.
const FRAME_BYTES: usize = 64 << 10;

/// The part of an upload that one body stands for.
#[derive(Debug)]
pub(crate) struct Share {
    meter: Option<Arc<Meter>>,
    /// The bytes of the files in the body: more than the body has where it is compressed.
    file_bytes: u64,
    body_bytes: u64,
    left: AtomicU64,
    counted: AtomicU64,
}

impl Share {
    pub(super) fn new(meter: &Arc<Meter>, file_bytes: u64, body_bytes: u64) -> Arc<Self> {
        let meter = Some(meter.clone());
        Arc::new(Self { meter, file_bytes, body_bytes, left: 0.into(), counted: 0.into() })
    }

    /// A share that nobody looks at.
    pub(crate) fn uncounted() -> Arc<Self> {
        let (left, counted) = (0.into(), 0.into());
        Arc::new(Self { meter: None, file_bytes: 0, body_bytes: 1, left, counted })
    }

    /// Takes back what was counted: the body is sent again, or was not wanted.
    pub(crate) fn take_back(&self) {
        self.left.store(0, Ordering::Relaxed);
        let counted = self.counted.swap(0, Ordering::Relaxed);
        if let Some(meter) = self.meter.as_ref().filter(|_| counted > 0) {
            meter.count(|progress| progress.sent_bytes -= counted.min(progress.sent_bytes));
        }
    }

    /// Counts all of it as there before, unless this run has sent it.
    pub(super) fn skip(&self) {
        if self.counted.load(Ordering::Relaxed) == self.file_bytes {
            return;
        }
        self.take_back();
        if let Some(meter) = &self.meter {
            meter.count(|progress| progress.skipped_bytes += self.file_bytes);
        }
    }

    fn add(&self, count: usize) {
        let Some(meter) = &self.meter else { return };
        let left = self.left.fetch_add(count as u64, Ordering::Relaxed) + count as u64;
        let share = u128::from(left.min(self.body_bytes)) * u128::from(self.file_bytes)
            / u128::from(self.body_bytes.max(1));
        let share = u64::try_from(share).unwrap_or(self.file_bytes);
        let before = self.counted.swap(share, Ordering::Relaxed);
        meter.count(|progress| progress.sent_bytes += share.saturating_sub(before));
    }
}

/// A body of bytes that can be sent again, and is counted once.
///
/// The SDK still sees that it is in memory: it computes the checksum before and puts it into a
/// header, and sends the bytes as they are. What it streams, it copies into chunks with a trailer,
/// each signed with SHA-256 where there is no TLS.
pub(crate) fn counted_body(bytes: &Bytes, share: &Arc<Share>) -> ByteStream {
    let (bytes, share) = (bytes.clone(), share.clone());
    ByteStream::new(SdkBody::from(bytes.clone()).map_preserve_contents(move |_| {
        share.take_back();
        SdkBody::from_body_1_x(CountedBody { bytes: bytes.clone(), share: share.clone() })
    }))
}

struct CountedBody {
    bytes: Bytes,
    share: Arc<Share>,
}

impl Body for CountedBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.bytes.is_empty() {
            return Poll::Ready(None);
        }
        let count = FRAME_BYTES.min(self.bytes.len());
        let frame = self.bytes.split_to(count);
        self.share.add(count);
        Poll::Ready(Some(Ok(Frame::data(frame))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.len() as u64)
    }
}
