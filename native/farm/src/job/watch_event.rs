use std::path::PathBuf;

use protocol::TaskFailure;

use super::tally::Progress;

/// What a watched job reports.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// How far the job is; sent when it changes.
    Progress(Progress),
    /// A frame is on this machine.
    Frame {
        /// The frame.
        frame: i32,
        /// Its files.
        paths: Vec<PathBuf>,
    },
    /// An image of which more slices are there: a small picture of it.
    Refined {
        /// The frame.
        frame: i32,
        /// The picture.
        path: PathBuf,
        /// How many slices are in it.
        slices: u32,
        /// Of how many.
        of: u32,
    },
    /// A task failed; `retrying` where it will be tried again.
    TaskFailed {
        /// The frame.
        frame: i32,
        /// Which try it was, from 1.
        try_number: u32,
        /// Whether the queue delivers it again.
        retrying: bool,
        /// What went wrong.
        failure: TaskFailure,
    },
    /// Something is in the way, such as the network; the watch goes on.
    Trouble {
        /// What, in one sentence.
        message: String,
    },
    /// Tasks that will never be rendered unless they are enqueued again: no worker has them, and
    /// the queue has them no more. The watch ends.
    Lost {
        /// Their frames.
        frames: Vec<i32>,
        /// How that is known.
        message: String,
    },
    /// Every task has come to its end, or is lost.
    Finished(Progress),
}
