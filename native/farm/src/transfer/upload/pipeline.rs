use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};
use protocol::{PackId, keys};
use scene::{PackPlan, PlannedFile};

use super::blocking::blocking;
use super::hash_cache::HashCache;
use super::limits::Limits;
use super::meter::{Meter, UploadProgress};
use super::transfer::Transfer;
use super::unit::{self, Member, PackedUnit};
use crate::aws::storage::Storage;
use crate::error::{FarmError, Result};

/// How many blobs are on their way at the same time at most; large ones are bound by memory.
const BLOBS_AT_ONCE: usize = 64;

/// How many files one look at the disk is for.
const FILES_PER_STAT: usize = 256;

/// How many looks at the disk are under way: a file server answers late, but to many.
const STATS_AT_ONCE: usize = 8;

/// How often progress is reported.
const REPORT_EVERY: Duration = Duration::from_millis(100);

/// Where an upload keeps its memory, and what the bucket promises.
#[derive(Debug, Clone)]
pub struct UploadSettings {
    /// The folder of the digests that are remembered.
    pub cache_folder: PathBuf,
    /// After how long the bucket deletes an object.
    pub retention: Duration,
}

impl UploadSettings {
    /// The folder for caches of this user: `~/.cache/render-on-lambda` and what other systems have
    /// for it; a temporary one where there is no home.
    #[must_use]
    pub fn default_cache_folder() -> PathBuf {
        dirs::cache_dir().unwrap_or_else(std::env::temp_dir).join("render-on-lambda")
    }
}

/// Uploads what the bucket does not have of a pack, then its manifest; gives the pack's id.
///
/// Every blob of the pack is asked for, so when this returns the pack is whole, and no blob of it is
/// past half the time that the bucket keeps it. Memory does not grow with the scene. While the
/// network is gone it waits, up to ten minutes, and tells `on_trouble`.
///
/// # Errors
/// [`FarmError::Io`](crate::FarmError::Io) and
/// [`FarmError::FileChanging`](crate::FarmError::FileChanging) for a file, else that of a call.
pub async fn upload_pack(
    storage: &Storage,
    settings: &UploadSettings,
    plan: &PackPlan,
    on_progress: impl Fn(UploadProgress),
    on_trouble: impl Fn(String) + Send + Sync,
) -> Result<PackId> {
    let cache = tokio::task::block_in_place(|| HashCache::open(&settings.cache_folder));
    let transfer = Transfer {
        storage,
        cache: &cache,
        limits: Limits::default(),
        meter: Arc::new(Meter::default()),
        retention: settings.retention,
        on_trouble: &on_trouble,
    };
    let mut work = pin!(send_all(&transfer, plan));
    let mut ticks = tokio::time::interval(REPORT_EVERY);
    loop {
        tokio::select! {
            done = &mut work => {
                on_progress(transfer.meter.read());
                return done;
            }
            _ = ticks.tick() => on_progress(transfer.meter.read()),
        }
    }
}

async fn send_all(transfer: &Transfer<'_>, plan: &PackPlan) -> Result<PackId> {
    let members = find_all(transfer, &plan.files).await?;
    let packed: Vec<PackedUnit> = stream::iter(unit::divide(members, &plan.blend_file))
        .map(|unit| unit.upload(transfer).boxed())
        .buffer_unordered(BLOBS_AT_ONCE)
        .try_collect()
        .await?;
    let manifest = unit::manifest(&plan.blend_file, packed);
    let manifest = manifest.with_color_config(plan.color_config.clone()).with_frames(plan.frames);
    let (pack, bytes) = manifest.to_bytes()?;
    let key = keys::pack(&pack);
    if !transfer.has(&key, bytes.len() as u64).await? {
        transfer.put(&key, bytes.into(), 0).await?;
    }
    Ok(pack)
}

/// Looks at every file on disk: which bundle a file belongs to follows from all sizes.
async fn find_all(transfer: &Transfer<'_>, files: &[PlannedFile]) -> Result<Vec<Member>> {
    let found: Vec<Vec<Member>> = stream::iter(files.chunks(FILES_PER_STAT).map(<[_]>::to_vec))
        .map(|chunk| {
            async move {
                let look = move || chunk.into_iter().map(Member::look).collect::<Result<Vec<_>>>();
                let found = blocking(look).await?;
                transfer.meter.count(|progress| {
                    progress.found_files += found.len() as u64;
                    progress.found_bytes += found.iter().map(Member::size_bytes).sum::<u64>();
                });
                Ok::<_, FarmError>(found)
            }
            .boxed()
        })
        .buffered(STATS_AT_ONCE)
        .try_collect()
        .await?;
    Ok(found.into_iter().flatten().collect())
}
