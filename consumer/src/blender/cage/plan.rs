//! What a caged process may do, as its worker tells it.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{ConsumerError, Result};

/// What a caged process is and what it may reach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CagePlan {
    /// What it becomes.
    pub(crate) program: PathBuf,
    /// The program's arguments.
    pub(crate) arguments: Vec<String>,
    /// Files and folders that it may read, and run programs of.
    pub(crate) runnable: Vec<PathBuf>,
    /// Files and folders that it may read.
    pub(crate) readable: Vec<PathBuf>,
    /// Folders that it may change.
    pub(crate) writable: Vec<PathBuf>,
    /// Whether it may start other processes; they are in the same cage.
    pub(crate) may_start_processes: bool,
    /// The largest file that it may make, in bytes.
    pub(crate) largest_file_bytes: u64,
}

impl CagePlan {
    /// The plan as one argument of a command.
    pub(crate) fn to_argument(&self) -> Result<String> {
        // Only a path that is no UTF-8 cannot be told.
        serde_json::to_string(self).map_err(|error| ConsumerError::Cage(error.to_string()))
    }
}

/// Where a system keeps what every program needs.
const SYSTEM: &[&str] = &[
    "/bin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/opt",
    "/sbin",
    "/usr",
    // Where Lambda has the code of functions and layers, and Nix everything.
    "/nix/store",
    "/var/lang",
    "/var/task",
];

/// What programs read of the system beside its programs: how it is set up, and what machine it is.
/// Neither the processes of others nor what only their owner may know.
const SETTINGS: &[&str] = &[
    "/etc/OpenCL",
    "/etc/alternatives",
    "/etc/debian_version",
    "/etc/drirc",
    "/etc/fonts",
    "/etc/glvnd",
    "/etc/group",
    "/etc/host.conf",
    "/etc/hosts",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/mime.types",
    "/etc/nsswitch.conf",
    "/etc/os-release",
    "/etc/passwd",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/etc/timezone",
    "/etc/vulkan",
    "/proc/cpuinfo",
    "/proc/filesystems",
    "/proc/loadavg",
    "/proc/meminfo",
    "/proc/self",
    "/proc/stat",
    "/proc/sys",
    "/proc/uptime",
    "/proc/version",
    "/sys/devices/system",
    "/sys/fs/cgroup",
    "/sys/kernel/mm",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
    "/dev/zero",
];

/// What makes a folder a virtual environment of Python (PEP 405).
const ENVIRONMENT: &str = "pyvenv.cfg";

/// What a program may run and read of the system and of its own installation.
pub(crate) fn runnable(program: &Path) -> Vec<PathBuf> {
    let mut runnable: Vec<PathBuf> = SYSTEM.iter().map(PathBuf::from).collect();
    runnable.extend(installation(program));
    runnable
}

/// What a program may read of the system's settings.
pub(crate) fn settings() -> Vec<PathBuf> {
    SETTINGS.iter().map(PathBuf::from).collect()
}

/// Whether a program is a Python, by its name.
pub(crate) fn is_python(program: &Path) -> bool {
    program
        .file_name()
        .is_some_and(|name| name.to_string_lossy().to_lowercase().starts_with("python"))
}

/// Where a program's own files are: Blender's lie beside it, Python's in its prefix, and in that of
/// the virtual environment that it is started from. No more of the prefix than Python has there: it
/// may be somebody's home.
fn installation(program: &Path) -> Vec<PathBuf> {
    let itself = found(program);
    let real = itself.canonicalize().unwrap_or_else(|_| itself.clone());
    if !is_python(program) {
        return real.parent().map(Path::to_owned).into_iter().collect();
    }
    let prefix = |python: &Path| Some(python.parent()?.parent()?.to_owned());
    let environment = prefix(&itself).filter(|prefix| prefix.join(ENVIRONMENT).is_file());
    let prefixes = prefix(&real).into_iter().chain(environment);
    let parts = ["bin", "lib", "lib64", ENVIRONMENT];
    prefixes.flat_map(|prefix| parts.map(|part| prefix.join(part))).collect()
}

/// A program as the system finds it.
fn found(program: &Path) -> PathBuf {
    if program.components().count() > 1 {
        return program.to_owned();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
        .unwrap_or_else(|| program.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_home_that_holds_a_python_only_pythons_own_folders_are_read() {
        let home = tempfile::tempdir().unwrap();
        let bin = home.path().join("bin");
        std::fs::create_dir(&bin).unwrap();
        std::fs::write(bin.join("python3"), b"").unwrap();
        let linked = tempfile::tempdir().unwrap();
        std::fs::create_dir(linked.path().join("bin")).unwrap();
        let link = linked.path().join("bin/python3");
        std::os::unix::fs::symlink(bin.join("python3"), &link).unwrap();
        let of_link = runnable(&link);
        assert!(!of_link.iter().any(|path| path.starts_with(linked.path())), "{of_link:?}");
        std::fs::write(linked.path().join(ENVIRONMENT), b"").unwrap();
        assert!(runnable(&link).contains(&linked.path().join("lib")));

        let read = runnable(&bin.join("python3"));
        assert!(!read.contains(&home.path().join("share")));
        assert!(read.contains(&home.path().join("lib")));
        assert!(!read.iter().any(|path| home.path().starts_with(path)), "{read:?}");
    }

    #[test]
    fn nothing_of_the_system_names_a_secret_place() {
        let all = [runnable(Path::new("/usr/bin/blender")), settings()].concat();
        for secret in ["/root/.aws", "/home/a/.ssh", "/etc/shadow", "/proc/1", "/run", "/tmp"] {
            assert!(!all.iter().any(|path| Path::new(secret).starts_with(path)), "{secret}");
        }
    }
}
