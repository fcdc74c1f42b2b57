//! What is known of a job that is followed, and what became of its frames.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use protocol::{
    FailureClass, Job, JobControl, JobId, TaskEventKind, TaskFailure, TaskRecord, TaskState, keys,
    milliseconds,
};

use super::documents::{read_control, read_job, read_record};
use super::enqueue::ensure_enqueued;
use super::event_log::EventLog;
use super::fetch::{FetchedFiles, fetch_files};
use super::patience::Patience;
use super::placement::Placement;
use super::refinement::Refinement;
use super::split_frames::SplitFrames;
use super::stragglers::Stragglers;
use super::tally::{Progress, Tally};
use super::watch_event::Event;
use crate::aws::connection::FarmSettings;
use crate::aws::stack::Farm;
use crate::clock::now_ms;
use crate::error::{FarmError, Result};

pub(super) const FRAMES_AT_ONCE: usize = 16;

/// How often the whole log is read again, for what came later than it should.
const WHOLE_EVERY: Duration = Duration::from_secs(60);

/// How often a record that does not yet say what the log says is read.
const RECORD_LOOKS: u32 = 120;

/// How long a frame that is rendered once more may be without a word.
const AGAIN: Duration = Duration::from_secs(900);

pub(super) struct WatchedJob {
    pub(super) farm: Farm,
    pub(super) job: Job,
    log: EventLog,
    pub(super) tally: Tally,
    /// The frames whose records are still to be read, with how often they were looked at.
    pub(super) records: BTreeMap<i32, u32>,
    fetched: BTreeSet<i32>,
    /// Frames whose results are damaged or gone.
    spoilt: BTreeSet<i32>,
    pub(super) lost: BTreeSet<i32>,
    pub(super) patience: Patience,
    pub(super) stragglers: Stragglers,
    pub(super) split_frames: SplitFrames,
    /// When frames may next be given out a second time.
    pub(super) help_from: Instant,
    /// When the whole log was read last.
    read_whole: Option<Instant>,
    pub(super) control: JobControl,
    /// The job's image as it comes together, where it has one.
    refinement: Option<Refinement>,
    /// Whether there may be more of it.
    may_refine: bool,
}

impl WatchedJob {
    /// Reads a job's document, and sees to it that all of it is enqueued.
    pub(super) async fn start(
        settings: &FarmSettings,
        id: JobId,
        previews: Option<PathBuf>,
    ) -> Result<Self> {
        let farm = Farm::connect(settings).await?;
        let job = read_job(&farm.storage, id).await?;
        ensure_enqueued(&farm.storage, &farm.queue, &job).await?;
        let refinement = previews.filter(|_| job.frames.count() == 1).map(Refinement::new);
        Ok(Self {
            farm,
            log: EventLog::new(id),
            job,
            tally: Tally::default(),
            records: BTreeMap::new(),
            fetched: BTreeSet::new(),
            spoilt: BTreeSet::new(),
            lost: BTreeSet::new(),
            patience: Patience::new(),
            stragglers: Stragglers::default(),
            split_frames: SplitFrames::default(),
            help_from: Instant::now(),
            read_whole: None,
            control: JobControl::default(),
            refinement,
            may_refine: true,
        })
    }

    pub(super) fn job(&self) -> &Job {
        &self.job
    }

    /// Reads what is new and fetches what landed.
    pub(super) async fn step(
        &mut self,
        placement: &Placement,
        on_event: &impl Fn(Event),
    ) -> Result<()> {
        let storage = self.farm.storage.clone();
        let (control, read) = tokio::join!(
            async {
                // A job that is cancelled stays so.
                let is_final = self.control.cancelled;
                if is_final {
                    Ok(None)
                } else {
                    read_control(&storage, self.job.id).await.map(Some)
                }
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
        if let Some(control) = control?
            && control != self.control
        {
            self.control = control;
            self.patience.news();
        }
        for event in read? {
            self.split_frames.take(&event, now_ms());
            if !self.tally.take(&self.job, event) {
                continue;
            }
            self.patience.news();
            self.stragglers.take(&event, Instant::now());
            self.lost.remove(&event.frame);
            self.may_refine |= matches!(event.kind, TaskEventKind::Progress { .. });
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
        self.refine(on_event).await;
        match self.control.paused.clone() {
            _ if self.control.is_paused_by_artist() => {}
            Some(reason) if !self.control.cancelled => self.tell_pause(&reason, on_event),
            _ => {
                self.call_for_slices().await?;
                self.help_stragglers(on_event).await?;
                self.look_at_the_queue(on_event).await?;
            }
        }
        Ok(())
    }

    /// Looks for more of an image that is not there yet. Nobody needs it: what goes wrong is tried
    /// again with the next word of the frame.
    async fn refine(&mut self, on_event: &impl Fn(Event)) {
        let (Some(refinement), Some(frame)) = (&mut self.refinement, self.job.frames.iter().next())
        else {
            return;
        };
        if self.fetched.is_empty() && std::mem::take(&mut self.may_refine) {
            let storage = &self.farm.storage;
            if let Ok(Some(refined)) = refinement.look(storage, self.job.id, frame).await {
                on_event(refined);
            }
        }
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
                Some(Ok(FetchedFiles { paths, refused, waiting })) => {
                    let has_pictures = !paths.is_empty();
                    if has_pictures {
                        self.fetched.insert(frame);
                        on_event(Event::Frame { frame, paths });
                    }
                    let is_whole = waiting.is_empty();
                    let reasons = [waiting, refused].concat().join("; ");
                    if is_whole && has_pictures && !reasons.is_empty() {
                        // Not a picture, such as what a script has noted beside it.
                        let message = format!("frame {frame}: {reasons}");
                        on_event(Event::Trouble { message });
                    } else if !reasons.is_empty() {
                        let try_number = record.as_ref().map_or(0, |record| record.tries);
                        self.spoil(frame, try_number, reasons, on_event);
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
            let is_on_its_way = record.as_ref().is_some_and(is_on_its_way);
            if is_told(says, record, frame, on_event) {
                self.records.remove(&frame);
            } else if is_on_its_way {
                // Its results were deleted, and somebody has it rendered again.
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

    pub(super) fn progress(&self) -> Progress {
        let memory_mib = self.farm.consumer_memory_mib;
        let mut progress = self.tally.progress(&self.job, memory_mib, &self.control);
        progress.fetched = self.fetched.len() as u64;
        progress.lost = self.lost.len() as u64;
        let spoilt = self.spoilt.len() as u64;
        progress.done = progress.done.saturating_sub(spoilt);
        progress.failed += spoilt;
        if progress.is_cancelled && self.patience.is_long() {
            // Their workers would have noticed by now: they are dead.
            progress.cancelled += std::mem::take(&mut progress.running);
        }
        if progress.is_paused && self.patience.is_long() {
            progress.running = 0;
        }
        progress
    }

    pub(super) fn is_finished(&self, progress: &Progress) -> bool {
        let all_told = self.records.is_empty();
        let ended = progress.done + progress.failed + progress.cancelled + progress.lost;
        let goes_on = !progress.is_cancelled && !progress.is_paused;
        all_told && (ended >= progress.total || (!goes_on && progress.running == 0))
    }
}

/// Whether somebody has a task rendered that may have been rendered before.
fn is_on_its_way(record: &TaskRecord) -> bool {
    let is_over = !matches!(
        record.state,
        TaskState::Queued | TaskState::Running { .. } | TaskState::Retrying { .. }
    );
    !is_over && now_ms().saturating_sub(record.updated_ms) < milliseconds(AGAIN.as_secs_f64())
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
