//! The farm on AWS: uploads packs, submits jobs, watches them, fetches their frames, cancels them.
//!
//! [`Farm`] is a stack that was found by its name; [`Storage`] its bucket and [`Queue`] its queue,
//! which the consumer and the producer open from their environment instead. The two long pieces of
//! work, [`submission`] and [`watch`], report by events and are driven by whoever owns the runtime.

mod aws_error;
mod bundle;
mod connection;
mod digest_file;
mod download;
mod enqueue;
mod error;
mod fetch;
mod progress;
mod queue;
mod stack;
mod storage;
pub mod submission;
mod upload;
pub mod watch;

pub use bundle::unpack_bundle;
pub use connection::{AwsConfig, FarmSettings};
pub use digest_file::digest_file;
pub use enqueue::{EnqueueProgress, check_pack, enqueue_job, ensure_enqueued, submit_job};
pub use error::{FarmError, Result};
pub use fetch::fetch_files;
pub use progress::{Progress, is_cancelled, job_progress, list_jobs, read_job};
pub use queue::{Queue, ReceivedMessage};
pub use stack::Farm;
pub use storage::{ListedObject, Storage, StoredObject};
pub use upload::{UploadProgress, UploadSettings, upload_pack};

/// Milliseconds since 1970 (UTC), for records.
#[must_use]
pub fn now_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}
