use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

/// Most bytes that wait to be used again.
const KEPT_BYTES: usize = 16 << 20;

/// Memory that was read into before: fresh memory costs about as much as reading a file that the
/// system has in its cache, as it is cleared page by page.
#[derive(Debug, Clone, Default)]
pub(crate) struct Buffers(Arc<Mutex<Vec<Vec<u8>>>>);

impl Buffers {
    /// An empty buffer with room for that many bytes, and little more than twice that.
    pub(crate) fn take(&self, size: usize) -> Vec<u8> {
        let fits = |buffer: &Vec<u8>| (size..=2 * size).contains(&buffer.capacity());
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match kept.iter().rposition(fits) {
            Some(at) => kept.swap_remove(at),
            None => Vec::with_capacity(size),
        }
    }

    /// The bytes to be sent; their memory comes back when nobody needs them any more.
    pub(crate) fn lend(&self, bytes: Vec<u8>) -> Bytes {
        Bytes::from_owner(Lent { bytes, home: self.clone() })
    }

    fn take_back(&self, mut buffer: Vec<u8>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept_bytes: usize = kept.iter().map(Vec::capacity).sum();
        if kept_bytes + buffer.capacity() <= KEPT_BYTES {
            buffer.clear();
            kept.push(buffer);
        }
    }
}

struct Lent {
    bytes: Vec<u8>,
    home: Buffers,
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.home.take_back(std::mem::take(&mut self.bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_back_when_its_last_bytes_go() {
        let buffers = Buffers::default();
        let mut buffer = buffers.take(1000);
        buffer.extend_from_slice(b"bytes");
        let place = buffer.as_ptr();
        let sent = buffers.lend(buffer);
        let part = sent.slice(1..3);
        drop(sent);
        let other = buffers.take(1000);
        assert_ne!(other.as_ptr(), place);
        assert_eq!(&*part, b"yt");
        drop(part);
        let again = buffers.take(900);
        assert_eq!((again.as_ptr(), again.len()), (place, 0));
    }

    #[test]
    fn a_small_file_does_not_hold_a_large_buffer_and_little_waits() {
        let buffers = Buffers::default();
        drop(buffers.lend(buffers.take(1 << 20)));
        assert!(buffers.take(1000).capacity() < 1 << 20);
        let lent: Vec<_> = (0..64).map(|_| buffers.lend(buffers.take(1 << 20))).collect();
        drop(lent);
        assert_eq!(buffers.0.lock().unwrap().len(), KEPT_BYTES >> 20);
    }
}
