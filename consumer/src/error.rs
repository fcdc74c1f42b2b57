use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

/// What can go wrong in the consumer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConsumerError {
    /// A setting that is missing or makes no sense.
    #[error("the environment variable {name} is {got}: expected {expected}")]
    Setting { name: &'static str, expected: &'static str, got: String },
    /// The Lambda runtime could not go on.
    #[error("the Lambda runtime stopped: {reason}")]
    Runtime { reason: String },
    /// A file of this machine.
    #[error("cannot {action} {}", path.display())]
    Io {
        action: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// Blender could not be started.
    #[error("cannot start Blender ({}): {reason}", program.display())]
    NoBlender { program: PathBuf, reason: String },
    /// A process could not be confined.
    #[error("cannot confine Blender: {0}")]
    Cage(String),
    /// The process between this one and Blender.
    #[error("Blender's keeper stopped: {0}")]
    Keeper(String),
    /// A worker that must not go on.
    #[error("this worker is of no more use: {0}")]
    Unfit(String),
    /// This machine's kernel confines too little for somebody's Python.
    #[error(
        "the job's scripts may not run on this worker, whose kernel confines too little ({missing}): run workers on Lambda, or on a Linux with Landlock"
    )]
    Unconfined { missing: String },
    /// A frame that made more than anybody waits for.
    #[error("the frame made {} MiB of files, and {} MiB are the most", size_bytes >> 20, most_bytes >> 20)]
    TooMuchMade { size_bytes: u64, most_bytes: u64 },
    /// Blender went away.
    #[error("Blender ended without an answer ({status}) while it held {} MiB", peak_memory_bytes >> 20)]
    BlenderDied { status: ExitStatus, peak_memory_bytes: u64 },
    /// The frame needs more memory than there is.
    #[error("the frame needs more than {} MiB of memory, the function has {} MiB; give the farm more memory, or the scene less to load", needed_bytes >> 20, limit_bytes >> 20)]
    OutOfMemory { needed_bytes: u64, limit_bytes: u64 },
    /// Blender neither answers nor says that it is at work.
    #[error("Blender did not move for {} s and was stopped", after.as_secs())]
    Hung { after: Duration },
    /// The pack does not fit on this worker's disk.
    #[error("the pack needs {} MiB of disk, the function has {} MiB in all; give the farm more temporary storage", needed_bytes >> 20, has_bytes >> 20)]
    PackTooLarge { needed_bytes: u64, has_bytes: u64 },
    /// The disk is full with what is not ours.
    #[error("the pack needs {} MiB of disk, {} MiB are free", needed_bytes >> 20, free_bytes >> 20)]
    DiskFull { needed_bytes: u64, free_bytes: u64 },
    /// Blender said something that is not of the protocol.
    #[error("Blender broke the protocol: {reason}")]
    Wire { reason: String },
    /// None of this worker's Blenders is the one that the job was promised, or can read its scene.
    #[error("the job is to be rendered with Blender {}.{}, which this worker lacks (it would be {}.{} here); give the farm one with it, or send the job again", wanted.0, wanted.1, has.0, has.1)]
    LacksBlender { wanted: (u16, u16), has: (u16, u16) },
    /// A slice of the frame that was given up.
    #[error("slice {slice} of the frame failed: {message}")]
    SliceFailed { slice: u32, message: String },
    /// Slices do not become a frame.
    #[error(transparent)]
    Frames(#[from] frames::FramesError),
    /// Blender or the scene's Python said no.
    #[error("{message}")]
    Scene { message: String },
    /// Lambda's time is nearly over.
    #[error("the frame was not ready after {} s, when the function's time ran out", after.as_secs())]
    Deadline { after: Duration },
    /// A task of a job that is not in the bucket: its lifecycle has ended, or it never was.
    #[error("there is no job {job} in the bucket")]
    NoJob { job: protocol::JobId },
    /// A task of a frame that its job does not have.
    #[error("the job {job} has no frame {frame}")]
    NoFrame { job: protocol::JobId, frame: i32 },
    /// Every worker that had the task went away without a word.
    #[error("given up after {tries} tries: each worker was ended while it had the frame")]
    GivenUp { tries: u32 },
    /// Another worker has the task by now: this one was silent for longer than its lease.
    #[error("another worker has taken the task over")]
    Superseded,
    /// The artist cancelled the job.
    #[error("the job was cancelled")]
    Cancelled,
    /// A document that does not follow the protocol.
    #[error(transparent)]
    Protocol(#[from] protocol::ProtocolError),
    /// S3 or SQS.
    #[error(transparent)]
    Farm(#[from] farm::FarmError),
}

pub(crate) type Result<T> = std::result::Result<T, ConsumerError>;

impl ConsumerError {
    /// Whether it is a document that a worker of the next version can read.
    pub(crate) fn is_newer(&self) -> bool {
        match self {
            Self::Protocol(error) | Self::Farm(farm::FarmError::Protocol(error)) => {
                error.is_newer()
            }
            _ => false,
        }
    }

    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }
}
