//! One task from its pack to its files in the bucket.

use std::path::PathBuf;
use std::time::Instant;

use protocol::keys::PartKind;
use protocol::{Job, ResultFile, TaskMessage, TaskState, TaskTimes};
use tokio::sync::watch;

use crate::blender::child::Bounds;
use crate::blender::process;
use crate::blender::setup::BlenderSetup;
use crate::blender::wire::RenderRequest;
use crate::error::{ConsumerError, Result};
use crate::own_folder;
use crate::results::collect::made_files;
use crate::results::upload as results;
use crate::task::metrics::Outcome;
use crate::task::too_long::FrameProgress;
use crate::worker::Worker;

/// What the consumer itself and the system need of the memory.
const OWN_MEMORY_BYTES: u64 = 96 << 20;

/// A task whose files are in the bucket.
#[derive(Debug)]
pub(crate) struct RenderedTask {
    files: Vec<ResultFile>,
    pub(crate) times: TaskTimes,
    peak_memory_bytes: u64,
    is_warm: bool,
}

/// What is rendered of a frame.
#[derive(Debug, Clone, Copy)]
pub(super) enum What {
    /// All of it.
    Whole,
    /// A slice of so many.
    Slice { number: u32, count: u32 },
    /// What comes after so many slices.
    End { count: u32 },
}

impl RenderedTask {
    /// What is counted of it.
    pub(crate) fn outcome(&self) -> Outcome {
        let Self { times, peak_memory_bytes, is_warm, .. } = *self;
        Outcome::Done { times, peak_memory_bytes, is_warm }
    }

    /// What its record says.
    pub(crate) fn into_state(self) -> TaskState {
        let Self { files, times, peak_memory_bytes, .. } = self;
        TaskState::Done { files, times, peak_memory_bytes }
    }
}

impl Worker {
    /// Renders the frame of a task, or what of it the task is, and sends its files.
    pub(crate) async fn work(
        &mut self,
        task: &TaskMessage,
        job: &Job,
        started: Instant,
        progress: &watch::Sender<FrameProgress>,
    ) -> Result<RenderedTask> {
        match (task.slices(job), task.slice) {
            (Some(count), Some(number)) => {
                let what = What::Slice { number, count };
                self.render(task, job, what, started, progress).await
            }
            (Some(count), None) => {
                let what = self.end_of_slices(task, count).await?;
                let mut rendered = self.render(task, job, what, started, progress).await?;
                self.add_times_of_slices(task, count, &mut rendered.times).await;
                Ok(rendered)
            }
            (None, _) => self.render(task, job, What::Whole, started, progress).await,
        }
    }

    /// Has Blender render what is wanted, and sends what it has made.
    async fn render(
        &mut self,
        task: &TaskMessage,
        job: &Job,
        what: What,
        started: Instant,
        progress: &watch::Sender<FrameProgress>,
    ) -> Result<RenderedTask> {
        self.forget_other_scripts(job)?;
        self.prepare(job);
        let (pack, rest) = self.packs.fetch(&self.storage, &job.pack).await?;
        let mut fetch = started.elapsed();
        let setup = BlenderSetup { color_config: pack.color_config, ..self.setup_of(job) };
        if pack.is_new
            && self.blender.kept().is_some_and(|blender| blender.has_open(&pack.blend_file))
        {
            // The pack was damaged and came anew: what Blender has read of it may be damaged too.
            self.blender.let_go();
        }
        let taken = self.blender.take(&setup).await;
        self.log = self.blender.log().clone();
        let (mut blender, is_warm) = taken?;
        let start = started.elapsed().saturating_sub(fetch);
        let version = blender.version();
        if let Err(lack) = self.settings.blenders.check(job, &setup.program, version) {
            self.blender.put_back(blender);
            return Err(lack);
        }
        let bounds = self.bounds();
        let mut load_seconds = 0.0;
        if let Some(rest) = rest {
            let before = Instant::now();
            let arrival = async {
                self.packs.fetch_rest(&self.storage, rest).await?;
                Ok::<_, ConsumerError>(before.elapsed())
            };
            let opening = async {
                let seconds = blender.open(&pack.blend_file, job.allow_scripts, bounds).await?;
                tracing::info!(job = %task.job, frame = task.frame, seconds, "scene opened");
                Ok::<_, ConsumerError>(seconds)
            };
            let (arrived, seconds) = tokio::try_join!(arrival, opening)?;
            (fetch, load_seconds) = (fetch + arrived, seconds);
        }
        let output_folder = self.new_output_folder()?;
        let mut request = whole_frame(job, task, pack.blend_file, output_folder.clone());
        request.may_be_split = progress.borrow().is_asked;
        // Taken out while it works: if this future is dropped, Blender is dropped and so stopped.
        let rendered = self.render_what(&mut blender, &mut request, task, what, bounds, |news| {
            progress.send_modify(|known| known.take(news));
        });
        let (rendered, kind, placed) = match rendered.await {
            Err(error @ ConsumerError::Scene { .. }) => {
                blender.rest().await?;
                self.blender.put_back(blender);
                return Err(error);
            }
            rendered => rendered?,
        };
        // Nothing of the frame runs any more when its files are read.
        blender.rest().await?;
        if blender.leaks(&request.blend_file) {
            tracing::info!("Blender has grown and is replaced");
            drop(blender);
            self.prepare(job);
        } else {
            self.blender.put_back(blender);
        }
        let before_upload = started.elapsed();
        let made = made_files(&output_folder)?;
        let files = match what {
            What::Slice { number, count } => {
                // Of an animation nobody looks at single slices.
                if let Some(placed) = placed.filter(|_| job.frames.count() == 1) {
                    let slice = (number, count);
                    self.send_preview(task, slice, placed, &made).await;
                }
                self.send_part(task, number, kind, &output_folder, made).await?
            }
            _ => results::upload(&self.storage, task.job, &output_folder, made).await?,
        };
        if files.is_empty() && kind == PartKind::Pixels {
            return Err(ConsumerError::Scene {
                message: "Blender rendered the frame but wrote no file".into(),
            });
        }
        let times = TaskTimes {
            fetch_seconds: fetch.as_secs_f64(),
            start_seconds: start.as_secs_f64(),
            load_seconds: load_seconds + rendered.load_seconds,
            render_seconds: rendered.render_seconds,
            upload_seconds: started.elapsed().saturating_sub(before_upload).as_secs_f64(),
            total_seconds: started.elapsed().as_secs_f64(),
        };
        let peak_memory_bytes = rendered.peak_memory_bytes;
        tracing::info!(job = %task.job, frame = task.frame, is_warm, ?times, peak_memory_bytes, "frame done");
        Ok(RenderedTask { files, times, peak_memory_bytes, is_warm })
    }

    /// Between a job whose scripts run and any other one nothing is shared: neither the Blender, nor
    /// processes, nor packs that scripts could read or shaders that they could write.
    ///
    /// A worker that cannot forget is of no more use.
    pub(crate) fn forget_other_scripts(&mut self, job: &Job) -> Result<()> {
        let scripts_of = job.allow_scripts.then_some(job.id);
        if self.scripts_of != scripts_of {
            tracing::info!(job = %job.id, "scripts of a job have run here or will: beginning anew");
            self.blender.let_go();
            if !process::end_children() {
                return Err(ConsumerError::Unfit("a process of a job's scripts goes on".into()));
            }
            for left in [own_folder::packs, own_folder::shader_cache, own_folder::output] {
                let left = left(self.folder.path());
                own_folder::delete(&left).map_err(|error| {
                    ConsumerError::Unfit(format!("cannot clear {}: {error}", left.display()))
                })?;
            }
            self.packs.clear()?;
            if self.settings.owns_temporary_folder {
                own_folder::sweep(&self.temporary, self.folder.path());
            }
        }
        self.scripts_of = scripts_of;
        Ok(())
    }

    /// How far Blender may go with one frame.
    fn bounds(&self) -> Bounds {
        let memory_bytes =
            self.settings.memory_bytes.map(|limit| limit.saturating_sub(OWN_MEMORY_BYTES));
        Bounds { memory_bytes, silence: self.settings.silence }
    }

    /// An empty folder for the results of a frame; those of frames before are deleted.
    fn new_output_folder(&self) -> Result<PathBuf> {
        let folder = own_folder::output(self.folder.path());
        // The folder itself stays: it is the one that Blender may write to.
        own_folder::empty(&folder).map_err(ConsumerError::io("clear", &folder))?;
        // Under another name each time: what was told of a folder before means none of these.
        let new = tempfile::Builder::new().prefix("frame-").tempdir_in(&folder);
        Ok(new.map_err(ConsumerError::io("make a folder in", &folder))?.keep())
    }
}

/// What Blender is asked for where it renders all of a frame.
fn whole_frame(
    job: &Job,
    task: &TaskMessage,
    blend_file: PathBuf,
    output_folder: PathBuf,
) -> RenderRequest {
    RenderRequest {
        blend_file,
        blender_version: job.blender_version,
        scene: job.scene.clone(),
        engines: protocol::ENGINES,
        allow_scripts: job.allow_scripts,
        frame: task.frame,
        is_still: job.is_still,
        output_folder,
        output_template: job.output.template.clone(),
        output_folders: job
            .output
            .folders
            .iter()
            .map(|folder| {
                let place = String::from_utf8_lossy(&folder.place.names()).into_owned();
                (folder.written.clone(), place)
            })
            .collect(),
        may_be_split: false,
        allow_other_noise: job.allow_other_noise,
        tile: None,
        passes: None,
        metadata: Vec::new(),
    }
}
