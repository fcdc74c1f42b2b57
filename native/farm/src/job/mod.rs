//! A job from the press to its last frame.

pub(crate) mod control;
pub(crate) mod documents;
pub(crate) mod enqueue;
mod event_log;
pub(crate) mod fetch;
mod messages;
mod patience;
pub(crate) mod progress;
pub(crate) mod retry;
pub mod submission;
pub(crate) mod tally;
pub mod watch;
mod watch_event;
