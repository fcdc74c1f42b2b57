//! A job from the press to its last frame.

pub(crate) mod enqueue;
pub(crate) mod fetch;
pub(crate) mod progress;
pub mod submission;
pub mod watch;
