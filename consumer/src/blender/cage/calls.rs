//! Refuses system calls, by seccomp (seccomp(2)): what a renderer never needs and what leads out of
//! the cage.
//!
//! A list of what is refused, not of what is allowed: Blender, its engines and Mesa use a third
//! of all calls, another third with the next version, and a picture must not come out wrong for it.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};

use crate::blender::cage::plan::CagePlan;
use crate::error::{ConsumerError, Result};

/// Refused whatever the arguments are.
#[rustfmt::skip]
const NEVER: &[i64] = &[
    // The network, Lambda's runtime API and its metadata among it, and the services of a desktop:
    // sockets of every family. The one that Blender has was made before.
    libc::SYS_socket, libc::SYS_bind, libc::SYS_connect, libc::SYS_listen, libc::SYS_accept,
    libc::SYS_accept4,
    // What other processes hold and do.
    libc::SYS_ptrace, libc::SYS_process_vm_readv, libc::SYS_process_vm_writev,
    libc::SYS_process_madvise, libc::SYS_process_mrelease, libc::SYS_kcmp, libc::SYS_pidfd_getfd,
    libc::SYS_pidfd_send_signal, libc::SYS_tkill, libc::SYS_rt_sigqueueinfo,
    libc::SYS_rt_tgsigqueueinfo, libc::SYS_migrate_pages, libc::SYS_move_pages,
    libc::SYS_perf_event_open,
    // What stays when every process has ended: queues, shared memory, keys.
    libc::SYS_shmget, libc::SYS_semget, libc::SYS_msgget, libc::SYS_mq_open,
    libc::SYS_add_key, libc::SYS_request_key, libc::SYS_keyctl,
    // Ways around this filter and around Landlock, and the parts of a kernel with most faults.
    libc::SYS_io_uring_setup, libc::SYS_io_uring_enter, libc::SYS_io_uring_register,
    libc::SYS_open_by_handle_at, libc::SYS_name_to_handle_at, libc::SYS_fanotify_init,
    libc::SYS_userfaultfd, libc::SYS_bpf, libc::SYS_unshare, libc::SYS_setns,
    libc::SYS_mount, libc::SYS_umount2, libc::SYS_pivot_root, libc::SYS_chroot,
    libc::SYS_mount_setattr, libc::SYS_move_mount, libc::SYS_open_tree, libc::SYS_fsopen,
    libc::SYS_fsconfig, libc::SYS_fsmount, libc::SYS_fspick,
    // Modes, owners, times and attributes of files, which Landlock leaves to whoever owns them: a
    // worker's user owns more than the cage names, and a pack is sealed by them.
    libc::SYS_fchmod, libc::SYS_fchmodat, libc::SYS_fchmodat2, libc::SYS_fchown, libc::SYS_fchownat,
    libc::SYS_setxattr, libc::SYS_lsetxattr, libc::SYS_fsetxattr, libc::SYS_removexattr,
    libc::SYS_lremovexattr, libc::SYS_fremovexattr, libc::SYS_utimensat, SETXATTRAT, REMOVEXATTRAT,
    FILE_SETATTR,
    // What only who runs the machine does.
    libc::SYS_acct, libc::SYS_swapon, libc::SYS_swapoff, libc::SYS_reboot, libc::SYS_quotactl,
    libc::SYS_kexec_load, libc::SYS_init_module, libc::SYS_finit_module, libc::SYS_delete_module,
    libc::SYS_sethostname, libc::SYS_setdomainname, libc::SYS_settimeofday, libc::SYS_clock_settime,
    libc::SYS_clock_adjtime, libc::SYS_adjtimex, libc::SYS_syslog, libc::SYS_vhangup,
];

/// Of Linux 6.13 and 6.17, the same on every architecture.
const SETXATTRAT: i64 = 463;
const REMOVEXATTRAT: i64 = 466;
const FILE_SETATTR: i64 = 469;

/// On one architecture alone.
#[cfg(target_arch = "x86_64")]
#[rustfmt::skip]
const NEVER_HERE: &[i64] = &[
    libc::SYS_iopl, libc::SYS_ioperm, libc::SYS_chmod, libc::SYS_chown, libc::SYS_lchown,
    libc::SYS_utime, libc::SYS_utimes, libc::SYS_futimesat,
];
#[cfg(not(target_arch = "x86_64"))]
const NEVER_HERE: &[i64] = &[];

/// Numbers of calls that are for programs with 32-bit pointers begin here (x32, where a kernel has
/// it): the same calls once more.
#[cfg(target_arch = "x86_64")]
const SECOND_NUMBERS: Option<i64> = Some(0x4000_0000);
#[cfg(not(target_arch = "x86_64"))]
const SECOND_NUMBERS: Option<i64> = None;

/// Calls that have other numbers there, of those in [`NEVER`] and those that start a program.
/// (`syscall_64.tbl`, Linux 6.12: execve, ptrace, `rt_sigqueueinfo`,
/// `kexec_load`, `rt_tgsigqueueinfo`, `process_vm_*`, execveat.)
const ONLY_SECOND: &[i64] = &[520, 521, 524, 528, 536, 539, 540, 545];

/// Flags of `clone` that make a namespace.
const NAMESPACES: &[i32] = &[
    libc::CLONE_NEWNS,
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWNET,
];

/// Commands that have somebody else signalled when a file is ready (fcntl(2), asm-generic/fcntl.h and
/// sockios.h): `F_SETOWN`, `F_SETSIG` and `F_SETOWN_EX`; `FIOSETOWN` and `SIOCSPGRP`. And
/// `F_SETLEASE`, which makes whoever opens a file wait.
const OF_OTHERS: &[i32] = &[8, 10, 15, 1024];
const OWNERS_OF_SOCKETS: &[u64] = &[0x8901, 0x8902];

/// Commands that type into a terminal (`ioctl_tty`(2)): TIOCSTI and TIOCLINUX.
const TYPING: &[u64] = &[0x5412, 0x541c];

type Rules = BTreeMap<i64, Vec<SeccompRule>>;
type Built<T> = std::result::Result<T, seccompiler::BackendError>;

/// Refuses the calls for this process and all that it starts.
pub(crate) fn confine(plan: &CagePlan, signals_stay_inside: bool) -> Result<()> {
    let (refused, unknown) = programs(plan, signals_stay_inside)
        .map_err(|error| ConsumerError::Cage(format!("seccomp: {error}")))?;
    for program in [refused, unknown] {
        match seccompiler::apply_filter(&program) {
            Ok(()) => {}
            // A kernel without filters: the self-test tells.
            Err(seccompiler::Error::Seccomp(error) | seccompiler::Error::Prctl(error))
                if matches!(error.raw_os_error(), Some(libc::EINVAL | libc::ENOSYS)) =>
            {
                return Ok(());
            }
            Err(error) => return Err(ConsumerError::Cage(format!("seccomp: {error}"))),
        }
    }
    Ok(())
}

/// What is refused, and what is said not to be there: glibc then uses `clone`, whose flags can be
/// read, in place of `clone3`, whose flags cannot.
fn programs(plan: &CagePlan, signals_stay_inside: bool) -> Built<(BpfProgram, BpfProgram)> {
    let filter = |rules, error: i32| {
        let error = SeccompAction::Errno(error.unsigned_abs());
        let here = std::env::consts::ARCH.try_into()?;
        SeccompFilter::new(rules, SeccompAction::Allow, error, here)?.try_into()
    };
    let unknown = twice(Rules::from([(libc::SYS_clone3, Vec::new())]));
    Ok((filter(rules(plan, signals_stay_inside)?, libc::EPERM)?, filter(unknown, libc::ENOSYS)?))
}

fn rules(plan: &CagePlan, signals_stay_inside: bool) -> Built<Rules> {
    let mut rules: Rules = NEVER.iter().chain(NEVER_HERE).map(|call| (*call, Vec::new())).collect();
    let myself = rustix::process::getpid().as_raw_nonzero().get();

    // A pair of sockets leads nowhere but to each other.
    rules.insert(libc::SYS_socketpair, vec![rule(0, SeccompCmpOp::Ne, libc::AF_UNIX)?]);
    rules.insert(
        libc::SYS_prlimit64,
        vec![SeccompRule::new(vec![
            condition(0, SeccompCmpOp::Ne, 0)?,
            condition(0, SeccompCmpOp::Ne, myself)?,
        ])?],
    );
    // What it starts it may end only where Landlock keeps signals inside: a number is anybody's, and
    // each thread of the worker has one.
    if signals_stay_inside {
        rules.insert(libc::SYS_kill, vec![rule(0, SeccompCmpOp::Eq, -1)?]);
    } else {
        let own = || not_one_of(0, &[0, myself, -myself]);
        rules.insert(libc::SYS_kill, vec![own()?]);
        rules.insert(libc::SYS_tgkill, vec![own()?]);
    }
    // The priorities and processors of whoever calls, of nobody else of the same user.
    for call in [
        libc::SYS_sched_setaffinity,
        libc::SYS_sched_setscheduler,
        libc::SYS_sched_setparam,
        libc::SYS_sched_setattr,
    ] {
        rules.insert(call, vec![not_one_of(0, &[0, myself])?]);
    }
    for (call, a_process) in [(libc::SYS_setpriority, 0), (libc::SYS_ioprio_set, 1)] {
        let of_more = rule(0, SeccompCmpOp::Ne, a_process)?;
        rules.insert(call, vec![of_more, not_one_of(1, &[0, myself])?]);
    }
    let of_others = OF_OTHERS.iter().map(|command| rule(1, SeccompCmpOp::Eq, *command));
    rules.insert(libc::SYS_fcntl, of_others.collect::<Built<_>>()?);
    let device = OWNERS_OF_SOCKETS.iter().chain(TYPING).map(|command| {
        let same = SeccompCondition::new(1, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, *command)?;
        SeccompRule::new(vec![same])
    });
    rules.insert(libc::SYS_ioctl, device.collect::<Built<_>>()?);
    rules.insert(libc::SYS_clone, clones(plan.may_start_processes)?);
    #[cfg(target_arch = "x86_64")]
    if !plan.may_start_processes {
        rules.insert(libc::SYS_fork, Vec::new());
        rules.insert(libc::SYS_vfork, Vec::new());
    }
    Ok(twice(rules))
}

/// What is refused of `clone`: namespaces, and what is no thread where no process may be started.
fn clones(may_start_processes: bool) -> Built<Vec<SeccompRule>> {
    let masked = |flag: i32, value: i32| {
        let flag = u64::from(flag.cast_unsigned());
        let value = u64::from(value.cast_unsigned());
        let masked = SeccompCmpOp::MaskedEq(flag);
        let condition = SeccompCondition::new(0, SeccompCmpArgLen::Dword, masked, value)?;
        SeccompRule::new(vec![condition])
    };
    let mut refused = Vec::new();
    for namespace in NAMESPACES {
        refused.push(masked(*namespace, *namespace)?);
    }
    if !may_start_processes {
        refused.push(masked(libc::CLONE_THREAD, 0)?);
    }
    Ok(refused)
}

/// The same rules for the second numbers of the calls too.
fn twice(mut rules: Rules) -> Rules {
    if let Some(second) = SECOND_NUMBERS {
        let again: Vec<_> =
            rules.iter().map(|(call, refused)| (call + second, refused.clone())).collect();
        rules.extend(again);
        rules.extend(ONLY_SECOND.iter().map(|call| (call + second, Vec::new())));
    }
    rules
}

/// A rule for an argument that is none of these.
fn not_one_of(argument: u8, allowed: &[i32]) -> Built<SeccompRule> {
    let not = allowed.iter().map(|value| condition(argument, SeccompCmpOp::Ne, *value));
    SeccompRule::new(not.collect::<Built<_>>()?)
}

fn rule(argument: u8, operator: SeccompCmpOp, value: i32) -> Built<SeccompRule> {
    SeccompRule::new(vec![condition(argument, operator, value)?])
}

/// A condition on an argument that is an `int`: the kernel reads no more of it.
fn condition(argument: u8, operator: SeccompCmpOp, value: i32) -> Built<SeccompCondition> {
    let value = u64::from(value.cast_unsigned());
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value)
}
