//! What a frame left behind, and its way into the bucket.

pub(crate) mod collect;
pub(crate) mod upload;
