//! The record of the task at hand: who has it, how often it was tried, what became of it.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use farm::{FarmError, Storage, now_ms};
use protocol::keys::SliceName;
use protocol::{
    FailureCause, FrameSplit, JobId, ProtocolError, TaskEvent, TaskEventKind, TaskMessage,
    TaskRecord, TaskState, keys, parse,
};
use tokio::sync::Mutex;

use crate::error::{ConsumerError, Result};
use crate::settings::Settings;
use crate::task::found::{Found, Ours, bytes_of};

/// How often a record that others change too is looked at again.
const CHANGES: usize = 8;

/// The record of a task, changed by compare and swap alone: nothing that arrives late undoes what
/// came after it.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(super) storage: Storage,
    pub(super) job: JobId,
    pub(super) frame: i32,
    /// The slice of the frame, where it is one.
    pub(super) slice: Option<SliceName>,
    /// Which try of the frame a slice belongs to.
    try_of_slices: u32,
    max_tries: u32,
    lease: Duration,
    pub(super) worker: String,
    started_ms: u64,
    /// Which try this is; 0 before it has begun. Readable while a write is under way.
    pub(super) try_number: Arc<AtomicU32>,
    /// Whether another worker has the task, and this one renders it beside.
    pub(super) is_second: Arc<AtomicBool>,
    /// How the frame was split, once all slices are there and it goes on from them.
    pub(super) split: Arc<OnceLock<FrameSplit>>,
    /// What this worker has written last. One write at a time.
    pub(super) ours: Arc<Mutex<Option<Ours>>>,
}

impl Record {
    pub(crate) fn new(storage: &Storage, settings: &Settings, task: &TaskMessage) -> Self {
        Self {
            storage: storage.clone(),
            job: task.job,
            frame: task.frame,
            slice: task.slice.map(|slice| task.slice_name(slice)),
            try_of_slices: task.split.map_or(1, |split| split.after_tries.saturating_add(1)),
            max_tries: settings.max_tries,
            lease: settings.lease,
            worker: settings.name.clone(),
            started_ms: now_ms(),
            try_number: Arc::default(),
            is_second: Arc::default(),
            split: Arc::default(),
            ours: Arc::default(),
        }
    }

    /// Where it is in the bucket.
    pub(crate) fn key(&self) -> String {
        match self.slice {
            Some(name) => keys::slice(self.job, self.frame, name),
            None => keys::task(self.job, self.frame),
        }
    }

    /// Takes the task, and counts a try, unless there is nothing to do.
    pub(crate) async fn begin(&self) -> Result<Found> {
        let mut ours = self.ours.lock().await;
        // Most tasks are met for the first time: one call then.
        let new = Ours { tries: 1, max_tries: self.max_tries, ..Ours::default() };
        let (mut next, mut seen) = (new, None::<String>);
        for _ in 0..CHANGES {
            let bytes = self.encode(&next, TaskState::Running { progress: None })?;
            let put = self.storage.put_if_unchanged(&self.key(), &bytes, seen.as_deref()).await?;
            if let Some(etag) = put {
                let tries = next.tries;
                *ours = Some(Ours { etag, ..next });
                self.try_number.store(tries, Ordering::Relaxed);
                return Ok(Found::Begun { try_number: tries });
            }
            let (record, etag) = match self.read().await {
                Ok(Some(found)) => found,
                Ok(None) => {
                    seen = None;
                    continue;
                }
                // A worker of a newer version has it, or had.
                Err(ConsumerError::Protocol(ProtocolError::UnknownVersion { .. })) => {
                    return Ok(Found::Held { lease_left: self.lease });
                }
                // What nobody can read says nothing of the task: it begins anew.
                Err(
                    ConsumerError::Protocol(_) | ConsumerError::Farm(FarmError::TooLarge { .. }),
                ) => {
                    let none = Ours { max_tries: self.max_tries, ..Ours::default() };
                    let bytes = self.encode(&none, TaskState::Queued)?;
                    self.storage.put(&self.key(), bytes).await?;
                    continue;
                }
                Err(error) => return Err(error),
            };
            if record.is_final() {
                return Ok(Found::Final);
            }
            if let Some(lease_left) = self.lease_left(&record) {
                return Ok(Found::Held { lease_left });
            }
            if let Some(split) = record.split
                && self.split.get().is_none()
            {
                return Ok(Found::Split(split));
            }
            next = Ours::of(&record, String::new());
            if next.tries >= next.max_tries {
                let tries = next.tries;
                *ours = Some(Ours { etag, ..next });
                self.try_number.store(tries, Ordering::Relaxed);
                return Ok(Found::Exhausted { tries });
            }
            (next.tries, seen) = (next.tries.saturating_add(1), Some(etag));
        }
        Err(self.contended())
    }

    /// Which try this is, once it has begun; 0 before.
    pub(crate) fn try_number(&self) -> u32 {
        self.try_number.load(Ordering::Relaxed)
    }

    /// Takes note of why this try failed; true where there will be no other one: there were enough,
    /// or the one before failed for the same cause.
    pub(crate) async fn is_last_try(&self, cause: Option<FailureCause>) -> bool {
        let mut ours = self.ours.lock().await;
        let Some(known) = ours.as_mut() else { return false };
        let is_alike = cause.is_some() && known.last_cause == cause;
        known.last_cause = cause;
        known.tries >= known.max_tries || is_alike
    }

    /// Says that the task is alive and how far it is; false where this worker has it no more.
    pub(crate) async fn renew(&self, progress: Option<f32>) -> Result<bool> {
        if self.is_second() {
            return self.is_open().await;
        }
        let mut ours = self.ours.lock().await;
        let Some(known) = ours.as_mut() else { return Ok(false) };
        let state = TaskState::Running { progress };
        let bytes = self.encode(known, state)?;
        for _ in 0..CHANGES {
            let put = self.storage.put_if_unchanged(&self.key(), &bytes, Some(&known.etag)).await?;
            if let Some(etag) = put {
                known.etag = etag;
                return Ok(true);
            }
            match self.read().await? {
                // A write of ours that was given up for lost has landed.
                Some((record, etag)) if self.is_ours(&record, known) => known.etag = etag,
                _ => return Ok(false),
            }
        }
        Err(self.contended())
    }

    /// Writes what became of the task; nothing where another worker has brought it to its end, or
    /// has begun a later try while this one failed.
    pub(crate) async fn finish(&self, state: TaskState) -> Result<()> {
        let mut ours = self.ours.lock().await;
        if self.is_second() && matches!(state, TaskState::Done { .. }) {
            *ours = self.as_it_is().await?;
        }
        let Some(known) = ours.as_mut() else { return Ok(()) };
        let bytes = self.encode(known, state.clone())?;
        for _ in 0..CHANGES {
            let put = self.storage.put_if_unchanged(&self.key(), &bytes, Some(&known.etag)).await?;
            if put.is_some() {
                return Ok(());
            }
            match self.read().await? {
                Some((record, _)) if record.is_final() => return Ok(()),
                // The files are there, whoever renders them again.
                Some((record, etag))
                    if self.is_ours(&record, known) || matches!(state, TaskState::Done { .. }) =>
                {
                    known.etag = etag;
                }
                _ => return Ok(()),
            }
        }
        Err(self.contended())
    }

    /// Gives the task back as if this worker had never begun it: it was interrupted in order.
    pub(crate) async fn hand_back(&self) -> Result<()> {
        {
            let mut ours = self.ours.lock().await;
            let Some(known) = ours.as_mut() else { return Ok(()) };
            known.tries = known.tries.saturating_sub(1);
        }
        self.try_number.store(0, Ordering::Relaxed);
        self.finish(TaskState::Queued).await
    }

    /// Puts an event of this try into the job's log, which has those of whole frames: of a slice it
    /// tells that its frame has begun.
    pub(crate) async fn tell(&self, kind: TaskEventKind) -> Result<()> {
        if self.slice.is_some() && !matches!(kind, TaskEventKind::Running) {
            return Ok(());
        }
        if self.is_second()
            && matches!(kind, TaskEventKind::Running | TaskEventKind::Progress { .. })
        {
            // How far the task is, the worker tells that has it.
            return Ok(());
        }
        let event = TaskEvent {
            at_ms: now_ms(),
            frame: self.frame,
            // The tries of a slice are none of its frame.
            try_number: if self.slice.is_some() { self.try_of_slices } else { self.try_number() },
            worker: TaskEvent::short_name(&self.worker),
            kind,
        };
        Ok(self.storage.put(&event.key(self.job), Vec::new()).await?)
    }

    /// Tells once more how a task ended that this delivery found at its end: whoever ended it may
    /// have died before it could.
    pub(crate) async fn tell_again(&self) -> Result<()> {
        let Some((record, _)) = self.read().await? else { return Ok(()) };
        let Some(event) = TaskEvent::of_the_end(&record) else { return Ok(()) };
        Ok(self.storage.put(&event.key(self.job), Vec::new()).await?)
    }

    /// How long another worker may still hold the task.
    fn lease_left(&self, record: &TaskRecord) -> Option<Duration> {
        let is_held = matches!(record.state, TaskState::Running { .. });
        if !is_held || record.worker == self.worker {
            return None;
        }
        let age = Duration::from_millis(now_ms().saturating_sub(record.updated_ms));
        // Its record is renewed with its lease; a little earlier than the queue gives it out again.
        let left = (self.lease * 9 / 10).checked_sub(age)?;
        (!left.is_zero()).then_some(left)
    }

    pub(super) fn is_ours(&self, record: &TaskRecord, known: &Ours) -> bool {
        record.worker == self.worker
            && record.started_ms == self.started_ms
            && (record.tries == known.tries || record.tries == known.tries.saturating_add(1))
            && matches!(record.state, TaskState::Running { .. })
    }

    pub(super) async fn read(&self) -> Result<Option<(TaskRecord, String)>> {
        let found = self.storage.get_with_etag(&self.key(), TaskRecord::MAX_SIZE_BYTES).await?;
        let Some((bytes, etag)) = found else { return Ok(None) };
        Ok(Some((parse(&bytes)?, etag)))
    }

    pub(super) fn encode(&self, known: &Ours, state: TaskState) -> Result<Vec<u8>> {
        let record = TaskRecord {
            version: TaskRecord::version_of(known.split),
            frame: self.frame,
            tries: known.tries,
            max_tries: known.max_tries,
            last_cause: known.last_cause,
            split: known.split,
            state,
            worker: self.worker.clone(),
            started_ms: self.started_ms,
            updated_ms: now_ms(),
        };
        bytes_of(&record)
    }

    pub(super) fn contended(&self) -> ConsumerError {
        let reason = format!("{} is being changed by others", self.key());
        FarmError::Throttled { action: "write the task's record".into(), reason }.into()
    }
}
