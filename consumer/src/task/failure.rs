use farm::FarmError;
use protocol::{FailureCause, FailureClass, TaskFailure, sentence};
use std::os::unix::process::ExitStatusExt;

use crate::error::ConsumerError;

/// Most letters of an error's sentence.
const MOST_LETTERS: usize = 1000;

/// Classifies an error: is it the scene's fault, which trying again cannot mend, or the machine's?
pub(crate) fn classify(
    error: &ConsumerError,
    log_tail: String,
    allow_scripts: bool,
) -> TaskFailure {
    let class = match error {
        ConsumerError::Scene { .. }
        // Where it is a machine's own matter, the machine leaves the task alone.
        | ConsumerError::Unconfined { .. }
        | ConsumerError::LacksBlender { .. }
        | ConsumerError::SliceFailed { .. }
        | ConsumerError::PackTooLarge { .. }
        | ConsumerError::TooMuchMade { .. }
        | ConsumerError::Protocol(_)
        // A document that is read again is the same.
        | ConsumerError::Farm(FarmError::Protocol(_) | FarmError::TooLarge { .. }) => {
            FailureClass::Scene
        }
        // A process that ends by itself, in the middle of a render, was told to by a script.
        ConsumerError::BlenderDied { status, .. } if allow_scripts && status.code().is_some() => {
            FailureClass::Scene
        }
        ConsumerError::Setting { .. }
        | ConsumerError::Runtime { .. }
        | ConsumerError::Io { .. }
        | ConsumerError::NoBlender { .. }
        | ConsumerError::Cage(_)
        | ConsumerError::Keeper(_)
        | ConsumerError::Unfit(_)
        | ConsumerError::BlenderDied { .. }
        | ConsumerError::OutOfMemory { .. }
        | ConsumerError::Hung { .. }
        | ConsumerError::DiskFull { .. }
        | ConsumerError::Wire { .. }
        | ConsumerError::Frames(_)
        | ConsumerError::Deadline { .. }
        | ConsumerError::NoJob { .. }
        | ConsumerError::NoFrame { .. }
        | ConsumerError::GivenUp { .. }
        | ConsumerError::Superseded
        | ConsumerError::Cancelled
        | ConsumerError::Farm(_) => FailureClass::Machine,
    };
    TaskFailure { class, message: bounded(sentence(error)), log_tail }
}

/// What made a try fail, where it would come out alike elsewhere.
pub(crate) fn cause(error: &ConsumerError) -> Option<FailureCause> {
    match error {
        ConsumerError::Deadline { .. } => Some(FailureCause::Time),
        ConsumerError::OutOfMemory { .. } => Some(FailureCause::Memory),
        ConsumerError::Hung { .. } => Some(FailureCause::Hang),
        // Whoever kills it from outside kills another one next time.
        ConsumerError::BlenderDied { status, .. } if !matches!(status.signal(), Some(9 | 15)) => {
            Some(FailureCause::Crash)
        }
        ConsumerError::Farm(
            FarmError::Damaged { .. }
            | FarmError::BadBundle { .. }
            | FarmError::NoPack { .. }
            | FarmError::NoObject { .. },
        ) => Some(FailureCause::Damage),
        _ => None,
    }
}

/// A record has bounds, and what a service or a library says need not.
fn bounded(mut message: String) -> String {
    if let Some((end, _)) = message.char_indices().nth(MOST_LETTERS) {
        message.truncate(end);
        message.push('…');
    }
    message
}
