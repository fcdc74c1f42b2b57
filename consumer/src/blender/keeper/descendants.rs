//! The processes below another one: found in all of /proc, for `children` files are not in every
//! kernel and miss what moves while they are read.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitOptions};

/// How long ending them may take: a process that waits for a disk cannot be ended.
const LIMIT: Duration = Duration::from_secs(10);

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(1);

/// A line of `/proc/<pid>/stat`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Process {
    id: i32,
    parent: i32,
    /// `R`, `S`, `T` for stopped, `Z` for ended.
    state: u8,
    threads: u32,
}

/// Ends every process below `root` but one, which keeps its place; true where none is left.
///
/// A process that ends hands its children to `root`, where that is a subreaper, and one that was
/// just started is found at the next look: as often as there are any.
pub(crate) fn end_below(root: Pid, spared: Option<Pid>) -> bool {
    let began = Instant::now();
    loop {
        let found = below(root.as_raw_nonzero().get(), &all());
        let mut is_empty = true;
        for process in found {
            let Some(pid) = Pid::from_raw(process.id) else { continue };
            if Some(pid) == spared {
                continue;
            }
            // Its parent alone can take an ended process off the list.
            let is_ended = process.is_ended();
            let is_ours = process.parent == root.as_raw_nonzero().get();
            if is_ended && !is_ours {
                continue;
            }
            is_empty = false;
            let _ = rustix::process::kill_process(pid, Signal::KILL);
            if is_ours {
                let _ = rustix::process::waitpid(Some(pid), WaitOptions::NOHANG);
            }
        }
        if is_empty || began.elapsed() > LIMIT {
            return is_empty;
        }
        std::thread::sleep(PAUSE);
    }
}

/// Every process below another one.
pub(crate) fn ids_below(root: u32) -> Vec<u32> {
    let Ok(root) = i32::try_from(root) else { return Vec::new() };
    below(root, &all()).iter().filter_map(|process| process.id.try_into().ok()).collect()
}

/// Stops a process, and waits until it stands; false where it does not.
pub(crate) fn stop(pid: Pid) -> bool {
    let began = Instant::now();
    if rustix::process::kill_process(pid, Signal::STOP).is_err() {
        return false;
    }
    while began.elapsed() < LIMIT {
        if is_standing(pid) {
            return true;
        }
        if process(pid.as_raw_nonzero().get()).is_none_or(Process::is_ended) {
            return false;
        }
        std::thread::sleep(PAUSE);
    }
    false
}

/// Whether every thread of a process has been stopped, those in a call of the kernel too.
pub(crate) fn is_standing(pid: Pid) -> bool {
    let tasks = format!("/proc/{}/task", pid.as_raw_nonzero());
    let Ok(threads) = std::fs::read_dir(&tasks) else { return false };
    let mut states = threads.flatten().map(|thread| {
        let stat = std::fs::read(thread.path().join("stat")).ok();
        stat.and_then(|stat| parse(0, &stat)).map(|thread| thread.state)
    });
    // One that ends meanwhile does nothing more.
    states.all(|state| matches!(state, None | Some(b'T' | b't' | b'Z' | b'X')))
}

impl Process {
    /// Whether nothing of it runs. Where its first thread has ended and others go on, its state says
    /// that it has ended, too.
    fn is_ended(self) -> bool {
        matches!(self.state, b'Z' | b'X') && self.threads <= 1
    }
}

fn below(root: i32, all: &[Process]) -> Vec<Process> {
    let mut children: HashMap<i32, Vec<Process>> = HashMap::new();
    for process in all {
        children.entry(process.parent).or_default().push(*process);
    }
    let (mut found, mut seen) = (Vec::new(), HashSet::from([root]));
    let mut waiting = vec![root];
    while let Some(parent) = waiting.pop() {
        for child in children.get(&parent).into_iter().flatten() {
            if seen.insert(child.id) {
                waiting.push(child.id);
                found.push(*child);
            }
        }
    }
    found
}

fn all() -> Vec<Process> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| process(entry.file_name().to_str()?.parse().ok()?)).collect()
}

fn process(id: i32) -> Option<Process> {
    let stat = std::fs::read(format!("/proc/{id}/stat")).ok()?;
    parse(id, &stat)
}

/// A process calls itself what it likes: brackets, spaces and numbers too. What counts comes after
/// the last bracket.
fn parse(id: i32, stat: &[u8]) -> Option<Process> {
    let name_end = stat.iter().rposition(|byte| *byte == b')')?;
    let rest = std::str::from_utf8(stat.get(name_end + 1..)?).ok()?;
    let mut fields = rest.split_whitespace();
    let state = *fields.next()?.as_bytes().first()?;
    let parent = fields.next()?.parse().ok()?;
    // `num_threads`, the twentieth field (proc(5)).
    let threads = fields.nth(15).and_then(|threads| threads.parse().ok()).unwrap_or(1);
    Some(Process { id, parent, state, threads })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_with_a_hostile_name_is_found_below_its_parent() {
        let hostile = parse(7, b"7 (a) R 1 (b) 9) S 5 7 7 0").unwrap();
        assert_eq!(hostile, Process { id: 7, parent: 5, state: b'S', threads: 1 });
        let process = |id, parent| Process { id, parent, state: b'R', threads: 1 };
        let (child, other) = (process(8, 7), process(9, 1));
        // A number that was given anew may close a circle.
        let circle = process(5, 8);
        let found = below(5, &[child, other, hostile, circle]);
        assert_eq!(found, [hostile, child]);
    }

    #[test]
    fn a_process_whose_first_thread_has_ended_goes_on() {
        let stat = |threads| {
            format!("7 (a) Z 5 7 7 0 -1 4228364 0 0 0 0 0 0 0 0 20 0 {threads} 0 1 0 0")
                .into_bytes()
        };
        assert!(parse(7, &stat(1)).unwrap().is_ended());
        assert!(!parse(7, &stat(2)).unwrap().is_ended());
    }

    #[test]
    fn what_is_started_below_is_ended_and_stopped_things_stand() {
        let mut shell = std::process::Command::new("sh")
            .args(["-c", "sleep 1000 & sleep 1000 & wait"])
            .spawn()
            .unwrap();
        let pid = Pid::from_child(&shell);
        let began = Instant::now();
        while below(pid.as_raw_nonzero().get(), &all()).len() < 2 {
            assert!(began.elapsed() < LIMIT);
            std::thread::sleep(PAUSE);
        }
        assert!(stop(pid));
        let _ = rustix::process::kill_process(pid, Signal::CONT);
        let spared = below(pid.as_raw_nonzero().get(), &all())[0];
        // The shell reaps its own.
        end_below(pid, Pid::from_raw(spared.id));
        let left = below(pid.as_raw_nonzero().get(), &all());
        assert!(left.iter().all(|left| left.id == spared.id || left.state == b'Z'));
        shell.kill().unwrap();
        shell.wait().unwrap();
        let _ = rustix::process::kill_process(Pid::from_raw(spared.id).unwrap(), Signal::KILL);
    }
}
