//! Finds out what the cage holds on this machine, by trying to get out of it.

use std::fmt;
use std::fs;
use std::net::UdpSocket;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rustix::fs::{Mode, OFlags};
use rustix::process::Pid;
use serde::{Deserialize, Serialize};
use tokio::process::Command;

use crate::blender::cage::plan::{self, CagePlan};
use crate::blender::cage::{self, MYSELF};
use crate::error::{ConsumerError, Result};

/// The argument that makes this binary try to get out of the cage that it is in.
pub(crate) const ARGUMENT: &str = "--try-the-cage";

/// How long the test may take.
const LIMIT: Duration = Duration::from_secs(20);

/// What holds on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is one thing that was tried")]
pub(crate) struct Confinement {
    /// No socket can be made: neither the network nor Lambda's runtime API nor a local service is
    /// reached.
    pub(crate) no_sockets: bool,
    /// The worker can be neither ended nor stopped.
    pub(crate) no_signals: bool,
    /// No other process can be started.
    pub(crate) no_processes: bool,
    /// What starts as another user stays this one.
    pub(crate) no_privileges: bool,
    /// Files that are not named cannot be read (Landlock).
    pub(crate) no_reading: bool,
    /// Files that are not named cannot be changed (Landlock).
    pub(crate) no_writing: bool,
}

impl Confinement {
    /// What is known where nothing could be tried.
    pub(crate) const NOTHING: Self = Self {
        no_sockets: false,
        no_signals: false,
        no_processes: false,
        no_privileges: false,
        no_reading: false,
        no_writing: false,
    };

    /// Tries it on this machine, in `folder`.
    pub(crate) async fn test(folder: &Path) -> Result<Self> {
        let secret = folder.join("self-test");
        fs::write(&secret, b"secret").map_err(ConsumerError::io("write", &secret))?;
        let own = std::env::current_exe().map_err(ConsumerError::io("find", Path::new(MYSELF)))?;
        let plan = CagePlan {
            program: own.clone(),
            arguments: vec![
                ARGUMENT.into(),
                secret.to_string_lossy().into_owned(),
                numbers_outside().join(","),
            ],
            runnable: [plan::runnable(&own), vec![own]].concat(),
            readable: plan::settings(),
            writable: Vec::new(),
            may_start_processes: false,
            largest_file_bytes: 1 << 20,
        };
        let mut command = Command::new(MYSELF);
        command
            .args([cage::ARGUMENT, &plan.to_argument()?])
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let failed = |reason: String| ConsumerError::Cage(format!("the self-test: {reason}"));
        let output = tokio::time::timeout(LIMIT, command.output())
            .await
            .map_err(|_| failed(format!("no answer within {} s", LIMIT.as_secs())))?
            .map_err(|error| failed(error.to_string()))?;
        let _ = fs::remove_file(&secret);
        serde_json::from_slice(&output.stdout).map_err(|_| {
            let words = String::from_utf8_lossy(&output.stderr);
            failed(format!("{} ({})", words.trim(), output.status))
        })
    }

    /// Whether anybody's scripts may run: where the files are this worker's alone, as in Lambda, they
    /// need no Landlock.
    pub(crate) fn holds_scripts(self, files_are_ours: bool) -> bool {
        self.no_sockets
            && self.no_signals
            && self.no_privileges
            && (files_are_ours || (self.no_reading && self.no_writing))
    }

    /// Tries to get out, inside; `secret` is a file that the cage does not name, `outside` are the
    /// numbers of processes and threads.
    pub(crate) fn try_it(secret: &Path, outside: &str) -> Self {
        let mut outside =
            outside.split(',').filter_map(|number| Pid::from_raw(number.parse().ok()?));
        Self {
            no_sockets: UdpSocket::bind("127.0.0.1:0").is_err() && UnixDatagram::unbound().is_err(),
            no_signals: outside.all(|pid| rustix::process::test_kill_process(pid).is_err()),
            no_processes: std::process::Command::new(MYSELF).spawn().is_err(),
            no_privileges: rustix::thread::no_new_privs().unwrap_or(false),
            no_reading: fs::read(secret).is_err(),
            no_writing: can_write(secret).is_err(),
        }
    }
}

/// The worker's own number, those of its threads, which a signal reaches too, and its parent's.
fn numbers_outside() -> Vec<String> {
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let mut numbers: Vec<_> =
        threads.filter_map(|thread| thread.file_name().into_string().ok()).collect();
    let process = Some(rustix::process::getpid());
    let named = process.into_iter().chain(rustix::process::getppid());
    numbers.extend(named.map(|pid| pid.as_raw_nonzero().to_string()));
    numbers
}

/// Tries to change a file: to write into it, and to empty it, for which a kernel before 6.2 asks
/// Landlock nothing.
fn can_write(path: &Path) -> std::io::Result<()> {
    let emptying = OFlags::RDONLY | OFlags::TRUNC | OFlags::CLOEXEC;
    fs::write(path, b"changed")
        .or_else(|_| rustix::fs::open(path, emptying, Mode::empty()).map(drop).map_err(Into::into))
}

impl fmt::Display for Confinement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            (self.no_sockets, "sockets"),
            (self.no_signals, "signals"),
            (self.no_processes, "processes"),
            (self.no_privileges, "privileges"),
            (self.no_reading, "reading files (Landlock, Linux 5.13)"),
            (self.no_writing, "changing files (Landlock, Linux 6.2)"),
        ];
        let open: Vec<&str> =
            parts.iter().filter(|(holds, _)| !holds).map(|(_, name)| *name).collect();
        if open.is_empty() {
            return f.write_str("everything is held");
        }
        write!(f, "not held: {}", open.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Confinement = Confinement {
        no_sockets: true,
        no_signals: true,
        no_processes: true,
        no_privileges: true,
        no_reading: true,
        no_writing: true,
    };

    #[test]
    fn scripts_need_landlock_where_there_are_files_of_others() {
        let without_landlock = Confinement { no_reading: false, no_writing: false, ..ALL };
        assert!(ALL.holds_scripts(false));
        assert!(!without_landlock.holds_scripts(false) && without_landlock.holds_scripts(true));
        let with_network = Confinement { no_sockets: false, ..ALL };
        assert!(!with_network.holds_scripts(true));
        insta::assert_snapshot!(format!("{ALL}\n{without_landlock}"), @r"
        everything is held
        not held: reading files (Landlock, Linux 5.13), changing files (Landlock, Linux 6.2)
        ");
    }
}
