//! The end of a frame that is split: its slices are fetched and put together.

use std::path::{Path, PathBuf};

use farm::FarmError;
use frames::{FramesError, PlannedTile, Tile};
use futures_util::{StreamExt, stream};
use protocol::keys::{self, PartKind};
use protocol::{TaskMessage, TaskState, sentence};

use crate::blender::child::{Blender, Bounds, Measured};
use crate::blender::wire::RenderRequest;
use crate::error::{ConsumerError, Result};
use crate::results::collect::made_files;
use crate::worker::Worker;

/// How many slices are fetched at the same time.
const FETCHED_AT_ONCE: usize = 8;

/// What is made of the slices of a frame.
pub(super) struct EndOfFrame<'frame> {
    pub(super) worker: &'frame Worker,
    pub(super) task: &'frame TaskMessage,
    pub(super) measured: &'frame Measured,
    pub(super) tiles: &'frame [PlannedTile],
}

impl EndOfFrame<'_> {
    /// Fetches the slices, renders those that are missing or damaged, and puts them together; where
    /// the passes of the frame are.
    pub(super) async fn passes(
        &self,
        blender: &mut Blender,
        request: &RenderRequest,
        folder: &Path,
        bounds: Bounds,
    ) -> Result<PathBuf> {
        let slices = stream::iter(0..self.tiles.len())
            .map(|slice| self.fetch(slice, folder))
            .buffered(FETCHED_AT_ONCE)
            .collect::<Vec<_>>()
            .await;
        let mut paths = Vec::with_capacity(slices.len());
        for (slice, fetched) in slices.into_iter().enumerate() {
            paths.push(match fetched? {
                Some(path) => path,
                None => self.render(slice, blender, request, folder, bounds).await?,
            });
        }
        let frame = folder.join("passes.exr");
        match self.merge(&paths, &frame).await {
            Err(FramesError::Damaged { path, .. } | FramesError::Misfit { path, .. }) => {
                // Its bytes are those that were sent, but they are no slice.
                let slice = paths.iter().position(|known| *known == path).unwrap_or_default();
                let again = self.render(slice, blender, request, folder, bounds).await?;
                if let Some(path) = paths.get_mut(slice) {
                    *path = again;
                }
                self.merge(&paths, &frame).await?;
            }
            merged => merged?,
        }
        Ok(frame)
    }

    /// Brings a slice; nothing where it is not there, or not what was sent.
    async fn fetch(&self, slice: usize, folder: &Path) -> Result<Option<PathBuf>> {
        let slice = u32::try_from(slice).unwrap_or(u32::MAX);
        let (task, storage) = (self.task, &self.worker.storage);
        let record = self.worker.slice_record(task, slice).await?;
        let Some(TaskState::Done { files, .. }) = record.map(|record| record.state) else {
            return Ok(None);
        };
        let Some(file) = files.first() else { return Ok(None) };
        let key = keys::part(task.job, task.frame, task.slice_name(slice), PartKind::Pixels);
        let path = folder.join(format!("{slice}.exr"));
        match storage.get_file(&key, &path, &file.digest, file.size_bytes).await {
            Ok(()) => Ok(Some(path)),
            Err(error @ (FarmError::NoObject { .. } | FarmError::Damaged { .. })) => {
                tracing::warn!(key, error = sentence(&error), "the slice is rendered again");
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Renders a slice that another worker should have.
    async fn render(
        &self,
        slice: usize,
        blender: &mut Blender,
        request: &RenderRequest,
        folder: &Path,
        bounds: Bounds,
    ) -> Result<PathBuf> {
        tracing::info!(job = %self.task.job, frame = self.task.frame, slice, "rendering a slice");
        let output_folder = folder.join(format!("again-{slice}"));
        std::fs::create_dir_all(&output_folder)
            .map_err(ConsumerError::io("make the folder", &output_folder))?;
        let tile = self.tiles.get(slice).map(|tile| rectangle(tile, self.measured.size));
        let request = RenderRequest { output_folder, tile, ..request.clone() };
        blender.render(&request, bounds, |_| {}).await?;
        let made = made_files(&request.output_folder)?.into_iter().next();
        let message = "Blender rendered the slice but wrote no file".into();
        Ok(made.ok_or(ConsumerError::Scene { message })?.source)
    }

    async fn merge(&self, paths: &[PathBuf], frame: &Path) -> std::result::Result<(), FramesError> {
        let tiles: Vec<_> = self
            .tiles
            .iter()
            .zip(paths)
            .map(|(tile, path)| Tile { path: path.clone(), place: *tile })
            .collect();
        let (size, frame) = (self.measured.size, frame.to_owned());
        // Off the threads that renew the lease.
        tokio::task::spawn_blocking(move || frames::merge_tiles(&tiles, size, &frame))
            .await
            .unwrap_or_else(|error| Err(FramesError::Plan { reason: error.to_string() }))
    }
}

/// What is rendered for a tile, as Blender counts: from the left and from the bottom.
pub(super) fn rectangle(tile: &PlannedTile, frame: (usize, usize)) -> (usize, usize, usize, usize) {
    let ((left, top), (width, height)) = (tile.rendered_position, tile.rendered_size);
    (left, frame.1.saturating_sub(top + height), width, height)
}
