//! Follows a job: reads what is new in its log and fetches its frames as they land.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use protocol::{
    FailureClass, Job, JobControl, JobId, TaskEvent, TaskEventKind, TaskFailure, TaskRecord,
    TaskState, keys,
};

use super::documents::{read_control, read_job, read_record};
use super::enqueue::ensure_enqueued;
use super::event_log::EventLog;
use super::fetch::{FetchedFiles, fetch_files};
use super::patience::{Patience, Quiet};
use super::placement::Placement;
use super::tally::{Progress, Tally};
pub use super::watch_event::Event;
use crate::aws::connection::FarmSettings;
use crate::aws::stack::Farm;
use crate::error::{FarmError, Result};

const POLL_EVERY: Duration = Duration::from_millis(1000);
const FRAMES_AT_ONCE: usize = 16;

/// How often the whole log is read again, for what came later than it should.
const WHOLE_EVERY: Duration = Duration::from_secs(60);

/// How often a record that does not yet say what the log says is read.
const RECORD_LOOKS: u32 = 120;

/// The longest pause after calls that failed.
const MAX_PAUSE: Duration = Duration::from_secs(15);

/// Follows a job until every task has come to its end. Frames are fetched into `folder`.
///
/// What can heal by itself is reported as [`Event::Trouble`] and waited for.
///
/// # Errors
/// [`FarmError`] that someone must act on: credentials, a bucket that is gone, a folder that
/// cannot be written.
pub async fn run(
    settings: &FarmSettings,
    job: JobId,
    folder: PathBuf,
    on_event: impl Fn(Event) + Sync,
) -> Result<()> {
    let mut pause = POLL_EVERY;
    let mut watched = loop {
        match start(settings, job).await {
            Ok(watched) => break watched,
            Err(error) => wait_out(error, &mut pause, &on_event).await?,
        }
    };
    pause = POLL_EVERY;
    let placement = Placement::new(&watched.job, &folder);
    let mut reported = None;
    loop {
        match watched.step(&placement, &on_event).await {
            Ok(()) => pause = POLL_EVERY,
            Err(error) => {
                wait_out(error, &mut pause, &on_event).await?;
                continue;
            }
        }
        let progress = watched.progress();
        if watched.is_finished(&progress) {
            on_event(Event::Finished(progress));
            return Ok(());
        }
        if reported.replace(progress) != Some(progress) {
            on_event(Event::Progress(progress));
        }
        tokio::time::sleep(POLL_EVERY).await;
    }
}

async fn wait_out(error: FarmError, pause: &mut Duration, on_event: &impl Fn(Event)) -> Result<()> {
    if !error.is_transient() {
        return Err(error);
    }
    on_event(Event::Trouble { message: protocol::sentence(&error) });
    tokio::time::sleep(*pause).await;
    *pause = (*pause * 2).min(MAX_PAUSE);
    Ok(())
}

async fn start(settings: &FarmSettings, id: JobId) -> Result<WatchedJob> {
    let farm = Farm::connect(settings).await?;
    let job = read_job(&farm.storage, id).await?;
    ensure_enqueued(&farm.storage, &farm.queue, &job).await?;
    Ok(WatchedJob {
        farm,
        log: EventLog::new(id),
        job,
        tally: Tally::default(),
        records: BTreeMap::new(),
        fetched: BTreeSet::new(),
        spoilt: BTreeSet::new(),
        lost: BTreeSet::new(),
        patience: Patience::new(),
        read_whole: None,
        is_cancelled: false,
    })
}

struct WatchedJob {
    farm: Farm,
    job: Job,
    log: EventLog,
    tally: Tally,
    /// The frames whose records are still to be read, with how often they were looked at.
    records: BTreeMap<i32, u32>,
    fetched: BTreeSet<i32>,
    /// Frames whose results are damaged or gone.
    spoilt: BTreeSet<i32>,
    lost: BTreeSet<i32>,
    patience: Patience,
    /// When the whole log was read last.
    read_whole: Option<Instant>,
    is_cancelled: bool,
}

impl WatchedJob {
    /// Reads what is new and fetches what landed.
    async fn step(&mut self, placement: &Placement, on_event: &impl Fn(Event)) -> Result<()> {
        let storage = self.farm.storage.clone();
        let (control, read) = tokio::join!(
            async {
                let done = JobControl { cancelled: self.is_cancelled, ..JobControl::default() };
                if done.cancelled { Ok(done) } else { read_control(&storage, self.job.id).await }
            },
            async {
                let mut events = Vec::new();
                let is_due = self.read_whole.is_none_or(|last| last.elapsed() > WHOLE_EVERY);
                if is_due {
                    self.log.read_whole(&storage, |event| events.push(event)).await?;
                    self.read_whole = Some(Instant::now());
                } else {
                    self.log.read_new(&storage, |event| events.push(event)).await?;
                }
                Ok::<_, FarmError>(events)
            }
        );
        let control = control?;
        if control.cancelled && !self.is_cancelled {
            self.is_cancelled = true;
            self.patience.news();
        }
        for event in read? {
            if !self.tally.take(&self.job, event) {
                continue;
            }
            self.patience.news();
            self.lost.remove(&event.frame);
            if matches!(
                event.kind,
                TaskEventKind::Done { .. }
                    | TaskEventKind::Failed { .. }
                    | TaskEventKind::Retrying { .. }
            ) {
                self.records.insert(event.frame, 0);
            }
        }
        self.read_records(placement, on_event).await?;
        match control.paused {
            Some(reason) if !control.cancelled => self.tell_pause(&reason, on_event),
            _ => self.look_at_the_queue(on_event).await?,
        }
        Ok(())
    }

    /// Reads the records of tasks that have something to tell, and fetches their files.
    async fn read_records(
        &mut self,
        placement: &Placement,
        on_event: &impl Fn(Event),
    ) -> Result<()> {
        let (storage, id) = (self.farm.storage.clone(), self.job.id);
        let wanted: Vec<i32> = self.records.keys().copied().collect();
        let mut reading = stream::iter(wanted)
            .map(|frame| {
                let storage = &storage;
                async move {
                    let record = read_record(storage, id, frame).await;
                    let Ok(Some(TaskRecord { state: TaskState::Done { files, .. }, .. })) = &record
                    else {
                        return (frame, record, None);
                    };
                    let fetched = fetch_files(storage, id, frame, files, placement).await;
                    (frame, record, Some(fetched))
                }
            })
            .buffer_unordered(FRAMES_AT_ONCE);
        while let Some((frame, record, fetched)) = reading.next().await {
            let record = match record {
                Ok(record) => record,
                // One record that cannot be read is no reason to lose sight of the others.
                Err(error @ (FarmError::Protocol(_) | FarmError::TooLarge { .. })) => {
                    self.spoil(frame, 0, protocol::sentence(&error), on_event);
                    self.records.remove(&frame);
                    continue;
                }
                Err(error) => return Err(error),
            };
            match fetched {
                Some(Ok(FetchedFiles { paths, refused })) => {
                    if !paths.is_empty() {
                        self.fetched.insert(frame);
                        on_event(Event::Frame { frame, paths });
                    }
                    if !refused.is_empty() {
                        let try_number = record.as_ref().map_or(0, |record| record.tries);
                        self.spoil(frame, try_number, refused.join("; "), on_event);
                    }
                }
                // A result that is damaged or gone harms itself alone.
                Some(Err(
                    error @ (FarmError::Damaged { .. }
                    | FarmError::NoObject { .. }
                    | FarmError::TooLarge { .. }),
                )) => {
                    let try_number = record.as_ref().map_or(0, |record| record.tries);
                    self.spoil(frame, try_number, protocol::sentence(&error), on_event);
                }
                Some(Err(error)) => return Err(error),
                None => {}
            }
            let says = self.tally.of(frame).map(|event| event.kind);
            if is_told(says, record, frame, on_event) {
                self.records.remove(&frame);
            } else if let Some(looks) = self.records.get_mut(&frame) {
                *looks += 1;
                if *looks > RECORD_LOOKS {
                    let key = keys::task(id, frame);
                    let message = format!("{key} does not say what the job's log says");
                    self.spoil(frame, 0, message, on_event);
                    self.records.remove(&frame);
                }
            }
        }
        Ok(())
    }

    /// Counts a frame as failed that the log says is rendered, and that cannot be had.
    fn spoil(&mut self, frame: i32, try_number: u32, message: String, on_event: &impl Fn(Event)) {
        let says = self.tally.of(frame).map(|event| event.kind);
        if matches!(says, Some(TaskEventKind::Done { .. })) {
            self.spoilt.insert(frame);
        }
        let class = FailureClass::Machine;
        let failure = TaskFailure { class, message, log_tail: String::new() };
        on_event(Event::TaskFailed { frame, try_number, retrying: false, failure });
    }

    /// Where a job has stopped itself, what has not begun waits for the artist.
    fn tell_pause(&mut self, reason: &str, on_event: &impl Fn(Event)) {
        let waiting: Vec<i32> = self.tally.unfinished(&self.job).collect();
        let is_running = |frame: &i32| {
            let kind = self.tally.of(*frame).map(|event| event.kind);
            matches!(kind, Some(TaskEventKind::Running | TaskEventKind::Progress { .. }))
        };
        if !self.lost.is_empty() || waiting.iter().any(is_running) && !self.patience.is_long() {
            return;
        }
        self.lost.extend(&waiting);
        let message = format!(
            "the job has stopped itself, {} frames are not rendered: {reason}; mend it, or enqueue \
             them again",
            waiting.len()
        );
        on_event(Event::Lost { frames: waiting, message });
    }

    /// Where nothing has happened for a while: whether anything still can.
    async fn look_at_the_queue(&mut self, on_event: &impl Fn(Event)) -> Result<()> {
        if self.is_cancelled || !self.patience.is_due() {
            return Ok(());
        }
        let waiting: Vec<i32> = self.tally.unfinished(&self.job).collect();
        if waiting.is_empty() {
            return Ok(());
        }
        let depth = self.farm.queue.depth().await?;
        let has_begun = waiting.len() as u64 != self.job.frames.count();
        match self.patience.look(depth, has_begun) {
            Quiet::Wait => {}
            Quiet::Tell(message) => on_event(Event::Trouble { message }),
            Quiet::Lost => {
                let waiting = self.without_an_end(waiting).await?;
                if waiting.is_empty() {
                    return Ok(());
                }
                let dead_letters = self.farm.dead_letters.depth().await?.waiting;
                self.lost.extend(&waiting);
                let message = format!(
                    "{} of {} frames will not be rendered: no worker has them and the queue is \
                     empty{}; enqueue them again",
                    waiting.len(),
                    self.job.frames.count(),
                    match dead_letters {
                        0 => String::new(),
                        count => format!(", {count} messages are in the dead-letter queue"),
                    }
                );
                on_event(Event::Lost { frames: waiting, message });
            }
        }
        Ok(())
    }

    /// Those of some frames that have no end in their records either: an event can be missing, of
    /// what was rendered before there was a log, or where a worker died between the two.
    async fn without_an_end(&mut self, frames: Vec<i32>) -> Result<Vec<i32>> {
        let (storage, id) = (self.farm.storage.clone(), self.job.id);
        let mut reading = stream::iter(frames)
            .map(|frame| {
                let storage = &storage;
                async move { (frame, read_record(storage, id, frame).await) }
            })
            .buffer_unordered(FRAMES_AT_ONCE);
        let mut without = Vec::new();
        while let Some((frame, record)) = reading.next().await {
            match record?.as_ref().and_then(TaskEvent::of_the_end) {
                Some(event) => {
                    self.tally.take(&self.job, event);
                    self.records.insert(frame, 0);
                }
                None => without.push(frame),
            }
        }
        without.sort_unstable();
        Ok(without)
    }

    fn progress(&self) -> Progress {
        let memory_mib = self.farm.consumer_memory_mib;
        let mut progress = self.tally.progress(&self.job, memory_mib, self.is_cancelled);
        progress.fetched = self.fetched.len() as u64;
        progress.lost = self.lost.len() as u64;
        let spoilt = self.spoilt.len() as u64;
        progress.done = progress.done.saturating_sub(spoilt);
        progress.failed += spoilt;
        if self.is_cancelled && self.patience.is_long() {
            // Their workers would have noticed by now: they are dead.
            progress.cancelled += std::mem::take(&mut progress.running);
        }
        progress
    }

    fn is_finished(&self, progress: &Progress) -> bool {
        let all_told = self.records.is_empty();
        let ended = progress.done + progress.failed + progress.cancelled + progress.lost;
        all_told && (ended >= progress.total || (self.is_cancelled && progress.running == 0))
    }
}

/// Tells what a record says; false where the log says more than the record does by now.
fn is_told(
    says: Option<TaskEventKind>,
    record: Option<TaskRecord>,
    frame: i32,
    on_event: &impl Fn(Event),
) -> bool {
    let Some(record) = record else { return false };
    let is_done = matches!(record.state, TaskState::Done { .. });
    if is_done || matches!(says, Some(TaskEventKind::Done { .. })) {
        // The event of the end is put beside the record, and may be there first.
        return is_done;
    }
    let (failure, retrying) = match record.state {
        TaskState::Failed { failure } => (failure, false),
        TaskState::Retrying { failure } => (failure, true),
        TaskState::Done { .. } | TaskState::Cancelled | TaskState::Queued => return true,
        // It was tried again meanwhile.
        TaskState::Running { .. } => return matches!(says, Some(TaskEventKind::Retrying { .. })),
    };
    on_event(Event::TaskFailed { frame, try_number: record.tries, retrying, failure });
    true
}
