use std::fs::File;

use farm::{AwsConfig, Queue, Storage};
use protocol::PackId;
use tempfile::TempDir;

use crate::blender::log::Log;
use crate::blender::setup::BlenderSetup;
use crate::blender::warm::WarmBlender;
use crate::error::{ConsumerError, Result};
use crate::own_folder;
use crate::pack::cache::PackCache;
use crate::settings::Settings;
use crate::task::jobs::KnownJobs;
use crate::task::record::Record;

/// One worker: a warm Blender, the pack on disk, and the way to the bucket and the queue.
pub(crate) struct Worker {
    pub(crate) settings: Settings,
    pub(crate) storage: Storage,
    pub(crate) queue: Queue,
    pub(crate) dead_letters: Option<Queue>,
    pub(crate) jobs: KnownJobs,
    /// The record of the task at hand.
    pub(crate) record: Option<Record>,
    pub(crate) folder: TempDir,
    /// Tells other workers that the folder is in use.
    _lock: File,
    pub(crate) packs: PackCache,
    pub(crate) blender: WarmBlender,
    /// The pack whose scripts have run here: what they left may serve that pack alone.
    pub(crate) scripts_of: Option<PackId>,
    /// What Blender prints for the task at hand; it outlives a Blender that is ended.
    pub(crate) log: Log,
}

impl Worker {
    pub(crate) async fn new(settings: Settings) -> Result<Self> {
        let config = AwsConfig::from_environment().await?;
        let temporary = std::env::temp_dir();
        own_folder::delete_abandoned(&temporary);
        let (folder, lock) = own_folder::make(&temporary)
            .map_err(ConsumerError::io("make a folder in", &temporary))?;
        Ok(Self {
            storage: Storage::new(&config, settings.bucket.clone()),
            queue: Queue::new(&config, settings.queue_url.clone()),
            dead_letters: settings.dead_letters_url.clone().map(|url| Queue::new(&config, url)),
            jobs: KnownJobs::default(),
            record: None,
            packs: PackCache::new(folder.path().join("packs")),
            blender: WarmBlender::new(settings.blender.clone(), folder.path().to_owned()),
            folder,
            _lock: lock,
            settings,
            scripts_of: None,
            log: Log::default(),
        })
    }

    /// Starts Blender before it is needed; nobody waits for it.
    pub(crate) fn prepare(&mut self) {
        self.blender.prepare(BlenderSetup::default());
    }
}
