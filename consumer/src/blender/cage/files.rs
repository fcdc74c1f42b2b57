//! Confines a process to some files, by Landlock (landlock(7)), where the kernel has it.

use landlock::{
    ABI, Access, AccessFs, AccessNet, LandlockStatus, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetError, Scope, path_beneath_rules,
};
use rustix::process::Resource;

use crate::blender::cage::plan::CagePlan;
use crate::blender::cage::rights::bound;
use crate::error::{ConsumerError, Result};

/// What is asked for; a kernel that has less gives what it has. 6 (Linux 6.12) keeps signals and
/// abstract sockets inside too.
const WANTED: ABI = ABI::V6;

/// Where everybody may write, and nothing is kept.
const NOWHERE: &str = "/dev/null";

/// Confines this process; true where its signals stay inside too. Where the kernel has no Landlock
/// nothing is confined: the self-test tells.
pub(crate) fn confine(plan: &CagePlan) -> Result<bool> {
    bound(Resource::Fsize, plan.largest_file_bytes)?;
    restrict(plan).map_err(|error| ConsumerError::Cage(format!("Landlock: {error}")))
}

fn restrict(plan: &CagePlan) -> std::result::Result<bool, RulesetError> {
    let all = AccessFs::from_all(WANTED);
    let change = all & !(AccessFs::Execute | AccessFs::MakeChar | AccessFs::MakeBlock);
    let mut rules = Ruleset::default()
        .handle_access(all)?
        .handle_access(AccessNet::from_all(WANTED))?
        .scope(Scope::from_all(WANTED))?
        .create()?
        .add_rules(path_beneath_rules(&plan.runnable, AccessFs::from_read(WANTED)))?
        .add_rules(path_beneath_rules(&plan.readable, AccessFs::ReadFile | AccessFs::ReadDir))?
        .add_rules(path_beneath_rules(&plan.writable, change))?;
    if let Ok(nowhere) = PathFd::new(NOWHERE) {
        let both = AccessFs::ReadFile | AccessFs::WriteFile;
        rules = rules.add_rule(PathBeneath::new(nowhere, both))?;
    }
    let LandlockStatus::Available { effective_abi, .. } = rules.restrict_self()?.landlock else {
        return Ok(false);
    };
    Ok(effective_abi >= WANTED)
}
