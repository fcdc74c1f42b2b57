//! Blender as a process: how it is started, what it is given, and what it holds.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use command_fds::{CommandFdExt, FdMapping};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};

use crate::blender::log::Log;
use crate::blender::setup::BlenderSetup;
use crate::error::{ConsumerError, Result};

/// The Python that runs inside Blender, by its place below Blender's home; part of the binary, so
/// that the two cannot differ.
const WORKER: &[(&str, &str)] = &[
    ("main.py", include_str!("../../worker/main.py")),
    ("render_worker/__init__.py", include_str!("../../worker/render_worker/__init__.py")),
    ("render_worker/connection.py", include_str!("../../worker/render_worker/connection.py")),
    ("render_worker/file_outputs.py", include_str!("../../worker/render_worker/file_outputs.py")),
    ("render_worker/memory.py", include_str!("../../worker/render_worker/memory.py")),
    (
        "render_worker/render_settings.py",
        include_str!("../../worker/render_worker/render_settings.py"),
    ),
    ("render_worker/renderer.py", include_str!("../../worker/render_worker/renderer.py")),
    ("render_worker/scene_errors.py", include_str!("../../worker/render_worker/scene_errors.py")),
    ("render_worker/serve.py", include_str!("../../worker/render_worker/serve.py")),
    ("render_worker/sign_of_life.py", include_str!("../../worker/render_worker/sign_of_life.py")),
];

/// The file descriptor of the socket, in Blender.
const SOCKET: i32 = 3;

/// How deep processes that scripts start may stand one below the other.
const MOST_GENERATIONS: usize = 100;

/// Where a Blender's own files go.
#[derive(Debug, Clone)]
pub(crate) struct Folders {
    /// Its home, its settings and its temporary files; its own alone.
    pub(crate) home: PathBuf,
    /// Compiled shaders, which the next Blender finds again.
    pub(crate) shader_cache: PathBuf,
}

/// Where compiled shaders are kept below a worker's folder.
pub(crate) fn shader_cache(folder: &Path) -> PathBuf {
    folder.join("shader-cache")
}

/// Deletes the compiled shaders.
pub(crate) fn clear_shader_cache(folder: &Path) -> Result<()> {
    let cache = shader_cache(folder);
    match std::fs::remove_dir_all(&cache) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(ConsumerError::io("clear", &cache)(error))
        }
        _ => Ok(()),
    }
}

/// Starts Blender with one end of a socket; gives the process and the other end.
pub(crate) fn start(
    program: &Path,
    folders: &Folders,
    setup: &BlenderSetup,
    log: &Log,
) -> Result<(Child, UnixStream)> {
    for folder in [&folders.home, &folders.shader_cache] {
        std::fs::create_dir_all(folder).map_err(ConsumerError::io("make the folder", folder))?;
    }
    let package = folders.home.join("render_worker");
    std::fs::create_dir_all(&package).map_err(ConsumerError::io("make the folder", &package))?;
    for (name, source) in WORKER {
        let path = folders.home.join(name);
        std::fs::write(&path, source).map_err(ConsumerError::io("write", &path))?;
    }
    let script = folders.home.join("main.py");
    let no_blender = |source| ConsumerError::NoBlender { program: program.to_owned(), source };
    let (ours, theirs) = UnixStream::pair().map_err(no_blender)?;
    let theirs = theirs.into_std().map_err(no_blender)?;
    theirs.set_nonblocking(false).map_err(no_blender)?;
    let mut command = command(program, &script);
    command
        .env_clear()
        .envs(environment(folders))
        .envs(setup.color_config.iter().map(|config| ("OCIO", config)))
        .current_dir(&folders.home)
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
    Ok((child, ours))
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
fn environment(folders: &Folders) -> Vec<(&'static str, PathBuf)> {
    let home = &folders.home;
    let mut environment = vec![
        ("PATH", PathBuf::from("/usr/local/bin:/usr/bin:/bin")),
        ("LANG", "C.UTF-8".into()),
        ("HOME", home.clone()),
        ("TMPDIR", home.clone()),
        ("XDG_CACHE_HOME", home.join("cache")),
        ("XDG_RUNTIME_DIR", home.clone()),
        ("BLENDER_USER_RESOURCES", home.join("blender")),
        ("LIBGL_ALWAYS_SOFTWARE", "1".into()),
        ("MESA_SHADER_CACHE_DIR", folders.shader_cache.clone()),
    ];
    if let Some(libraries) = std::env::var_os("BLENDER_LIBRARY_PATH") {
        environment.push(("LD_LIBRARY_PATH", libraries.into()));
    }
    environment
}

/// Makes what scripts leave behind children of this process when their Blender ends.
pub(crate) fn adopt_orphans() -> Result<()> {
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))
        .map_err(|error| ConsumerError::Runtime { reason: error.to_string() })
}

/// Ends every process below this one: only for when no Blender is wanted.
pub(crate) fn end_children() {
    // A process that dies hands its own children over: as often as anyone is deep.
    for _ in 0..MOST_GENERATIONS {
        let children = children();
        if children.is_empty() {
            return;
        }
        for child in children {
            let _ = rustix::process::kill_process(child, rustix::process::Signal::KILL);
            let _ = rustix::process::waitpid(Some(child), rustix::process::WaitOptions::empty());
        }
    }
}

/// The processes that this one is the parent of (`/proc/<pid>/task/<tid>/children`, proc(5)).
fn children() -> Vec<rustix::process::Pid> {
    let threads = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let lists =
        threads.filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
    let numbers = lists.flat_map(|list| {
        list.split_whitespace().filter_map(|number| number.parse().ok()).collect::<Vec<i32>>()
    });
    numbers.filter_map(rustix::process::Pid::from_raw).collect()
}

/// Whether a process was ended by SIGKILL.
pub(crate) fn was_killed(status: ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt;
    status.signal() == Some(9)
}

/// What a process holds at this moment and the most that it has held, in bytes: `VmRSS` and `VmHWM`
/// (proc(5)).
pub(crate) fn memory_bytes(process: u32) -> Option<(u64, u64)> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
    };
    Some((field("VmRSS:")?, field("VmHWM:")?))
}
