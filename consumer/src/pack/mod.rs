//! Packs on this worker's disk.

pub(crate) mod cache;
pub(crate) mod fetch;
pub(crate) mod seal;
