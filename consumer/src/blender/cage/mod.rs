//! The cage that Blender runs in: a .blend is parsed by C code, and its scripts are anybody's.
//!
//! It is entered by a process that confines itself and then becomes Blender. What it forbids, the
//! kernel forbids, and nothing that is started inside can take it off.

mod calls;
mod files;
pub(crate) mod plan;
mod rights;
pub(crate) mod self_test;

use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::process::Signal;

use crate::blender::cage::plan::CagePlan;
use crate::error::{ConsumerError, Result};

/// The argument that makes this binary enter the cage.
pub(crate) const ARGUMENT: &str = "--cage";

/// This binary, whatever has become of its name meanwhile (proc(5)).
pub(crate) const MYSELF: &str = "/proc/self/exe";

/// How the process ends that could not become Blender, as a shell would.
pub(crate) const CANNOT_RUN: u8 = 126;

/// Enters the cage and becomes the plan's program; comes back only where that cannot be.
pub(crate) fn enter(plan: &str) -> ConsumerError {
    match confine(plan) {
        Ok(plan) => {
            let source = Command::new(&plan.program).args(&plan.arguments).exec();
            ConsumerError::io("run", &plan.program)(source)
        }
        Err(error) => error,
    }
}

fn confine(plan: &str) -> Result<CagePlan> {
    let plan: CagePlan =
        serde_json::from_str(plan).map_err(|error| ConsumerError::Cage(error.to_string()))?;
    // A session of its own: no terminal, and no group to signal but its own.
    rustix::process::setsid().map_err(|error| ConsumerError::Cage(error.to_string()))?;
    // A keeper that is killed takes it along, also where it is stopped.
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))
        .map_err(|error| ConsumerError::Cage(error.to_string()))?;
    rights::give_up()?;
    let signals_stay_inside = files::confine(&plan)?;
    calls::confine(&plan, signals_stay_inside)?;
    Ok(plan)
}
