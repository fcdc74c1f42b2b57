//! How far the image is, for whoever waits for it.

use std::sync::{Mutex, PoisonError};

use serde::Serialize;

/// What is under way.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Stage {
    /// "parts" while they are downloaded, "layers" while they are pushed.
    pub(crate) name: &'static str,
    pub(crate) done_bytes: u64,
    pub(crate) total_bytes: u64,
}

/// How far the stage is, told by whoever works on it.
#[derive(Debug, Default)]
pub(crate) struct Progress(Mutex<Stage>);

impl Progress {
    pub(crate) fn starts(&self, name: &'static str, total_bytes: u64) {
        *self.lock() = Stage { name, done_bytes: 0, total_bytes };
    }

    pub(crate) fn adds(&self, bytes: u64) {
        self.lock().done_bytes += bytes;
    }

    pub(crate) fn stage(&self) -> Stage {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Stage> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
