//! The keeper: a process between a worker and its Blender, so that nothing of a Blender outlives
//! its frame or its worker.
//!
//! Whatever a script starts, and however it hides, stays below the keeper (it is its subreaper). The
//! keeper ends all of it after each frame and stops Blender until the next one, so that nobody
//! changes the results while they are read. When the worker is gone, killed or not, it ends Blender
//! too.

pub(crate) mod descendants;
pub(crate) mod handle;
pub(crate) mod process;
pub(crate) mod words;
