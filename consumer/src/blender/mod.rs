//! Blender as a child of this process: started, kept warm, asked, watched.

pub(crate) mod cage;
pub(crate) mod child;
pub(crate) mod keeper;
pub(crate) mod log;
pub(crate) mod process;
pub(crate) mod programs;
pub(crate) mod setup;
pub(crate) mod warm;
pub(crate) mod wire;
