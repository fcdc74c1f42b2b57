//! From a saved scene to frames on the queue: trace, pack, upload, submit.

use std::path::PathBuf;

use protocol::{BlenderVersion, FrameSet, Job, JobId, OutputNaming, PackId, Versioned};
use scene::{
    MissingFile, PackPlan, PaintedImage, RenderSettings, SplitObstacle, Trace, TraceSource,
    UnbakedSimulation,
};

use crate::aws::connection::FarmSettings;
use crate::aws::stack::Farm;
use crate::error::{FarmError, Result};
use crate::job::enqueue::{EnqueueProgress, submit_job};
use crate::transfer::{UploadProgress, UploadSettings, upload_pack};

/// What a sequence has to save for the pack to be limited to the job's frames. Below, a pack that
/// serves every frame is worth more: the next job finds it in the bucket.
const LIMIT_SEQUENCES_FROM_BYTES: u64 = 64 << 20;

/// What to render, and with what.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of the artist's own")]
pub struct Request {
    /// The id that the job will have.
    pub job: JobId,
    /// The copy of the scene to read.
    pub blend_file: PathBuf,
    /// Images that were painted and not saved, with their pixels.
    pub painted: Vec<PaintedImage>,
    /// Where the scene lives as the artist sees it.
    pub as_path: PathBuf,
    /// Whether it was saved from a Blender that has the scene open.
    pub is_session: bool,
    /// What people call the job.
    pub name: String,
    /// The scene in the file.
    pub scene: Option<String>,
    /// The frames.
    pub frames: FrameSet,
    /// Whether it is one image at the time at which the scene was saved.
    pub is_still: bool,
    /// How results are named, and where they go.
    pub output: OutputNaming,
    /// The artist's Blender.
    pub blender_version: BlenderVersion,
    /// Into how many slices each frame is split; 1 where none is, absent where workers split what
    /// takes too long for one.
    pub slices: Option<u32>,
    /// Whether a frame may be split whose slices have other noise.
    pub allow_other_noise: bool,
    /// Whether Python in the file may run.
    pub allow_scripts: bool,
    /// Whether to go on although files are missing.
    pub allow_missing_files: bool,
    /// Whether to go on although simulations are not baked.
    pub allow_unbaked: bool,
    /// Whether to go on although another Blender renders than the artist's.
    pub allow_other_blender: bool,
    /// The colour configuration of the artist's Blender, where it is not Blender's own.
    pub color_config: Option<PathBuf>,
}

impl Request {
    /// Whether somebody might hope for a split that an obstacle is in the way of. An animation of which
    /// nothing else is said is split only where its frames are long, and other noise could help.
    fn is_hindered_by(&self, obstacle: SplitObstacle) -> bool {
        let hopes = match self.slices {
            Some(slices) => slices > 1,
            None => self.frames.count() == 1 || obstacle.is_noise(),
        };
        hopes && !(obstacle.is_noise() && self.allow_other_noise)
    }
}

/// What a submission reports.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A `.blend` file is being read.
    Tracing {
        /// The file.
        path: PathBuf,
    },
    /// The frames would differ from the artist's own; nothing was uploaded and the submission has
    /// ended.
    Concerns {
        /// Files that are missing.
        missing_files: Vec<MissingFile>,
        /// Simulations that are not baked.
        unbaked: Vec<UnbakedSimulation>,
        /// The farm's Blender, as major and minor version, where it is not the artist's.
        other_blender: Option<(u16, u16)>,
    },
    /// One worker renders each frame alone, although they might have been split.
    NotSplit {
        /// Why.
        obstacle: SplitObstacle,
    },
    /// Files are being hashed, looked up and sent.
    Uploading(UploadProgress),
    /// Something is in the way, such as the network; the upload goes on when it is back.
    Trouble {
        /// What it is.
        message: String,
    },
    /// The farm's function is not ready yet and is waited for; the upload goes on meanwhile.
    Waking {
        /// Why.
        message: String,
    },
    /// Frames are being enqueued.
    Enqueueing(EnqueueProgress),
    /// The job is on the farm.
    Submitted {
        /// The job.
        job: JobId,
        /// How many tasks it has.
        tasks: u64,
        /// Files whose paths could not be followed, where the request allowed that.
        missing_files: usize,
        /// The Blender that renders it, as major and minor version.
        blender: (u16, u16),
    },
}

/// Runs a submission to its end.
///
/// # Errors
/// [`FarmError`], whatever stopped it. A request that names a job again goes on where it was.
pub async fn run(
    settings: &FarmSettings,
    mut request: Request,
    on_event: impl Fn(Event) + Send + Sync,
) -> Result<()> {
    // What no farm would take is told before anything is read, let alone sent.
    let artists = (request.blender_version.0, request.blender_version.1);
    job_of(&request, PackId::unknown(), artists).validate()?;
    // The farm is looked up first: a wrong profile should not be found out after minutes of tracing.
    let farm = Farm::connect(settings).await?;
    let render_version = farm.blenders.of(request.blender_version)?;
    let other_blender = (render_version != artists).then_some(render_version);
    let scene = tokio::task::block_in_place(|| {
        let settings = RenderSettings::read(&request.blend_file, request.scene.as_deref())?;
        settings.check_engine().map(|()| settings.scene)
    })?;
    let work_folder =
        tempfile::tempdir().map_err(FarmError::io("make a folder in", &std::env::temp_dir()))?;
    if !request.painted.is_empty() {
        let shown = work_folder.path().join("painted.blend");
        tokio::task::block_in_place(|| {
            scene::show_painted(&request.blend_file, &request.painted, &shown)
        })?;
        request.blend_file = shown;
    }
    let traced = blocking_trace(&request, scene, &on_event)?;
    traced.check_byte_order(BlenderVersion(render_version.0, render_version.1, 0))?;
    traced.check_scripts()?;
    let missing = traced.missing_files();
    let unbaked = traced.unbaked_simulations();
    let may_go_on = (missing.is_empty() || request.allow_missing_files)
        && (unbaked.is_empty() || request.allow_unbaked)
        && (other_blender.is_none() || request.allow_other_blender);
    if !may_go_on {
        let unbaked = unbaked.to_vec();
        on_event(Event::Concerns { missing_files: missing, unbaked, other_blender });
        return Ok(());
    }
    if let Some(obstacle) = traced.split_obstacle().filter(|one| request.is_hindered_by(*one)) {
        on_event(Event::NotSplit { obstacle });
        // No slices are sent that would find it out. The worker has the last word.
        request.slices = None;
    }
    let plan = tokio::task::block_in_place(|| PackPlan::new(&traced, work_folder.path()))?;
    let upload = UploadSettings {
        cache_folder: UploadSettings::default_cache_folder(),
        retention: farm.retention,
    };
    let uploading = upload_pack(
        &farm.storage,
        &upload,
        &plan,
        |progress| on_event(Event::Uploading(progress)),
        |message| on_event(Event::Trouble { message }),
    );
    let (pack, ()) = tokio::try_join!(uploading, make_ready(&farm, &on_event))?;
    let job = job_of(&request, pack, render_version);
    let is_new = submit_job(&farm.storage, &farm.queue, &job, |progress| {
        on_event(Event::Enqueueing(progress));
    })
    .await?;
    if is_new {
        farm.burst().call(&farm.queue, &farm.function, job.id, job.message_count()).await;
    }
    on_event(Event::Submitted {
        job: job.id,
        tasks: job.frames.count(),
        missing_files: missing.len(),
        blender: render_version,
    });
    Ok(())
}

/// Has the function ready when the first frame is on the queue: what is delivered to one that is not
/// is hidden for a quarter of an hour.
async fn make_ready(farm: &Farm, on_event: &impl Fn(Event)) -> Result<()> {
    match farm.function.make_ready(|message| on_event(Event::Waking { message })).await {
        // Nobody needs the permission to look but for this.
        Err(error @ FarmError::NotAllowed { .. }) => {
            on_event(Event::Trouble { message: protocol::sentence(&error) });
            Ok(())
        }
        ready => ready,
    }
}

fn blocking_trace(request: &Request, scene: String, on_event: &impl Fn(Event)) -> Result<Trace> {
    let source = TraceSource {
        file: request.blend_file.clone(),
        as_path: request.as_path.clone(),
        is_session: request.is_session,
        scene: Some(scene),
        frames: Some(request.frames.range()),
        limit_from_bytes: LIMIT_SEQUENCES_FROM_BYTES,
        allow_scripts: request.allow_scripts,
        color_config: request.color_config.clone(),
    };
    let traced = tokio::task::block_in_place(|| {
        scene::trace(&source, |path| on_event(Event::Tracing { path: path.to_owned() }))
    })?;
    Ok(traced)
}

fn job_of(request: &Request, pack: PackId, render_version: (u16, u16)) -> Job {
    Job {
        version: Job::VERSION,
        id: request.job,
        name: request.name.clone(),
        pack,
        scene: request.scene.clone(),
        frames: request.frames.clone(),
        is_still: request.is_still,
        output: request.output.clone(),
        blender_version: request.blender_version,
        render_version: Some(render_version),
        slices: request.slices,
        allow_other_noise: request.allow_other_noise,
        allow_scripts: request.allow_scripts,
    }
}
