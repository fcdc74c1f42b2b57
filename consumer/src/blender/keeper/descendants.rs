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
            let is_ended = process.state == b'Z';
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

/// Stops a process, and waits until it stands; false where it does not.
pub(crate) fn stop(pid: Pid) -> bool {
    let began = Instant::now();
    if rustix::process::kill_process(pid, Signal::STOP).is_err() {
        return false;
    }
    while began.elapsed() < LIMIT {
        match process(pid.as_raw_nonzero().get()) {
            Some(Process { state: b'T' | b't', .. }) => return true,
            Some(Process { state: b'Z' | b'X', .. }) | None => return false,
            Some(_) => std::thread::sleep(PAUSE),
        }
    }
    false
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
    Some(Process { id, parent, state })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_with_a_hostile_name_is_found_below_its_parent() {
        let hostile = parse(7, b"7 (a) R 1 (b) 9) S 5 7 7 0").unwrap();
        assert_eq!(hostile, Process { id: 7, parent: 5, state: b'S' });
        let child = Process { id: 8, parent: 7, state: b'R' };
        let other = Process { id: 9, parent: 1, state: b'R' };
        // A number that was given anew may close a circle.
        let circle = Process { id: 5, parent: 8, state: b'R' };
        let found = below(5, &[child, other, hostile, circle]);
        assert_eq!(found, [hostile, child]);
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
