//! The farm on AWS: uploads packs, submits jobs, watches them, fetches their frames, cancels them.
//!
//! [`Farm`] is a stack that was found by its name; [`Storage`] its bucket and [`Queue`] its queue,
//! which the consumer and the producer open from their environment instead. The two long pieces of
//! work, [`submission`] and [`watch`], report by events and are driven by whoever owns the runtime.

mod aws;
mod blenders;
mod clock;
mod error;
mod job;
mod transfer;

pub use aws::account::{AccountLimits, StackParameters};
pub use aws::burst::Burst;
pub use aws::connection::{AwsConfig, FarmSettings};
pub use aws::function::WorkerFunction;
pub use aws::profiles::{KnownProfile, ProfileState, TokenCache, aws_folder, profiles};
pub use aws::queue::{Queue, QueueDepth, ReceivedMessage};
pub use aws::service_error::Attempt;
pub use aws::stack::Farm;
pub use aws::storage::{Storage, StoredObject};
pub use blenders::Blenders;
pub use clock::now_ms;
pub use error::{FarmError, Result};
pub use job::control::{cancel, pause};
pub use job::documents::{is_cancelled, read_control, read_job};
pub use job::enqueue::{
    EnqueueProgress, check_pack, enqueue_job, ensure_enqueued, job_of_token, submit_job,
};
pub use job::messages::{enqueue_end, enqueue_second_slices, enqueue_slices};
pub use job::progress::{job_progress, list_jobs};
pub use job::removal::remove;
pub use job::retry::{Retry, retry};
pub use job::stop::stop_where_all_fail_alike;
pub use job::tally::Progress;
pub use job::{submission, watch};
pub use transfer::{UploadProgress, UploadSettings, digest_file, put_file_if_absent, upload_pack};
