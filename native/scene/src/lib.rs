//! What a scene needs: traces the files behind a `.blend` file and plans the pack that holds them.
//!
//! [`trace`] reads the `.blend` files themselves, recursively through linked libraries.
//! [`PackPlan`] gives every file its place in the pack and writes changed copies of the `.blend`
//! files whose paths would not resolve there. Nothing here knows AWS, and the artist's files are
//! only ever read.

mod animates;
mod blend_path;
mod cache_folder;
mod color_config;
mod contents;
mod datablock;
mod datablock_type;
mod dependency;
mod disabled_script;
mod disk_file;
mod error;
mod expand;
mod expression;
mod layout;
mod local_pack;
mod pack;
mod packed_library;
mod painted_image;
mod parallel;
pub mod path_template;
mod private_place;
mod references;
mod render_settings;
mod rendered;
mod sequence_use;
mod splitting;
mod texture_cache;
mod tiles;
mod trace;
mod trace_source;
mod unbaked;
mod usd_crate;
mod verify;
mod visibility;
mod walk;

pub use blend_path::BlendPath;
pub use dependency::{Dependency, DependencyKind, MissingFile};
pub use disabled_script::DisabledScript;
pub use disk_file::DiskFile;
pub use error::{Result, SceneError};
pub use local_pack::{PackProgress, write_pack};
pub use pack::{PackPlan, PlannedFile};
pub use painted_image::{PaintedImage, show_painted};
pub use render_settings::RenderSettings;
pub use splitting::SplitObstacle;
pub use trace::{Trace, trace};
pub use trace_source::TraceSource;
pub use unbaked::UnbakedSimulation;
pub use verify::{BlenderCommand, Problem, ProblemKind, verify};
