//! The keeper's own process.

use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use rustix::process::{Pid, PidfdFlags, Signal, WaitOptions, getpid};

use crate::blender::cage::{self, MYSELF};
use crate::blender::keeper::descendants::{end_below, is_standing, stop};
use crate::blender::keeper::words::{Order, Word, line};
use crate::error::{ConsumerError, Result};

/// The argument that makes this binary a keeper.
pub(crate) const ARGUMENT: &str = "--keep";

/// How long what has ended may wait to be taken off the list of processes.
const LOOK_EVERY: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };

/// The same where the kernel cannot tell at once that Blender has ended (before Linux 5.3).
const LOOK_OFTEN: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };

/// How often Blender is stopped that is woken.
const MOST_STOPS: usize = 5;

/// Most bytes of orders that wait.
const MOST_BYTES: usize = 4096;

/// Starts Blender in its cage and keeps it until it ends or the worker is gone. The socket to the
/// worker is the standard input.
pub(crate) fn run(plan: &str) -> Result<()> {
    let cannot = |error: std::io::Error| ConsumerError::Keeper(error.to_string());
    // Out of the worker's group: what ends that must not end who cleans up.
    rustix::process::setsid().map_err(|error| cannot(error.into()))?;
    rustix::process::set_child_subreaper(Some(getpid())).map_err(|error| cannot(error.into()))?;
    let socket = std::io::stdin().as_fd().try_clone_to_owned().map_err(cannot)?;
    let mut socket = UnixStream::from(socket);
    let child = Command::new(MYSELF)
        .args([cage::ARGUMENT, plan])
        .stdin(Stdio::null())
        .spawn()
        .map_err(cannot)?;
    let blender = Pid::from_child(&child);
    let started = Word::Started { process: blender.as_raw_nonzero().get() };
    let kept = socket.write_all(&line(&started)).map_err(cannot);
    let status = kept.and_then(|()| keep(blender, &mut socket));
    end_below(getpid(), None);
    if let Ok(Some(status)) = status {
        // The worker may be gone too.
        let _ = socket.write_all(&line(&Word::Ended { status }));
    }
    status.map(|_| ())
}

/// Serves until Blender has ended, or nobody is there to be served; gives how it ended.
fn keep(blender: Pid, socket: &mut UnixStream) -> Result<Option<i32>> {
    let cannot = |error: std::io::Error| ConsumerError::Keeper(error.to_string());
    let ended = rustix::process::pidfd_open(blender, PidfdFlags::empty()).ok();
    let mut waiting = Vec::new();
    loop {
        if wait(socket, ended.as_ref())? {
            let mut buffer = [0; 256];
            let count = socket.read(&mut buffer).map_err(cannot)?;
            if count == 0 {
                return Ok(None);
            }
            waiting.extend_from_slice(buffer.get(..count).unwrap_or_default());
            while let Some(end) = waiting.iter().position(|byte| *byte == b'\n') {
                let order: Vec<u8> = waiting.drain(..=end).collect();
                let order = serde_json::from_slice(&order)
                    .map_err(|error| ConsumerError::Keeper(error.to_string()))?;
                obey(order, blender, socket)?;
            }
            if waiting.len() > MOST_BYTES {
                return Err(ConsumerError::Keeper("an order without an end".into()));
            }
        }
        if let Some(status) = reap(blender) {
            return Ok(Some(status));
        }
    }
}

fn obey(order: Order, blender: Pid, socket: &mut UnixStream) -> Result<()> {
    match order {
        Order::Rest => {
            if stand_alone(blender) {
                let said = socket.write_all(&line(&Word::Resting));
                said.map_err(|error| ConsumerError::Keeper(error.to_string()))?;
            }
            Ok(())
        }
        Order::Work => {
            let _ = rustix::process::kill_process(blender, Signal::CONT);
            Ok(())
        }
    }
}

/// Stops Blender, and ends all else; true where it stands and is alone.
fn stand_alone(blender: Pid) -> bool {
    for _ in 0..MOST_STOPS {
        // What its threads start meanwhile is found when it stands. What is ended may wake it: a
        // process chooses the signal that its parent gets.
        let is_alone = stop(blender) && end_below(getpid(), Some(blender));
        if is_alone && is_standing(blender) {
            return true;
        }
    }
    false
}

/// Waits for an order, for Blender's end or for a while; true where there is something to read.
fn wait(socket: &UnixStream, ended: Option<&OwnedFd>) -> Result<bool> {
    let every = if ended.is_some() { LOOK_EVERY } else { LOOK_OFTEN };
    let mut wanted = vec![PollFd::new(socket, PollFlags::IN)];
    wanted.extend(ended.map(|ended| PollFd::new(ended, PollFlags::IN)));
    match poll(&mut wanted, Some(&every)) {
        Ok(_) => Ok(wanted.first().is_some_and(|socket| !socket.revents().is_empty())),
        Err(rustix::io::Errno::INTR) => Ok(false),
        Err(error) => Err(ConsumerError::Keeper(error.to_string())),
    }
}

/// Takes every process that has ended off the list; how Blender did, where it has.
fn reap(blender: Pid) -> Option<i32> {
    while let Ok(Some((pid, status))) = rustix::process::wait(WaitOptions::NOHANG) {
        if pid == blender {
            return Some(status.as_raw());
        }
    }
    None
}
