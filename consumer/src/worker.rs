use std::path::PathBuf;
use std::time::Duration;

use farm::{AwsConfig, Queue, Storage};
use protocol::{Job, JobId, sentence};

use crate::blender::cage::self_test::Confinement;
use crate::blender::log::Log;
use crate::blender::setup::BlenderSetup;
use crate::blender::warm::WarmBlender;
use crate::error::{ConsumerError, Result};
use crate::own_folder::{self, OwnFolder};
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
    pub(crate) folder: OwnFolder,
    /// Where temporary files are made, the worker's own folder among them.
    pub(crate) temporary: PathBuf,
    /// What the cage holds on this machine.
    pub(crate) confinement: Confinement,
    pub(crate) packs: PackCache,
    pub(crate) blender: WarmBlender,
    /// The job whose scripts have run here: what they left may serve that job alone.
    pub(crate) scripts_of: Option<JobId>,
    /// Why this worker must not go on, where that is so.
    pub(crate) unfit: Option<String>,
    /// How long this function may run, where it is one.
    pub(crate) full_time: Option<Duration>,
    /// What Blender prints for the task at hand; it outlives a Blender that is ended.
    pub(crate) log: Log,
}

impl Worker {
    pub(crate) async fn new(settings: Settings) -> Result<Self> {
        let temporary = std::env::temp_dir();
        own_folder::delete_abandoned(&temporary);
        let folder = own_folder::make(&temporary)
            .map_err(ConsumerError::io("make a folder in", &temporary))?;
        if settings.owns_temporary_folder {
            own_folder::sweep(&temporary, folder.path());
        }
        let (config, confinement) =
            tokio::join!(AwsConfig::from_environment(), Confinement::test(folder.path()));
        let config = config?;
        let confinement = confinement.unwrap_or_else(|error| {
            tracing::error!(error = sentence(&error), "the self-test of the cage failed");
            Confinement::NOTHING
        });
        let allows_scripts = confinement.holds_scripts(settings.files_are_ours);
        tracing::info!(cage = %confinement, allows_scripts, "the cage was tried");
        Ok(Self {
            storage: Storage::new(&config, settings.bucket.clone()),
            queue: Queue::new(&config, settings.queue_url.clone()),
            dead_letters: settings.dead_letters_url.clone().map(|url| Queue::new(&config, url)),
            jobs: KnownJobs::default(),
            record: None,
            packs: PackCache::new(own_folder::packs(folder.path())),
            blender: WarmBlender::new(folder.path().to_owned()),
            folder,
            temporary,
            confinement,
            settings,
            scripts_of: None,
            unfit: None,
            full_time: None,
            log: Log::default(),
        })
    }

    /// Starts the Blender of a job before it is needed; nobody waits for it.
    pub(crate) fn prepare(&mut self, job: &Job) {
        let setup = self.setup_of(job);
        self.blender.prepare(setup);
    }

    /// What the Blender of a job is started with, but for what is in its pack.
    pub(crate) fn setup_of(&self, job: &Job) -> BlenderSetup {
        BlenderSetup {
            program: self.settings.blenders.of(job).to_owned(),
            color_config: None,
            allow_scripts: job.allow_scripts,
        }
    }
}
