//! A task from its message to its record.

pub(crate) mod attempt;
mod end_of_frame;
mod ending;
pub(crate) mod failure;
mod found;
pub(crate) mod jobs;
pub(crate) mod lease;
pub(crate) mod metrics;
mod preview;
pub(crate) mod record;
pub(crate) mod render;
mod second;
mod slices;
mod slow_slices;
mod split_frame;
pub(crate) mod take;
mod too_long;
mod wait_for_slices;
