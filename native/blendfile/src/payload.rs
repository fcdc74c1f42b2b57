use std::ops::Range;
use std::sync::Arc;

/// The payload of a block, alone or among others in one piece of memory.
#[derive(Debug, Clone)]
pub struct Payload {
    memory: Arc<Vec<u8>>,
    range: Range<usize>,
}

impl Payload {
    /// One that was read by itself.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        let range = 0..bytes.len();
        Self { memory: Arc::new(bytes), range }
    }

    /// One of several that were read into the same memory; empty where the memory does not hold it.
    #[must_use]
    pub fn part(memory: &Arc<Vec<u8>>, range: Range<usize>) -> Self {
        Self { memory: Arc::clone(memory), range }
    }

    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.memory.get(self.range.clone()).unwrap_or_default()
    }
}
