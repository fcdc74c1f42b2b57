use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use protocol::BlenderVersion;
use tempfile::TempDir;
use tokio::net::unix::OwnedWriteHalf;
use tokio::sync::mpsc;

use crate::blender::cage::CANNOT_RUN;
use crate::blender::keeper::handle::Keeper;
use crate::blender::log::Log;
use crate::blender::process::{self, Folders, memory_bytes, memory_bytes_below, was_killed};
use crate::blender::setup::BlenderSetup;
use crate::blender::wire::{self, RenderRequest, Reply, Request};
use crate::error::{ConsumerError, Result};

/// How long Blender may take to start.
const START_LIMIT: Duration = Duration::from_secs(120);

/// How the names of homes of Blenders begin.
pub(crate) const HOME_PREFIX: &str = "blender-";

/// How often Blender's memory is looked at: it can take gigabytes in a second.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How much a Blender may grow after its first frame of a scene before it is replaced.
const LEAK_BYTES: u64 = 1 << 30;

/// A Blender that stays warm between frames and keeps its scene loaded.
#[derive(Debug)]
pub(crate) struct Blender {
    keeper: Keeper,
    requests: OwnedWriteHalf,
    replies: mpsc::Receiver<Result<Reply>>,
    setup: BlenderSetup,
    log: Log,
    version: BlenderVersion,
    peak_memory_bytes: u64,
    /// The most that it had held before the task at hand.
    peak_before_bytes: u64,
    /// The scene that it has open, and what it held after its first frame of it.
    first_frame: Option<(PathBuf, u64)>,
    _home: TempDir,
}

/// How far Blender may go with one frame.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// The most memory, in bytes, where there is a limit.
    pub(crate) memory_bytes: Option<u64>,
    /// How long it may say nothing of its work.
    pub(crate) silence: Duration,
}

/// A frame that Blender has written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rendered {
    pub(crate) load_seconds: f64,
    pub(crate) render_seconds: f64,
    pub(crate) peak_memory_bytes: u64,
}

/// What Blender tells while it works.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum News {
    /// So much of the frame is rendered, 0 to 1.
    Part(f32),
    /// Why the frame cannot be split; empty where it can.
    Divisible {
        /// In a few words.
        obstacle: String,
        /// Into how many slices at least.
        least_slices: usize,
    },
}

/// What a frame is, before it is rendered.
#[derive(Debug, Clone)]
pub(crate) struct Measured {
    pub(crate) load_seconds: f64,
    /// Width and height in pixels.
    pub(crate) size: (usize, usize),
    /// The size of Cycles' own tiles, where sampling is adaptive.
    pub(crate) adaptive_tile_size: Option<usize>,
    /// Why it cannot be split; empty where it can.
    pub(crate) obstacle: String,
}

impl Blender {
    /// Starts Blender and waits until it answers. Its own files go into a new folder below `folder`.
    /// What it prints goes into `log`.
    pub(crate) async fn start(folder: &Path, setup: BlenderSetup, log: Log) -> Result<Self> {
        let home = tempfile::Builder::new()
            .prefix(HOME_PREFIX)
            .tempdir_in(folder)
            .map_err(ConsumerError::io("make a folder in", folder))?;
        let folders = Folders::new(home.path(), folder);
        let (keeper, socket) = process::start(&folders, &setup, &log).await?;
        let (mut from_blender, requests) = socket.into_split();
        let (sender, replies) = mpsc::channel(16);
        // A task of its own: a message that is half read must not be lost when something else ends.
        tokio::spawn(async move {
            while let Some(reply) = wire::receive(&mut from_blender).await.transpose() {
                let is_broken = reply.is_err();
                if sender.send(reply).await.is_err() || is_broken {
                    break;
                }
            }
        });
        let mut blender = Self {
            keeper,
            requests,
            replies,
            setup,
            log,
            version: BlenderVersion(0, 0, 0),
            peak_memory_bytes: 0,
            peak_before_bytes: 0,
            first_frame: None,
            _home: home,
        };
        match tokio::time::timeout(START_LIMIT, blender.replies.recv()).await {
            Ok(Some(Ok(Reply::Ready { version }))) => {
                blender.version = version;
                Ok(blender)
            }
            Ok(Some(Ok(other))) => {
                Err(ConsumerError::Wire { reason: format!("{other:?} before it was ready") })
            }
            Ok(Some(Err(error))) => Err(error),
            Ok(None) => Err(blender.never_began().await),
            Err(_) => Err(ConsumerError::Wire {
                reason: format!("no answer within {} s of its start", START_LIMIT.as_secs()),
            }),
        }
    }

    /// Which Blender it is.
    pub(crate) fn version(&self) -> BlenderVersion {
        self.version
    }

    /// What it was started with.
    pub(crate) fn setup(&self) -> &BlenderSetup {
        &self.setup
    }

    /// Whether it still runs.
    pub(crate) fn is_alive(&mut self) -> bool {
        self.keeper.is_alive()
    }

    /// Counts memory anew, for another task.
    pub(crate) fn begin_task(&mut self) {
        self.log.clear();
        self.peak_memory_bytes = 0;
        self.peak_before_bytes = memory_bytes(self.keeper.blender()).map_or(0, |(_, peak)| peak);
    }

    /// Takes note of what Blender holds and of the most that it ever held: that of this task, where
    /// it is more than before it.
    fn saw(&mut self, now: u64, most_ever: u64) {
        let most = if most_ever > self.peak_before_bytes { most_ever } else { now };
        self.peak_memory_bytes = self.peak_memory_bytes.max(most);
    }

    /// Opens a scene before all of its pack is there; gives the seconds that it took.
    ///
    /// What goes wrong in the scene itself is no error here: it comes again with the first frame.
    pub(crate) async fn open(
        &mut self,
        blend_file: &Path,
        allow_scripts: bool,
        bounds: Bounds,
    ) -> Result<f64> {
        let request = Request::Open { blend_file, allow_scripts };
        match self.ask(&request, bounds, |_| {}).await {
            Ok(Reply::Opened { load_seconds }) => Ok(load_seconds),
            Ok(other) => Err(unexpected(&other)),
            Err(ConsumerError::Scene { .. }) => Ok(0.0),
            Err(error) => Err(error),
        }
    }

    /// How large a frame is, and whether it can be split.
    pub(crate) async fn measure(
        &mut self,
        request: &RenderRequest,
        bounds: Bounds,
    ) -> Result<Measured> {
        match self.ask(&Request::Measure(request), bounds, |_| {}).await? {
            Reply::Measured { load_seconds, width, height, adaptive_tile_size, obstacle } => {
                let size = (width, height);
                Ok(Measured { load_seconds, size, adaptive_tile_size, obstacle })
            }
            other => Err(unexpected(&other)),
        }
    }

    /// Renders a frame. After any error but [`ConsumerError::Scene`] this Blender is of no more use.
    pub(crate) async fn render(
        &mut self,
        request: &RenderRequest,
        bounds: Bounds,
        on_news: impl Fn(News),
    ) -> Result<Rendered> {
        match self.ask(&Request::Render(request), bounds, on_news).await? {
            Reply::Rendered { load_seconds, render_seconds, peak_memory_bytes } => {
                let now = memory_bytes(self.keeper.blender()).map_or(0, |(now, _)| now);
                self.saw(now, peak_memory_bytes);
                let peak_memory_bytes = self.peak_memory_bytes;
                Ok(Rendered { load_seconds, render_seconds, peak_memory_bytes })
            }
            other => Err(unexpected(&other)),
        }
    }

    /// Asks for something and waits for the answer, while Blender keeps within its bounds.
    async fn ask(
        &mut self,
        request: &Request<'_>,
        bounds: Bounds,
        on_news: impl Fn(News),
    ) -> Result<Reply> {
        let is_awake = self.keeper.work().await.is_ok();
        if !is_awake || wire::send(&mut self.requests, request).await.is_err() {
            return Err(self.died(bounds.memory_bytes).await);
        }
        let mut heard = Instant::now();
        let mut looks = tokio::time::interval(LOOK_EVERY);
        loop {
            let reply = tokio::select! {
                reply = self.replies.recv() => reply,
                _ = looks.tick() => {
                    self.check(bounds, heard)?;
                    // A process that its script has forked may hold the socket of a dead Blender.
                    if !self.is_alive() && self.replies.is_empty() {
                        return Err(self.died(bounds.memory_bytes).await);
                    }
                    continue;
                }
            };
            heard = Instant::now();
            match reply {
                Some(Ok(Reply::Progress { part, memory_bytes })) => {
                    self.saw(memory_bytes, 0);
                    // Without a part it is a sign of life, and what was told before still holds.
                    if let Some(part) = part {
                        on_news(News::Part(part.clamp(0.0, 1.0)));
                    }
                }
                Some(Ok(Reply::Divisible { width, height, adaptive_tile_size, obstacle })) => {
                    let least = |side| frames::least_adaptive_tiles((width, height), side);
                    let least_slices = adaptive_tile_size.map_or(1, least);
                    on_news(News::Divisible { obstacle, least_slices });
                }
                Some(Ok(Reply::Failed { message })) => {
                    return Err(ConsumerError::Scene { message });
                }
                Some(reply) => return reply,
                None => return Err(self.died(bounds.memory_bytes).await),
            }
        }
    }

    /// Whether it has a scene open.
    pub(crate) fn has_open(&self, scene: &Path) -> bool {
        self.first_frame.as_ref().is_some_and(|(open, _)| open == scene)
    }

    /// Whether it holds much more than after its first frame of the same scene.
    pub(crate) fn leaks(&mut self, scene: &Path) -> bool {
        let Some((now, _)) = memory_bytes(self.keeper.blender()) else { return true };
        match &self.first_frame {
            Some((known, first)) if known == scene => {
                now > first.saturating_add(LEAK_BYTES.max(first / 2))
            }
            _ => {
                self.first_frame = Some((scene.to_owned(), now));
                false
            }
        }
    }

    fn check(&mut self, bounds: Bounds, heard: Instant) -> Result<()> {
        let memory = memory_bytes(self.keeper.blender());
        if let Some((now, peak)) = memory {
            self.saw(now, peak);
            // Of what a script has started too, once all of it is held at the same time.
            let together = if self.setup.allow_scripts {
                self.keeper.process().map_or(now, memory_bytes_below).max(now)
            } else {
                now
            };
            if let Some(limit_bytes) = bounds.memory_bytes.filter(|limit| together > *limit) {
                let needed_bytes = peak.max(together);
                return Err(ConsumerError::OutOfMemory { needed_bytes, limit_bytes });
            }
        }
        if heard.elapsed() > bounds.silence {
            return Err(ConsumerError::Hung { after: heard.elapsed() });
        }
        Ok(())
    }

    /// Ends all that it has started, and stops it until it is asked again: nobody changes what the
    /// frame has made.
    pub(crate) async fn rest(&mut self) -> Result<()> {
        self.keeper.rest().await
    }

    /// Why it never answered.
    async fn never_began(&mut self) -> ConsumerError {
        match self.died(None).await {
            ConsumerError::BlenderDied { status, .. }
                if status.code() == Some(CANNOT_RUN.into()) =>
            {
                let tail = self.log.tail();
                let reason = tail.lines().last().unwrap_or_default().to_owned();
                ConsumerError::NoBlender { program: self.setup.program.clone(), reason }
            }
            error => error,
        }
    }

    /// Why Blender went away. Waits a little for its last words.
    async fn died(&mut self, limit_bytes: Option<u64>) -> ConsumerError {
        let status = self.keeper.ended().await;
        // Its output is read by others: what was in the pipes when it ended is still to come.
        tokio::time::sleep(Duration::from_millis(50)).await;
        let Some(status) = status else {
            return ConsumerError::Wire { reason: "its socket is closed, and it runs on".into() };
        };
        let peak = self.peak_memory_bytes;
        // The system ends whoever holds most when there is no more: nearly all was Blender's then.
        let nearly_all = limit_bytes.filter(|limit| was_killed(status) && peak > limit / 10 * 9);
        match nearly_all {
            Some(limit_bytes) => ConsumerError::OutOfMemory { needed_bytes: peak, limit_bytes },
            None => ConsumerError::BlenderDied { status, peak_memory_bytes: peak },
        }
    }
}

fn unexpected(reply: &Reply) -> ConsumerError {
    ConsumerError::Wire { reason: format!("an answer to something else: {reply:?}") }
}
