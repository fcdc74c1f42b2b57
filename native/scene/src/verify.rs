//! Proof before spending: the artist's own Blender opens the pack, far from the original files.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::disabled_script::DisabledScript;
use crate::error::{Result, SceneError};
use crate::pack::LeftOut;
use crate::unbaked::UnbakedSimulation;

/// What runs inside Blender.
const SCRIPT: &str = include_str!("verify.py");

/// How often it is looked whether Blender is ready.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Most bytes of the report.
const MAX_REPORT_BYTES: u64 = 64 << 20;

/// How much of the end of Blender's own words is read: a scene may print for minutes.
const LOG_TAIL_BYTES: u64 = 64 << 10;

/// Blender as an application, or a Python that has Blender as a module.
#[derive(Debug, Clone)]
pub struct BlenderCommand {
    /// The program. Where its name begins with `python`, it is taken for one with the module `bpy`.
    pub program: PathBuf,
    /// How long Blender may take to open the pack.
    pub limit: Duration,
}

/// What is wrong with a datablock in the pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemKind {
    /// Its file is not in the pack.
    MissingFile,
    /// Its path leads out of the pack.
    Outside,
    /// It is a placeholder: the library does not have it.
    MissingDatablock,
    /// It needs Python, which may not run.
    NeedsScripts,
    /// It is a simulation without a bake.
    NotBaked,
}

impl ProblemKind {
    /// The problem in words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MissingFile => "missing file",
            Self::Outside => "path out of the pack",
            Self::MissingDatablock => "missing datablock",
            Self::NeedsScripts => "needs Run Scripts",
            Self::NotBaked => "not baked",
        }
    }
}

/// Something that Blender would miss on the farm.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Problem {
    /// What is wrong.
    pub kind: ProblemKind,
    /// The type of the datablock, as in `bpy.types`: `Image`, `Library`, …
    pub datablock_type: String,
    /// Its name.
    pub datablock: String,
    /// The library that it comes from, by its path in the pack; empty for the scene's own.
    pub library: String,
    /// The path that does not resolve: in the pack where it lies there, else as it stands. Or the
    /// script that may not run, or the simulation.
    pub path: String,
    /// That path as the datablock has it.
    #[serde(default)]
    pub written: String,
}

impl From<&DisabledScript> for Problem {
    fn from(script: &DisabledScript) -> Self {
        Self {
            kind: ProblemKind::NeedsScripts,
            datablock_type: script.datablock_type.to_owned(),
            datablock: script.datablock.clone(),
            library: String::new(),
            path: script.script.clone(),
            written: String::new(),
        }
    }
}

impl From<&UnbakedSimulation> for Problem {
    fn from(unbaked: &UnbakedSimulation) -> Self {
        Self {
            kind: ProblemKind::NotBaked,
            datablock_type: unbaked.datablock_type.to_owned(),
            datablock: unbaked.datablock.clone(),
            library: String::new(),
            path: format!("{}, not baked", unbaked.simulation),
            written: String::new(),
        }
    }
}

/// Opens a pack that was written to `folder` with Blender, in the background and with scripts off,
/// and lists what does not resolve. Blocks until Blender is ready.
///
/// `is_wanted` is asked while it waits; where it gives false, Blender is ended.
///
/// # Errors
/// [`SceneError::Blender`] where it cannot be started, does not open the file or takes too long;
/// [`SceneError::Io`] of kind `Interrupted` where it was ended.
pub fn verify(
    blender: &BlenderCommand,
    folder: &Path,
    plan: &crate::PackPlan,
    is_wanted: impl Fn() -> bool,
) -> Result<Vec<Problem>> {
    let folder = folder.canonicalize().map_err(SceneError::io("open the folder", folder))?;
    let work =
        tempfile::tempdir().map_err(SceneError::io("make a folder in", &std::env::temp_dir()))?;
    let script = work.path().join("verify.py");
    let report = work.path().join("report.json");
    let log = work.path().join("blender.log");
    std::fs::write(&script, SCRIPT).map_err(SceneError::io("write", &script))?;
    let log_file = File::create(&log).map_err(SceneError::io("write", &log))?;
    let log_too = log_file.try_clone().map_err(SceneError::io("write", &log))?;
    let failed = |reason: String| SceneError::Blender { program: blender.program.clone(), reason };
    let mut command = command(blender, &script);
    command
        .args([plan.blend_file.under(&folder), folder.clone(), report.clone()])
        // Settings and add-ons of the artist have no place on the farm.
        .env("BLENDER_USER_RESOURCES", work.path())
        .current_dir(work.path())
        .envs(plan.color_config.iter().map(|config| ("OCIO", config.under(&folder))))
        .stdin(Stdio::null())
        .stdout(log_file)
        .stderr(log_too);
    let mut child = command.spawn().map_err(|error| failed(error.to_string()))?;
    let status = wait(&mut child, blender.limit, &is_wanted);
    if !matches!(status, Ok(Some(_))) {
        let _ = child.kill();
        let _ = child.wait();
    }
    let last_words = || last_line(&end_of(&log).unwrap_or_default());
    match status {
        Ok(Some(true)) => {}
        Ok(Some(false)) => return Err(failed(last_words())),
        Ok(None) => {
            let seconds = blender.limit.as_secs();
            return Err(failed(format!("it was not ready after {seconds} s")));
        }
        Err(error) => return Err(SceneError::io("wait for", &blender.program)(error)),
    }
    let mut bytes = Vec::new();
    File::open(&report)
        .and_then(|file| file.take(MAX_REPORT_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|_| failed(last_words()))?;
    if bytes.len() as u64 > MAX_REPORT_BYTES {
        return Err(failed(format!("its report has more than {MAX_REPORT_BYTES} bytes")));
    }
    let found: Vec<Problem> = serde_json::from_slice(&bytes)
        .map_err(|error| failed(format!("its report cannot be read: {error}")))?;
    let folder = folder.to_string_lossy().into_owned();
    Ok(found.into_iter().filter_map(|one| in_pack(one, &folder, &plan.left_out)).collect())
}

/// Names paths as the pack has them; nothing where the pack leaves that out on purpose.
fn in_pack(problem: Problem, folder: &str, left_out: &LeftOut) -> Option<Problem> {
    let shorten = |path: &str| {
        let below = path.strip_prefix(folder).map(|below| below.trim_start_matches(['/', '\\']));
        below.map_or_else(|| path.to_owned(), |below| below.replace('\\', "/"))
    };
    let is_left_out = match problem.kind {
        ProblemKind::MissingDatablock => left_out.has_library(&problem.library),
        _ if problem.datablock_type == "Library" => left_out.has_library(&problem.path),
        _ => left_out.has_path(&problem.datablock, &problem.written),
    };
    (!is_left_out).then(|| Problem {
        library: shorten(&problem.library),
        path: shorten(&problem.path),
        ..problem
    })
}

fn command(blender: &BlenderCommand, script: &Path) -> Command {
    let mut command = Command::new(&blender.program);
    let name = blender.program.file_name().unwrap_or_default().to_string_lossy();
    if name.starts_with("python") {
        command.arg("-I").arg(script);
    } else {
        command
            .args(["--background", "--factory-startup", "--disable-autoexec", "--python-exit-code"])
            .args(["1", "--python"])
            .arg(script)
            .arg("--");
    }
    command
}

/// Whether the program ended well; nothing where it took too long.
fn wait(
    child: &mut Child,
    limit: Duration,
    is_wanted: &impl Fn() -> bool,
) -> std::io::Result<Option<bool>> {
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status.success()));
        }
        if !is_wanted() {
            return Err(std::io::ErrorKind::Interrupted.into());
        }
        if started.elapsed() > limit {
            return Ok(None);
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

fn end_of(log: &Path) -> std::io::Result<Vec<u8>> {
    let mut file = File::open(log)?;
    let size_bytes = file.metadata()?.len();
    file.seek(SeekFrom::Start(size_bytes.saturating_sub(LOG_TAIL_BYTES)))?;
    let mut bytes = Vec::new();
    file.take(LOG_TAIL_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn last_line(log: &[u8]) -> String {
    let text = String::from_utf8_lossy(log);
    let last = text.lines().rev().find(|line| {
        let line = line.trim();
        !line.is_empty() && line != "Blender quit"
    });
    last.map_or_else(|| "it ended without a word".to_owned(), |line| line.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    use protocol::PackPath;

    fn place(text: &str) -> PackPath {
        PackPath::try_from(text.to_owned()).unwrap()
    }

    fn plan(folder: &Path) -> crate::PackPlan {
        std::fs::create_dir_all(folder.join("project")).unwrap();
        crate::PackPlan::of_files(place("project/a.blend"), Vec::new())
    }

    fn blender(program: &str) -> BlenderCommand {
        BlenderCommand { program: program.into(), limit: Duration::from_millis(300) }
    }

    #[cfg(unix)]
    #[test]
    fn a_program_that_is_not_there_fails_or_hangs_is_named() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let plan = plan(folder.path());
        let hanging = folder.path().join("blender");
        std::fs::write(&hanging, "#!/bin/sh\nexec sleep 60\n").unwrap();
        std::fs::set_permissions(&hanging, std::fs::Permissions::from_mode(0o755)).unwrap();
        let mut messages = Vec::new();
        for program in ["/none/blender", "/bin/false", "/bin/true", hanging.to_str().unwrap()] {
            let error = verify(&blender(program), folder.path(), &plan, || true).unwrap_err();
            messages.push(error.to_string());
        }
        assert!(messages.iter().all(|message| message.contains("cannot check the pack")));
        assert!(messages[3].ends_with("it was not ready after 0 s"), "{}", messages[3]);
    }

    #[test]
    fn only_the_end_of_a_long_log_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        std::fs::write(&log, "garbage\n".repeat(100_000) + "Error: no scene\n").unwrap();
        let end = end_of(&log).unwrap();
        assert_eq!(end.len() as u64, LOG_TAIL_BYTES);
        assert_eq!(last_line(&end), "Error: no scene");
    }

    #[test]
    fn paths_are_named_as_the_pack_has_them_and_what_was_left_out_is_no_problem() {
        let problem = |path: &str| Problem {
            kind: ProblemKind::MissingFile,
            datablock_type: "Image".to_owned(),
            datablock: "wood".to_owned(),
            library: String::new(),
            path: path.to_owned(),
            written: path.to_owned(),
        };
        let left_out = LeftOut::of_path("wood", "/home/ada/notes.txt");
        let found = |path| in_pack(problem(path), "/tmp/pack", &left_out).map(|one| one.path);
        assert_eq!(found("/tmp/pack/project/wood.png").unwrap(), "project/wood.png");
        assert_eq!(found("/mnt/wood.png").unwrap(), "/mnt/wood.png");
        assert_eq!(found("/home/ada/notes.txt"), None);
    }
}
