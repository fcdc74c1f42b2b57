//! A job from the press to its last frame.

pub(crate) mod control;
pub(crate) mod documents;
pub(crate) mod enqueue;
mod event_log;
mod fetch;
mod made_files;
pub(crate) mod messages;
mod patience;
mod placement;
pub(crate) mod progress;
mod refinement;
pub(crate) mod removal;
mod result_name;
pub(crate) mod retry;
mod split_frames;
pub(crate) mod stop;
mod stragglers;
pub mod submission;
pub(crate) mod tally;
#[cfg(test)]
mod testing;
pub mod watch;
mod watch_event;
mod watched_job;
mod watched_queue;
