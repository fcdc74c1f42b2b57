//! A frame that is split: its slices, which many workers render, and its end, which one makes of them.

use std::path::Path;

use farm::{enqueue_end, now_ms};
use frames::PlannedTile;
use futures_util::{StreamExt, stream};
use protocol::keys::{self, PartKind};
use protocol::{
    ResultFile, TaskEvent, TaskEventKind, TaskMessage, TaskRecord, TaskState, TaskTimes, parse,
    sentence,
};

use crate::blender::child::{Blender, Bounds, Measured, News, Rendered};
use crate::blender::wire::RenderRequest;
use crate::error::{ConsumerError, Result};
use crate::own_folder;
use crate::results::collect::MadeFile;
use crate::results::upload::upload_as;
use crate::task::end_of_frame::{EndOfFrame, rectangle};
use crate::task::preview::PlacedTile;
use crate::task::render::What;
use crate::worker::Worker;

/// How many records of slices are read at the same time.
const READ_AT_ONCE: usize = 64;

/// How much of a frame, in thousandths, its slices are; the rest is its end.
const SLICES_PERMILLE: u32 = 950;

impl Worker {
    /// What the end of a frame is: all of it where it cannot be split.
    pub(super) async fn end_of_slices(&self, task: &TaskMessage, count: u32) -> Result<What> {
        let parts = self.parts(task).await?;
        let of_kind = |wanted: PartKind| {
            let mut found = parts.iter().filter(move |(_, kind)| *kind == wanted);
            found.next().map(|(slice, _)| *slice)
        };
        if let Some(slice) = of_kind(PartKind::Failed) {
            let message = match self.slice_record(task, slice).await?.map(|record| record.state) {
                Some(TaskState::Failed { failure }) => failure.message,
                _ => "its record is gone".to_owned(),
            };
            return Err(ConsumerError::SliceFailed { slice, message });
        }
        let is_whole = of_kind(PartKind::Whole).is_some();
        Ok(if is_whole { What::Whole } else { What::End { count } })
    }

    /// What there is of each slice.
    pub(super) async fn parts(&self, task: &TaskMessage) -> Result<Vec<(u32, PartKind)>> {
        let keys = self.storage.keys_below(&keys::parts(task.job, task.frame)).await?;
        let part = |key: &String| {
            let (name, kind) = keys::slice_of_part(task.job, task.frame, key)?;
            (name == task.slice_name(name.slice)).then_some((name.slice, kind))
        };
        let mut parts: Vec<_> = keys.iter().filter_map(part).collect();
        parts.sort_unstable_by_key(|(slice, _)| *slice);
        parts.dedup_by_key(|(slice, _)| *slice);
        Ok(parts)
    }

    pub(super) async fn slice_record(
        &self,
        task: &TaskMessage,
        slice: u32,
    ) -> Result<Option<TaskRecord>> {
        let key = keys::slice(task.job, task.frame, task.slice_name(slice));
        let bytes = self.storage.get(&key, TaskRecord::MAX_SIZE_BYTES).await?;
        Ok(bytes.map(|bytes| parse(&bytes)).transpose()?)
    }

    /// Tells once more of a slice that failed: whoever gave it up may have died before it could.
    pub(super) async fn tell_failed_slice_again(
        &self,
        task: &TaskMessage,
        slice: u32,
    ) -> Result<()> {
        let state = self.slice_record(task, slice).await?.map(|record| record.state);
        if matches!(state, Some(TaskState::Failed { .. })) {
            self.tell_failed_slice(task, slice).await?;
        }
        Ok(())
    }

    /// Has the end of the frame know that a slice will not come, and look now.
    pub(super) async fn tell_failed_slice(&self, task: &TaskMessage, slice: u32) -> Result<()> {
        let key = keys::part(task.job, task.frame, task.slice_name(slice), PartKind::Failed);
        self.storage.put(&key, Vec::new()).await?;
        Ok(enqueue_end(&self.queue, task.job, task.frame).await?)
    }

    /// Counts the time of a frame's slices as its own: all of it was paid for.
    pub(super) async fn add_times_of_slices(
        &self,
        task: &TaskMessage,
        count: u32,
        times: &mut TaskTimes,
    ) {
        let records = stream::iter(0..count)
            .map(|slice| self.slice_record(task, slice))
            .buffer_unordered(READ_AT_ONCE)
            .collect::<Vec<_>>()
            .await;
        for record in records.into_iter().flatten().flatten() {
            if let TaskState::Done { times: slice, .. } = record.state {
                times.fetch_seconds += slice.fetch_seconds;
                times.start_seconds += slice.start_seconds;
                times.load_seconds += slice.load_seconds;
                times.render_seconds += slice.render_seconds;
                times.upload_seconds += slice.upload_seconds;
                times.total_seconds += slice.total_seconds;
            }
        }
    }

    /// Has Blender render what is wanted of a frame, and says what came of it.
    pub(super) async fn render_what(
        &self,
        blender: &mut Blender,
        request: &mut RenderRequest,
        task: &TaskMessage,
        what: What,
        bounds: Bounds,
        on_news: impl Fn(News),
    ) -> Result<(Rendered, PartKind, Option<PlacedTile>)> {
        let count = match what {
            What::Whole => {
                let rendered = blender.render(request, bounds, on_news).await?;
                return Ok((rendered, PartKind::Pixels, None));
            }
            What::Slice { count, .. } | What::End { count } => count,
        };
        let mut measured = blender.measure(request, bounds).await?;
        let tiles = tiles_of(&measured, count);
        if tiles.is_empty() && measured.obstacle.is_empty() {
            "Cycles renders it in more tiles of its own".clone_into(&mut measured.obstacle);
        }
        let nothing = Rendered {
            load_seconds: measured.load_seconds,
            render_seconds: 0.0,
            peak_memory_bytes: 0,
        };
        match what {
            What::Slice { .. } if !measured.obstacle.is_empty() => {
                let (job, frame, obstacle) = (task.job, task.frame, measured.obstacle);
                tracing::info!(%job, frame, obstacle, "the frame is not split");
                Ok((nothing, PartKind::Whole, None))
            }
            What::Slice { number, .. } => {
                let Some(tile) = tiles.get(number as usize).copied() else {
                    return Ok((nothing, PartKind::Empty, None));
                };
                request.tile = Some(rectangle(&tile, measured.size));
                let mut rendered = blender.render(request, bounds, on_news).await?;
                rendered.load_seconds += measured.load_seconds;
                let placed = PlacedTile { tile, frame: measured.size };
                Ok((rendered, PartKind::Pixels, Some(placed)))
            }
            _ => {
                let folder = own_folder::output(self.folder.path());
                let folder = tempfile::Builder::new().prefix("parts-").tempdir_in(&folder);
                let folder =
                    folder.map_err(ConsumerError::io("make a folder in", &self.temporary))?;
                let made = EndOfFrame { worker: self, task, measured: &measured, tiles: &tiles };
                let passes = made.passes(blender, request, folder.path(), bounds).await?;
                request.metadata = frames::metadata(&passes)?;
                request.passes = Some(passes);
                // The passes are needed until the frame is there.
                let mut rendered = blender.render(request, bounds, on_news).await?;
                rendered.load_seconds += measured.load_seconds;
                Ok((rendered, PartKind::Pixels, None))
            }
        }
    }

    /// Puts what came of a slice where the end of the frame looks for it.
    pub(super) async fn send_part(
        &self,
        task: &TaskMessage,
        slice: u32,
        kind: PartKind,
        folder: &Path,
        made: Vec<MadeFile>,
    ) -> Result<Vec<ResultFile>> {
        let key = keys::part(task.job, task.frame, task.slice_name(slice), kind);
        if kind != PartKind::Pixels {
            self.storage.put(&key, Vec::new()).await?;
            return Ok(Vec::new());
        }
        let Ok([file]) = <[MadeFile; 1]>::try_from(made) else {
            let message = "Blender rendered the slice but wrote no file, or several".into();
            return Err(ConsumerError::Scene { message });
        };
        Ok(vec![upload_as(&self.storage, &key, folder, file).await?])
    }

    /// Tells how much of a frame is there by now; with the last slice, its end is enqueued: nobody
    /// waits until the message that looks for it comes round.
    pub(super) async fn tell_progress_of_slices(&self, task: &TaskMessage, count: u32) {
        let told = async {
            let there = u32::try_from(self.parts(task).await?.len()).unwrap_or(count).min(count);
            let permille =
                u16::try_from(there * SLICES_PERMILLE / count.max(1)).unwrap_or_default();
            let event = TaskEvent {
                at_ms: now_ms(),
                frame: task.frame,
                try_number: task.split.map_or(1, |split| split.after_tries.saturating_add(1)),
                worker: TaskEvent::short_name(&self.settings.name),
                kind: TaskEventKind::Progress { permille },
            };
            self.storage.put(&event.key(task.job), Vec::new()).await?;
            if there == count {
                enqueue_end(&self.queue, task.job, task.frame).await?;
            }
            Ok::<_, ConsumerError>(())
        };
        if let Err(error) = told.await {
            tracing::warn!(job = %task.job, error = sentence(&error), "cannot tell how far it is");
        }
    }
}

/// The tiles of a frame, by the number of their slice.
fn tiles_of(measured: &Measured, count: u32) -> Vec<PlannedTile> {
    match measured.adaptive_tile_size {
        Some(tile_size) => frames::plan_adaptive_tiles(measured.size, count as usize, tile_size),
        None => frames::plan_tiles(measured.size, count as usize, 0),
    }
}
