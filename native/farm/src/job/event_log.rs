//! Reads a job's log of events: all of it at the first look, then what is new.

use futures_util::{StreamExt, stream::FuturesUnordered};
use protocol::{JobId, TaskEvent, keys};
use tokio::task::JoinSet;

use crate::aws::listing::ListedObject;
use crate::aws::storage::Storage;
use crate::error::{FarmError, Result};

/// How far the clocks of two workers, and the time that a put takes, may lie apart: so much of what
/// was read is looked at again each time.
const OVERLAP_MS: u64 = 10_000;

/// How many pages of a long log are read at the same time.
const PAGES_AT_ONCE: usize = 32;

/// How many pages are read one after the other: a job of a few thousand frames has no more.
const FIRST_PAGES: usize = 2;

/// How far behind the first pages the end of a log is looked for, as powers of two milliseconds: from
/// four seconds to two years.
const PROBES: std::ops::RangeInclusive<u32> = 12..=36;

/// A place in a job's log, up to which it was read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EventLog {
    job: JobId,
    /// The time of the newest event; nothing that claims to be of the future moves it.
    newest_ms: u64,
}

impl EventLog {
    /// A log of which nothing was read.
    pub(crate) fn new(job: JobId) -> Self {
        Self { job, newest_ms: 0 }
    }

    /// What is new since the last call, or whatever was not seen then; some of it was. One request
    /// where that is less than a thousand events.
    pub(crate) async fn read_new(
        &mut self,
        storage: &Storage,
        mut on_event: impl FnMut(TaskEvent),
    ) -> Result<()> {
        let mut after = self.key_at(self.newest_ms.saturating_sub(OVERLAP_MS));
        loop {
            let page = storage.list_page(&keys::events(self.job), &after).await?;
            self.take(&page.objects, &mut on_event);
            match page.objects.last() {
                Some(last) if page.is_truncated => after.clone_from(&last.key),
                _ => return Ok(()),
            }
        }
    }

    /// All of it, many pages at the same time: keys sort by time, so any stretch of time can be
    /// read by itself.
    pub(crate) async fn read_whole(
        &mut self,
        storage: &Storage,
        mut on_event: impl FnMut(TaskEvent),
    ) -> Result<()> {
        let prefix = keys::events(self.job);
        let (mut after, mut first_ms, mut begin_ms) = (String::new(), None, 0);
        for _ in 0..FIRST_PAGES {
            let page = storage.list_page(&prefix, &after).await?;
            self.take(&page.objects, &mut on_event);
            let Some(last) = page.objects.last().filter(|_| page.is_truncated) else {
                return Ok(());
            };
            after.clone_from(&last.key);
            first_ms = first_ms.or(page.objects.first().and_then(|one| self.time_of(&one.key)));
            // A key that is not ours, whoever has put it there, tells no time.
            begin_ms = self.time_of(&last.key).unwrap_or(begin_ms);
        }
        let end_ms = self.end(storage, begin_ms).await?;
        // As many parts as there are pages, if they go on as the first ones did.
        let page_ms = begin_ms.saturating_sub(first_ms.unwrap_or(begin_ms)) / FIRST_PAGES as u64;
        let pages = end_ms.saturating_sub(begin_ms) / page_ms.max(1);
        let whole = Stretch { after, begin_ms, end_ms };
        let mut waiting = whole.divide(self, pages.clamp(1, PAGES_AT_ONCE as u64));
        // Tasks of their own: what a page costs is to read its thousand keys, on whichever processor.
        let mut reading = JoinSet::new();
        loop {
            while reading.len() < PAGES_AT_ONCE
                && let Some(stretch) = waiting.pop()
            {
                let (storage, prefix) = (storage.clone(), prefix.clone());
                reading.spawn(async move {
                    let page = storage.list_page(&prefix, &stretch.after).await;
                    (stretch, page)
                });
            }
            let Some(read) = reading.join_next().await else { return Ok(()) };
            let (stretch, page) = read.map_err(|_| FarmError::Cancelled)?;
            let page = page?;
            self.take(&page.objects, &mut on_event);
            let Some(last) = page.objects.last().filter(|_| page.is_truncated) else { continue };
            let reached_ms = self.time_of(&last.key).unwrap_or(stretch.begin_ms);
            if reached_ms < stretch.end_ms {
                let rest = Stretch { after: last.key.clone(), begin_ms: reached_ms, ..stretch };
                waiting.extend(rest.divide(self, 2));
            }
        }
    }

    /// A time behind every event: the first one, the distance growing fourfold, that has none behind
    /// it.
    async fn end(&self, storage: &Storage, begin_ms: u64) -> Result<u64> {
        let prefix = keys::events(self.job);
        let mut probes = FuturesUnordered::new();
        for power in PROBES.step_by(2) {
            let at_ms = begin_ms.saturating_add(1 << power);
            let (prefix, after) = (&prefix, self.key_at(at_ms));
            probes.push(async move {
                let is_behind = storage.list_one(prefix, &after).await?.is_none();
                Ok::<_, FarmError>(is_behind.then_some(at_ms))
            });
        }
        let mut end_ms = begin_ms.saturating_add(1 << PROBES.end());
        while let Some(probe) = probes.next().await {
            end_ms = end_ms.min(probe?.unwrap_or(u64::MAX));
        }
        Ok(end_ms)
    }

    fn take(&mut self, objects: &[ListedObject], on_event: &mut impl FnMut(TaskEvent)) {
        for object in objects {
            let Some(event) = TaskEvent::from_key(self.job, &object.key) else { continue };
            if event.at_ms <= object.put_ms.saturating_add(OVERLAP_MS) {
                self.newest_ms = self.newest_ms.max(event.at_ms);
            }
            on_event(event);
        }
    }

    fn time_of(&self, key: &str) -> Option<u64> {
        TaskEvent::from_key(self.job, key).map(|event| event.at_ms)
    }

    /// A key before every event of that time.
    fn key_at(&self, at_ms: u64) -> String {
        format!("{}{at_ms:013}", keys::events(self.job))
    }
}

/// A part of a log, from behind a key on.
#[derive(Debug)]
struct Stretch {
    after: String,
    begin_ms: u64,
    end_ms: u64,
}

impl Stretch {
    /// The same in parts of the same length; in one where it is too short for that.
    fn divide(self, log: &EventLog, parts: u64) -> Vec<Self> {
        let length_ms = (self.end_ms - self.begin_ms) / parts;
        if length_ms == 0 {
            return vec![self];
        }
        let mut divided = Vec::new();
        let mut after = self.after;
        let mut begin_ms = self.begin_ms;
        for part in 1..=parts {
            let end_ms = if part == parts { self.end_ms } else { begin_ms + length_ms };
            let next = log.key_at(end_ms);
            divided.push(Self { after, begin_ms, end_ms });
            (after, begin_ms) = (next, end_ms);
        }
        divided
    }
}
