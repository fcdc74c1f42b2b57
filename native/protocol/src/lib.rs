//! The messages that every side shares: job, task, result and manifest, the S3 key layout and
//! the price table.
//!
//! Each document carries a `version`. A reader refuses one that it does not know, by name.
//! `docs/protocol.md` describes them; the JSON Schemas in `docs/schemas` are made from these types.

mod burst;
mod control;
mod engine;
mod error;
mod event;
mod frame_set;
mod frames;
mod id;
mod job;
pub mod keys;
mod manifest;
mod pack_path;
pub mod pricing;
mod schema;
mod task;
mod token;
mod version;

pub use burst::BurstRequest;
pub use control::JobControl;
pub use engine::ENGINES;
pub use error::{ProtocolError, Result, sentence};
pub use event::{TaskEvent, TaskEventKind, milliseconds};
pub use frame_set::FrameSet;
pub use frames::FrameRange;
pub use id::{Digest, JobId, PackId};
pub use job::{BlenderVersion, Job, OutputFolder, OutputNaming};
pub use manifest::{Bundle, Manifest, PackedFile};
pub use pack_path::PackPath;
pub use schema::schemas;
pub use task::{
    FailureCause, FailureClass, FrameSplit, RecordedSplit, ResultFile, TaskFailure, TaskMessage,
    TaskRecord, TaskState, TaskTimes,
};
pub use token::ClientToken;
pub use version::{PROTOCOL_VERSION, Versioned, parse};
