//! Blender as a process: how it is started, what it is given, and what it holds.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use command_fds::{CommandFdExt, FdMapping};
use tokio::net::UnixStream;

use crate::blender::cage::MYSELF;
use crate::blender::cage::plan::{self, CagePlan};
use crate::blender::keeper;
use crate::blender::keeper::descendants::{end_below, ids_below};
use crate::blender::keeper::handle::Keeper;
use crate::blender::log::Log;
use crate::blender::setup::BlenderSetup;
use crate::error::{ConsumerError, Result};
use crate::own_folder;
use crate::results::collect::MAX_RESULT_BYTES;

macro_rules! worker_files {
    ($($file:literal,)*) => {
        &[$(($file, include_str!(concat!("../../worker/", $file)))),*]
    };
}

/// The Python that runs inside Blender, by its place below Blender's home; part of the binary, so
/// that the two cannot differ.
const WORKER: &[(&str, &str)] = worker_files![
    "main.py",
    "render_worker/__init__.py",
    "render_worker/connection.py",
    "render_worker/denoise.py",
    "render_worker/disabled_scripts.py",
    "render_worker/file_outputs.py",
    "render_worker/finish.py",
    "render_worker/frame_to_frame.py",
    "render_worker/memory.py",
    "render_worker/progress.py",
    "render_worker/render_settings.py",
    "render_worker/renderer.py",
    "render_worker/scene_errors.py",
    "render_worker/serve.py",
    "render_worker/sign_of_life.py",
    "render_worker/slices.py",
    "render_worker/splitting.py",
];

/// What stands between EGL and Mesa (`opengl/`), by its place below Blender's home.
const OPENGL: &str = "egl/librender_on_lambda_opengl.so";
const OPENGL_LIBRARY: &[u8] =
    include_bytes!(concat!(env!("OUT_DIR"), "/librender_on_lambda_opengl.so"));

/// Where libglvnd looks for the libraries of vendors, unless it is told where: should ours not load,
/// Mesa's own does (libglvnd 1.7, `src/EGL/meson.build`).
const VENDORS: [&str; 2] = ["/etc/glvnd/egl_vendor.d", "/usr/share/glvnd/egl_vendor.d"];

/// The file descriptor of the socket, in Blender.
const SOCKET: i32 = 3;

/// Folders with libraries that Blender needs and that are not where the system has its own.
const LIBRARY_PATH: &str = "BLENDER_LIBRARY_PATH";

/// Where a Blender's own files go.
#[derive(Debug, Clone)]
pub(crate) struct Folders {
    /// Its home, its settings and its temporary files; its own alone.
    pub(crate) home: PathBuf,
    /// Compiled shaders, which the next Blender finds again.
    pub(crate) shader_cache: PathBuf,
    /// Where each frame has a folder for its results.
    pub(crate) output: PathBuf,
    /// The packs, to be read.
    pub(crate) packs: PathBuf,
}

impl Folders {
    /// Those of a Blender whose home is `home`, below its worker's folder.
    pub(crate) fn new(home: &Path, folder: &Path) -> Self {
        Self {
            home: home.to_owned(),
            shader_cache: own_folder::shader_cache(folder),
            output: own_folder::output(folder),
            packs: own_folder::packs(folder),
        }
    }
}

/// Starts Blender in its cage, with one end of a socket; gives who keeps it and the other end.
pub(crate) async fn start(
    folders: &Folders,
    setup: &BlenderSetup,
    log: &Log,
) -> Result<(Keeper, UnixStream)> {
    for folder in [&folders.home, &folders.shader_cache, &folders.output, &folders.packs] {
        std::fs::create_dir_all(folder).map_err(ConsumerError::io("make the folder", folder))?;
    }
    let package = folders.home.join("render_worker");
    std::fs::create_dir_all(&package).map_err(ConsumerError::io("make the folder", &package))?;
    for (name, source) in WORKER {
        let path = folders.home.join(name);
        std::fs::write(&path, source).map_err(ConsumerError::io("write", &path))?;
    }
    write_opengl(&folders.home)?;
    let cannot = |error: std::io::Error| ConsumerError::Keeper(error.to_string());
    let (ours, theirs) = UnixStream::pair().map_err(cannot)?;
    let theirs = theirs.into_std().map_err(cannot)?;
    theirs.set_nonblocking(false).map_err(cannot)?;
    let plan = plan(&setup.program, folders, setup.allow_scripts);
    let mut command = std::process::Command::new(MYSELF);
    command
        .args([keeper::process::ARGUMENT, &plan.to_argument()?])
        .env_clear()
        .envs(environment(folders))
        .envs(setup.color_config.iter().map(|config| ("OCIO", config)))
        .current_dir(&folders.home)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .fd_mappings(vec![FdMapping { parent_fd: OwnedFd::from(theirs), child_fd: SOCKET }])
        .map_err(|error| ConsumerError::Keeper(error.to_string()))?;
    let mut keeper = Keeper::start(command).await?;
    if let Some(stdout) = keeper.child().stdout.take() {
        log.collect(stdout);
    }
    if let Some(stderr) = keeper.child().stderr.take() {
        log.collect(stderr);
    }
    Ok((keeper, ours))
}

/// Puts the library before Mesa's, with what tells libglvnd of it.
fn write_opengl(home: &Path) -> Result<()> {
    let library = home.join(OPENGL);
    let folder = library.parent().unwrap_or(home);
    std::fs::create_dir_all(folder).map_err(ConsumerError::io("make the folder", folder))?;
    std::fs::write(&library, OPENGL_LIBRARY).map_err(ConsumerError::io("write", &library))?;
    let vendor = serde_json::json!({
        "file_format_version": "1.0.0",
        "ICD": { "library_path": library },
    });
    let path = folder.join("render_on_lambda.json");
    std::fs::write(&path, vendor.to_string()).map_err(ConsumerError::io("write", &path))
}

/// What Blender may reach: its own installation and the system's, the packs to read, and its own
/// folders.
fn plan(program: &Path, folders: &Folders, allow_scripts: bool) -> CagePlan {
    let mut arguments: Vec<String> = Vec::new();
    if plan::is_python(program) {
        // Isolated: neither the environment nor the user's site-packages change what is imported.
        arguments.push("-I".into());
    } else {
        let background = ["--background", "--factory-startup", "--python-exit-code", "1"];
        arguments.extend(background.map(Into::into));
        arguments.push("--python".into());
    }
    // Below Blender's home, where it is started.
    arguments.push("main.py".into());
    let mut runnable = plan::runnable(program);
    let libraries = std::env::var_os(LIBRARY_PATH).unwrap_or_default();
    runnable.extend(std::env::split_paths(&libraries));
    CagePlan {
        program: program.to_owned(),
        arguments,
        runnable,
        readable: [plan::settings(), vec![folders.packs.clone()]].concat(),
        writable: [&folders.home, &folders.shader_cache, &folders.output].map(Clone::clone).into(),
        may_start_processes: allow_scripts,
        largest_file_bytes: MAX_RESULT_BYTES,
    }
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
    let vendors = [home.join("egl")].into_iter().chain(VENDORS.map(PathBuf::from));
    if let Ok(vendors) = std::env::join_paths(vendors) {
        environment.push(("__EGL_VENDOR_LIBRARY_DIRS", vendors.into()));
    }
    if let Some(libraries) = std::env::var_os(LIBRARY_PATH) {
        environment.push(("LD_LIBRARY_PATH", libraries.into()));
    }
    environment
}

/// Makes what a keeper leaves behind that was killed children of this process.
pub(crate) fn adopt_orphans() -> Result<()> {
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))
        .map_err(|error| ConsumerError::Runtime { reason: error.to_string() })
}

/// Ends every process below this one: only for when no Blender is wanted. False where one is left.
pub(crate) fn end_children() -> bool {
    let is_alone = end_below(rustix::process::getpid(), None);
    if !is_alone {
        tracing::error!("a process that a frame has left cannot be ended");
    }
    is_alone
}

/// What the processes below a keeper hold in all, in bytes.
pub(crate) fn memory_bytes_below(keeper: u32) -> u64 {
    let ids = ids_below(keeper).into_iter();
    ids.filter_map(|process| memory_bytes(process).map(|(now, _)| now)).sum()
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
