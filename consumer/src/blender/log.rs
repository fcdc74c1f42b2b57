use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncRead, AsyncReadExt};

/// Most bytes of one task's log that are kept: its beginning and its end.
const HALF_BYTES: usize = 512 << 10;

/// Bytes of the end of a log that go into a task's record.
const TAIL_BYTES: usize = 4096;

/// What Blender prints while it works on a task.
#[derive(Debug, Clone, Default)]
pub(crate) struct Log {
    content: Arc<Mutex<Content>>,
}

#[derive(Debug, Default)]
struct Content {
    head: Vec<u8>,
    tail: Vec<u8>,
    dropped: usize,
}

impl Log {
    /// Collects everything from a pipe until it closes.
    pub(crate) fn collect(&self, mut from: impl AsyncRead + Unpin + Send + 'static) {
        let log = self.clone();
        tokio::spawn(async move {
            let mut buffer = vec![0; 16 << 10];
            while let Ok(count @ 1..) = from.read(&mut buffer).await {
                log.push(buffer.get(..count).unwrap_or_default());
            }
        });
    }

    /// Starts anew, for the next task.
    pub(crate) fn clear(&self) {
        *self.lock() = Content::default();
    }

    /// The whole log.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let content = self.lock();
        let mut bytes = content.head.clone();
        if content.dropped > 0 {
            bytes.extend_from_slice(
                format!("\n… {} bytes left out …\n", content.dropped).as_bytes(),
            );
        }
        bytes.extend_from_slice(&content.tail);
        bytes
    }

    /// The end of the log, 4 KB at most, from the beginning of a line.
    pub(crate) fn tail(&self) -> String {
        let bytes = self.bytes();
        let start = bytes.len().saturating_sub(TAIL_BYTES);
        let text = String::from_utf8_lossy(bytes.get(start..).unwrap_or_default()).into_owned();
        match text.split_once('\n') {
            Some((_, rest)) if start > 0 && !rest.is_empty() => rest.to_owned(),
            // One line that is longer: its end. What stands for half a letter takes more room.
            _ => text.chars().skip_while(|letter| *letter == '\u{fffd}').collect(),
        }
    }

    fn push(&self, bytes: &[u8]) {
        let mut content = self.lock();
        let room = HALF_BYTES.saturating_sub(content.head.len()).min(bytes.len());
        let (to_head, to_tail) = bytes.split_at(room);
        content.head.extend_from_slice(to_head);
        content.tail.extend_from_slice(to_tail);
        if content.tail.len() > HALF_BYTES {
            let excess = content.tail.len() - HALF_BYTES;
            content.tail.drain(..excess);
            content.dropped += excess;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_log_keeps_its_beginning_and_its_end() {
        let log = Log::default();
        log.push(b"first line\n");
        for number in 0..200_000 {
            log.push(format!("line {number}\n").as_bytes());
        }
        let bytes = log.bytes();
        assert!(bytes.len() < 2 * HALF_BYTES + 100);
        assert!(bytes.starts_with(b"first line\n") && bytes.ends_with(b"line 199999\n"));
        let tail = log.tail();
        assert!(tail.len() <= TAIL_BYTES && tail.starts_with("line "), "{}", &tail[..20]);
        log.push("ü".repeat(5000).as_bytes());
        log.push(b"\n");
        let tail = log.tail();
        assert!(tail.len() > 4000 && tail.chars().all(|letter| matches!(letter, 'ü' | '\n')));
    }
}
