//! Small pictures of slices, for whoever watches an image come together.

use frames::{PlannedTile, preview_of_tile};
use protocol::{TaskMessage, keys, sentence};

use crate::error::{ConsumerError, Result};
use crate::results::collect::MadeFile;
use crate::worker::Worker;

/// A tile that was rendered, and the size in pixels of the frame that it belongs to.
#[derive(Debug, Clone, Copy)]
pub(super) struct PlacedTile {
    pub(super) tile: PlannedTile,
    pub(super) frame: (usize, usize),
}

impl Worker {
    /// Sends the small picture of a slice of so many. The frame needs none: what goes wrong is only
    /// written down.
    pub(super) async fn send_preview(
        &self,
        task: &TaskMessage,
        (slice, count): (u32, u32),
        placed: PlacedTile,
        made: &[MadeFile],
    ) {
        let [file] = made else { return };
        let path = file.source.clone();
        let sent = async {
            let picture = tokio::task::spawn_blocking(move || {
                preview_of_tile(&path, &placed.tile, placed.frame)
            });
            let picture = picture
                .await
                .map_err(|error| ConsumerError::Runtime { reason: error.to_string() })??;
            let key = keys::preview(task.job, task.frame, slice, count);
            Ok::<_, ConsumerError>(self.storage.put(&key, picture).await?)
        };
        let sent: Result<()> = sent.await;
        if let Err(error) = sent {
            tracing::warn!(job = %task.job, error = sentence(&error), "no preview of a slice");
        }
    }
}
