//! What a job that is followed may still hope for, where nothing comes any more.

use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use protocol::{TaskEvent, TaskEventKind};

use super::documents::read_record;
use super::messages::enqueue_seconds;
use super::patience::Quiet;
use super::watch_event::Event;
use super::watched_job::{FRAMES_AT_ONCE, WatchedJob};
use crate::error::{FarmError, Result};

/// How often the queue is asked whether workers have nothing else to do.
const HELP_EVERY: Duration = Duration::from_secs(5);

impl WatchedJob {
    /// Where a job has stopped itself, what has not begun waits for the artist.
    pub(super) fn tell_pause(&mut self, reason: &str, on_event: &impl Fn(Event)) {
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

    /// Calls workers for the slices of frames that were split a moment ago: as for one job of as many.
    pub(super) async fn call_for_slices(&mut self) -> Result<()> {
        if self.control.cancelled {
            return Ok(());
        }
        let (storage, job) = (&self.farm.storage, self.job.id);
        let records: Vec<_> = stream::iter(self.split_frames.frames())
            .map(|frame| async move { (frame, read_record(storage, job, frame).await) })
            .buffer_unordered(FRAMES_AT_ONCE)
            .collect()
            .await;
        let mut slices = 0;
        for (frame, record) in records {
            let record = match record {
                Ok(record) => record,
                // One record that cannot be read is no reason to lose sight of the job.
                Err(FarmError::Protocol(_) | FarmError::TooLarge { .. }) => None,
                Err(error) => return Err(error),
            };
            let split = self.split_frames.looked_at(frame, record.as_ref());
            slices += split.map_or(0, |split| u64::from(split.slices));
        }
        let (burst, farm) = (self.farm.burst(), &self.farm);
        burst.call(&farm.queue, &farm.function, self.job.id, slices).await;
        Ok(())
    }

    /// Gives frames that lie far behind the others out a second time, once nobody waits for a worker.
    pub(super) async fn help_stragglers(&mut self, on_event: &impl Fn(Event)) -> Result<()> {
        let now = Instant::now();
        if self.control.cancelled || now < self.help_from {
            return Ok(());
        }
        let frames = self.stragglers.find(&self.job, &self.tally, now);
        if frames.is_empty() {
            return Ok(());
        }
        self.help_from = now + HELP_EVERY;
        if self.farm.queue.depth().await?.waiting > 0 {
            return Ok(());
        }
        enqueue_seconds(&self.farm.queue, self.job.id, &frames).await?;
        self.stragglers.gave_out(&frames);
        let names = frames.iter().map(i32::to_string).collect::<Vec<_>>().join(", ");
        let message = format!(
            "far behind the others: frame {names}; another worker renders it too, and the first \
             result counts"
        );
        on_event(Event::Trouble { message });
        Ok(())
    }

    /// Where nothing has happened for a while: whether anything still can.
    pub(super) async fn look_at_the_queue(&mut self, on_event: &impl Fn(Event)) -> Result<()> {
        if self.control.cancelled || !self.patience.is_due() {
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
                        count =>
                            format!(", {count} messages of all jobs are in the dead-letter queue"),
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
}
