use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use command_fds::{CommandFdExt, FdMapping};
use protocol::BlenderVersion;
use tokio::net::UnixStream;
use tokio::process::{Child, Command};

use crate::error::{ConsumerError, Result};
use crate::log::Log;
use crate::wire::{self, RenderRequest, Reply};

/// The Python that runs inside Blender; part of the binary, so that the two cannot differ.
const WORKER: &str = include_str!("../worker/worker.py");

/// The file descriptor of the socket, in Blender.
const SOCKET: i32 = 3;

/// How long Blender may take to start.
const START_LIMIT: Duration = Duration::from_secs(120);

/// A Blender that stays warm between frames and keeps its scene loaded.
#[derive(Debug)]
pub(crate) struct Blender {
    child: Child,
    setup: BlenderSetup,
    socket: UnixStream,
    log: Log,
    version: BlenderVersion,
    peak_memory_bytes: u64,
}

/// What a Blender is started with; another one needs another Blender.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct BlenderSetup {
    /// The colour configuration, where it is not Blender's own.
    pub(crate) color_config: Option<PathBuf>,
}

/// A frame that Blender has written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rendered {
    pub(crate) load_seconds: f64,
    pub(crate) render_seconds: f64,
    pub(crate) peak_memory_bytes: u64,
}

impl Blender {
    /// Starts Blender and waits until it answers. Its own files go below `home`.
    pub(crate) async fn start(
        program: &Path,
        home: &Path,
        setup: BlenderSetup,
        log: Log,
    ) -> Result<Self> {
        std::fs::create_dir_all(home).map_err(ConsumerError::io("make the folder", home))?;
        let script = home.join("worker.py");
        std::fs::write(&script, WORKER).map_err(ConsumerError::io("write", &script))?;
        let no_blender = |source| ConsumerError::NoBlender { program: program.to_owned(), source };
        let (ours, theirs) = UnixStream::pair().map_err(no_blender)?;
        let theirs = theirs.into_std().map_err(no_blender)?;
        theirs.set_nonblocking(false).map_err(no_blender)?;
        let mut command = command(program, &script);
        command
            .env_clear()
            .envs(environment(home))
            .envs(setup.color_config.iter().map(|config| ("OCIO", config)))
            .current_dir(home)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .fd_mappings(vec![FdMapping { parent_fd: OwnedFd::from(theirs), child_fd: SOCKET }])
            .map_err(|error| ConsumerError::Wire { reason: error.to_string() })?;
        let mut command = Command::from(command);
        let mut child = command.kill_on_drop(true).spawn().map_err(no_blender)?;
        // The command holds the child's end of the socket; while it lives, no end of file is seen.
        drop(command);
        if let Some(stdout) = child.stdout.take() {
            log.collect(stdout);
        }
        if let Some(stderr) = child.stderr.take() {
            log.collect(stderr);
        }
        let version = BlenderVersion(0, 0, 0);
        let mut blender = Self { child, setup, socket: ours, log, version, peak_memory_bytes: 0 };
        let ready = tokio::time::timeout(START_LIMIT, wire::receive(&mut blender.socket)).await;
        match ready {
            Ok(Ok(Some(Reply::Ready { version }))) => {
                blender.version = version;
                Ok(blender)
            }
            Ok(Ok(Some(other))) => {
                Err(ConsumerError::Wire { reason: format!("{other:?} before it was ready") })
            }
            Ok(Ok(None)) => Err(blender.died().await),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(ConsumerError::Wire {
                reason: format!("no answer within {} s of its start", START_LIMIT.as_secs()),
            }),
        }
    }

    /// What it was started with.
    pub(crate) fn setup(&self) -> &BlenderSetup {
        &self.setup
    }

    /// Which Blender it is.
    pub(crate) fn version(&self) -> BlenderVersion {
        self.version
    }

    /// Renders a frame. After any error but [`ConsumerError::Scene`] this Blender is of no more use.
    pub(crate) async fn render(
        &mut self,
        request: &RenderRequest,
        on_progress: impl Fn(f32),
    ) -> Result<Rendered> {
        if wire::send(&mut self.socket, request).await.is_err() {
            return Err(self.died().await);
        }
        loop {
            match wire::receive(&mut self.socket).await? {
                Some(Reply::Progress { progress }) => on_progress(progress.clamp(0.0, 1.0)),
                Some(Reply::Rendered { load_seconds, render_seconds, peak_memory_bytes }) => {
                    self.peak_memory_bytes = peak_memory_bytes;
                    return Ok(Rendered { load_seconds, render_seconds, peak_memory_bytes });
                }
                Some(Reply::Failed { message }) => return Err(ConsumerError::Scene { message }),
                Some(Reply::Ready { .. }) => {
                    return Err(ConsumerError::Wire { reason: "ready twice".into() });
                }
                None => return Err(self.died().await),
            }
        }
    }

    /// The memory that Blender holds at this moment, if it is the most so far.
    pub(crate) fn observe_memory(&mut self) {
        if let Some(peak) = self.child.id().and_then(peak_memory_bytes) {
            self.peak_memory_bytes = self.peak_memory_bytes.max(peak);
        }
    }

    /// Why Blender went away. Waits a little for its last words.
    async fn died(&mut self) -> ConsumerError {
        self.observe_memory();
        let status = tokio::time::timeout(Duration::from_secs(5), self.child.wait()).await;
        let killed = matches!(&status, Ok(Ok(status)) if was_killed(*status));
        let status = match status {
            Ok(Ok(status)) => status.to_string(),
            _ => "it closed its socket but still runs".to_owned(),
        };
        tokio::time::sleep(Duration::from_millis(50)).await;
        ConsumerError::BlenderDied { status, killed, peak_memory_bytes: self.peak_memory_bytes }
    }

    /// What it prints.
    pub(crate) fn log(&self) -> &Log {
        &self.log
    }
}

fn command(program: &Path, script: &Path) -> std::process::Command {
    let mut command = std::process::Command::new(program);
    let is_python = program
        .file_name()
        .is_some_and(|name| name.to_string_lossy().to_lowercase().starts_with("python"));
    if is_python {
        // Isolated: neither the environment nor the user's site-packages change what is imported.
        command.arg("-I").arg(script);
    } else {
        command.args(["--background", "--factory-startup", "--python-exit-code", "1", "--python"]);
        command.arg(script);
    }
    command
}

/// The child's whole environment. No AWS variable is in it: a script in a scene must not find keys.
fn environment(home: &Path) -> Vec<(&'static str, PathBuf)> {
    let mut environment = vec![
        ("PATH", PathBuf::from("/usr/local/bin:/usr/bin:/bin")),
        ("LANG", "C.UTF-8".into()),
        ("HOME", home.to_owned()),
        ("TMPDIR", home.to_owned()),
        ("XDG_CACHE_HOME", home.join("cache")),
        ("BLENDER_USER_RESOURCES", home.join("blender")),
        ("LIBGL_ALWAYS_SOFTWARE", "1".into()),
    ];
    if let Some(libraries) = std::env::var_os("BLENDER_LIBRARY_PATH") {
        environment.push(("LD_LIBRARY_PATH", libraries.into()));
    }
    environment
}

fn was_killed(status: ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt;
    status.signal() == Some(9)
}

/// `VmHWM` of a process: the most memory that it has held (proc(5)).
fn peak_memory_bytes(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}
