use tokio::sync::{Semaphore, SemaphorePermit};

use super::buffers::Buffers;

/// Most bytes of files in memory at once: enough to keep a fast line busy over a long distance.
const BYTES_IN_FLIGHT: u64 = 48 << 20;

/// What bounds an upload. Many small bodies or a few large ones are under way at the same time,
/// whichever the bytes in memory allow.
#[derive(Debug)]
pub(crate) struct Limits {
    bytes: Semaphore,
    hashing: Semaphore,
    buffers: Buffers,
}

impl Default for Limits {
    fn default() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            bytes: Semaphore::new(permits(BYTES_IN_FLIGHT) as usize),
            hashing: Semaphore::new(processors),
            buffers: Buffers::default(),
        }
    }
}

impl Limits {
    /// Waits until that many bytes may be read into memory; they count until this is dropped.
    pub(crate) async fn memory(&self, bytes: u64) -> Option<SemaphorePermit<'_>> {
        self.bytes.acquire_many(permits(bytes.min(BYTES_IN_FLIGHT))).await.ok()
    }

    /// Where the memory itself comes from.
    pub(super) fn buffers(&self) -> &Buffers {
        &self.buffers
    }

    /// Waits for a processor.
    pub(super) async fn processor(&self) -> Option<SemaphorePermit<'_>> {
        self.hashing.acquire().await.ok()
    }
}

/// One permit is a KiB, so that large counts fit.
fn permits(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX)
}
