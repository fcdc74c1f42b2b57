//! The jobs that this worker has met, so that their descriptions are read once.

use std::collections::VecDeque;
use std::sync::Arc;

use protocol::{Job, JobId};

/// How many are remembered.
const MOST_JOBS: usize = 64;

/// What is known of jobs: a description never changes, and what is cancelled stays so.
#[derive(Debug, Default)]
pub(crate) struct KnownJobs(VecDeque<KnownJob>);

#[derive(Debug)]
struct KnownJob {
    job: Arc<Job>,
    is_cancelled: bool,
    has_split_frames: bool,
}

impl KnownJobs {
    /// A job's description, where it is known.
    pub(crate) fn get(&self, id: JobId) -> Option<Arc<Job>> {
        self.find(id).map(|known| known.job.clone())
    }

    /// Whether a job is known to be cancelled.
    pub(crate) fn is_cancelled(&self, id: JobId) -> bool {
        self.find(id).is_some_and(|known| known.is_cancelled)
    }

    /// Remembers a job; the one that was met first is forgotten for it.
    pub(crate) fn remember(&mut self, job: Job) -> Arc<Job> {
        let job = Arc::new(job);
        if self.0.len() >= MOST_JOBS {
            self.0.pop_front();
        }
        self.0.push_back(KnownJob {
            job: job.clone(),
            is_cancelled: false,
            has_split_frames: false,
        });
        job
    }

    /// Whether frames of a job are known to have been split by a worker.
    pub(crate) fn has_split_frames(&self, id: JobId) -> bool {
        self.find(id).is_some_and(|known| known.has_split_frames)
    }

    /// Remembers that a frame of a job was split by a worker.
    pub(crate) fn split_frame(&mut self, id: JobId) {
        if let Some(known) = self.find_mut(id) {
            known.has_split_frames = true;
        }
    }

    /// Remembers that a job was cancelled.
    pub(crate) fn cancel(&mut self, id: JobId) {
        if let Some(known) = self.find_mut(id) {
            known.is_cancelled = true;
        }
    }

    fn find(&self, id: JobId) -> Option<&KnownJob> {
        self.0.iter().find(|known| known.job.id == id)
    }

    fn find_mut(&mut self, id: JobId) -> Option<&mut KnownJob> {
        self.0.iter_mut().find(|known| known.job.id == id)
    }
}
