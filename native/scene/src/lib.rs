//! What a scene needs: traces the files behind a `.blend` file and plans the pack that holds them.
//!
//! [`trace`] reads the `.blend` files themselves, recursively through linked libraries.
//! [`PackPlan`] gives every file its place in the pack and writes changed copies of the `.blend`
//! files whose paths would not resolve there. Nothing here knows AWS, and the artist's files are
//! only ever read.

mod blend_path;
mod color_config;
mod contents;
mod datablock;
mod datablock_type;
mod dependency;
mod disk_file;
mod error;
mod expand;
mod layout;
mod local_pack;
mod pack;
mod packed_library;
mod parallel;
mod private_place;
mod references;
mod render_settings;
mod sequence_use;
mod tiles;
mod trace;
mod trace_source;
mod verify;
mod walk;

pub use blend_path::BlendPath;
pub use dependency::{Dependency, DependencyKind, MissingFile};
pub use disk_file::DiskFile;
pub use error::{Result, SceneError};
pub use local_pack::{PackProgress, write_pack};
pub use pack::{PackPlan, PlannedFile};
pub use render_settings::RenderSettings;
pub use trace::{Trace, trace};
pub use trace_source::TraceSource;
pub use verify::{BlenderCommand, Problem, ProblemKind, verify};
