//! A request's body that tells how much of it has left.

use std::convert::Infallible;
use std::fmt::Debug;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

/// How much is handed to the connection at once, and so how often progress moves.
const FRAME_BYTES: usize = 64 << 10;

/// Who counts the bytes of a body as they leave.
pub(crate) trait SentBytes: Debug + Send + Sync {
    /// That many bytes have left.
    fn add(&self, count: usize);

    /// The body is sent again from its beginning, or was not wanted.
    fn take_back(&self);
}

/// Nobody counts.
#[derive(Debug)]
pub(crate) struct Uncounted;

impl SentBytes for Uncounted {
    fn add(&self, _count: usize) {}

    fn take_back(&self) {}
}

/// A body of bytes that can be sent again, and is counted once.
///
/// The SDK still sees that it is in memory: it computes the checksum before and puts it into a
/// header, and sends the bytes as they are. What it streams, it copies into chunks with a trailer,
/// each signed with SHA-256 where there is no TLS.
pub(crate) fn counted_body(bytes: &Bytes, sent: &Arc<dyn SentBytes>) -> ByteStream {
    let (bytes, sent) = (bytes.clone(), sent.clone());
    ByteStream::new(SdkBody::from(bytes.clone()).map_preserve_contents(move |_| {
        sent.take_back();
        SdkBody::from_body_1_x(CountedBody { bytes: bytes.clone(), sent: sent.clone() })
    }))
}

struct CountedBody {
    bytes: Bytes,
    sent: Arc<dyn SentBytes>,
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
        self.sent.add(count);
        Poll::Ready(Some(Ok(Frame::data(frame))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.len() as u64)
    }
}
