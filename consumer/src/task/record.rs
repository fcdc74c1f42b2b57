use farm::{Storage, now_ms};
use protocol::{FailureClass, JobId, TaskFailure, TaskRecord, TaskState, Versioned, keys, parse};

use crate::error::Result;
use crate::settings::Settings;

/// The record of the task at hand.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    storage: Storage,
    key: String,
    frame: i32,
    attempt: u32,
    max_attempts: u32,
    worker: String,
    started_ms: u64,
}

impl Record {
    pub(crate) fn new(
        storage: &Storage,
        settings: &Settings,
        job: JobId,
        frame: i32,
        attempt: u32,
    ) -> Self {
        Self {
            storage: storage.clone(),
            key: keys::task(job, frame),
            frame,
            attempt,
            max_attempts: settings.max_attempts,
            worker: settings.name.clone(),
            started_ms: now_ms(),
        }
    }

    /// Where it is in the bucket.
    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    pub(crate) fn is_last_attempt(&self) -> bool {
        self.attempt >= self.max_attempts
    }

    /// Whether the task has come to its end: a duplicate delivery has nothing to do then.
    ///
    /// What failed by the machine's fault is not at its end: someone may bring its message back
    /// from the dead-letter queue.
    pub(crate) async fn is_final(&self) -> Result<bool> {
        let Some(bytes) = self.storage.get(&self.key, TaskRecord::MAX_SIZE_BYTES).await? else {
            return Ok(false);
        };
        Ok(parse::<TaskRecord>(&bytes).is_ok_and(|record| {
            matches!(
                record.state,
                TaskState::Done { .. }
                    | TaskState::Failed { failure: TaskFailure { class: FailureClass::Scene, .. } }
                    | TaskState::Cancelled
            )
        }))
    }

    /// Whether the task is said to have failed.
    pub(crate) async fn has_failed(&self) -> Result<bool> {
        let bytes = self.storage.get(&self.key, TaskRecord::MAX_SIZE_BYTES).await?;
        let record = bytes.and_then(|bytes| parse::<TaskRecord>(&bytes).ok());
        Ok(record.is_some_and(|record| matches!(record.state, TaskState::Failed { .. })))
    }

    /// Writes where the task stands, unless another delivery has brought it to its end.
    pub(crate) async fn write(&self, state: TaskState) -> Result<()> {
        if self.is_final().await? {
            return Ok(());
        }
        let record = TaskRecord {
            version: TaskRecord::VERSION,
            frame: self.frame,
            attempt: self.attempt,
            max_attempts: self.max_attempts,
            state,
            worker: self.worker.clone(),
            started_ms: self.started_ms,
            updated_ms: now_ms(),
        };
        let bytes = serde_json::to_vec(&record).map_err(|source| {
            protocol::ProtocolError::Malformed { document: TaskRecord::DOCUMENT, source }
        })?;
        Ok(self.storage.put(&self.key, bytes).await?)
    }
}
