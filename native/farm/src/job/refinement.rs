//! An image that is rendered in slices, as it comes together: the small pictures of those that are
//! there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use frames::{MOST_PREVIEW_BYTES, PreviewCanvas};
use futures_util::{StreamExt, stream};
use protocol::{JobId, keys};

use super::watch_event::Event;
use crate::aws::storage::Storage;
use crate::error::{FarmError, Result};

/// How many pictures are brought at the same time.
const AT_ONCE: usize = 16;

/// What the picture is called in the folder of previews.
const NAME: &str = "refining.exr";

/// An image as far as it is there.
#[derive(Debug)]
pub(super) struct Refinement {
    folder: PathBuf,
    canvas: PreviewCanvas,
    painted: BTreeSet<u32>,
    count: u32,
}

impl Refinement {
    /// One of which nothing is there; its picture is written into a folder.
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder, canvas: PreviewCanvas::default(), painted: BTreeSet::new(), count: 0 }
    }

    /// Brings what has come since the last look, and writes the picture with it; nothing where
    /// nothing has.
    ///
    /// # Errors
    /// [`FarmError::Io`] where the folder cannot be written, or that of a call.
    pub(super) async fn look(
        &mut self,
        storage: &Storage,
        job: JobId,
        frame: i32,
    ) -> Result<Option<Event>> {
        let listed = storage.keys_below(&keys::previews(job, frame)).await?;
        let mut by_count = BTreeMap::<u32, Vec<(String, u32)>>::new();
        for key in listed {
            if let Some((slice, count)) = keys::slice_of_preview(job, frame, &key) {
                by_count.entry(count).or_default().push((key, slice));
            }
        }
        // A frame that was split once more has slices of another number.
        let Some((count, there)) = by_count.into_iter().max_by_key(|(_, there)| there.len()) else {
            return Ok(None);
        };
        if count != self.count {
            let folder = std::mem::take(&mut self.folder);
            *self = Self { count, ..Self::new(folder) };
        }
        let new: Vec<_> =
            there.into_iter().filter(|(_, slice)| !self.painted.contains(slice)).collect();
        let mut coming = stream::iter(new)
            .map(|(key, slice)| {
                let storage = storage.clone();
                async move { (slice, storage.get(&key, MOST_PREVIEW_BYTES).await) }
            })
            .buffer_unordered(AT_ONCE);
        let mut has_changed = false;
        while let Some((slice, picture)) = coming.next().await {
            let picture = match picture {
                Ok(picture) => picture.unwrap_or_default(),
                // What is no preview is not asked for again.
                Err(FarmError::TooLarge { .. }) => Vec::new(),
                Err(error) => return Err(error),
            };
            self.painted.insert(slice);
            has_changed |= self.canvas.paint(&picture).is_ok();
        }
        if !has_changed {
            return Ok(None);
        }
        std::fs::create_dir_all(&self.folder)
            .map_err(FarmError::io("make the folder", &self.folder))?;
        let path = self.folder.join(NAME);
        self.canvas.write(&path).map_err(|error| FarmError::Io {
            action: "write",
            path: path.clone(),
            source: std::io::Error::other(error),
        })?;
        let slices = u32::try_from(self.painted.len()).unwrap_or(u32::MAX);
        Ok(Some(Event::Refined { frame, path, slices, of: self.count }))
    }
}
