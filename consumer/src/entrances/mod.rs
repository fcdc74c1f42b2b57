//! The ways a task comes in.

pub(crate) mod burst;
pub(crate) mod lambda;
pub(crate) mod poll;
