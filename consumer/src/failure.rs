use protocol::{FailureClass, TaskFailure, sentence};

use crate::error::ConsumerError;

/// Classifies an error: is it the scene's fault, which trying again cannot mend, or the machine's?
pub(crate) fn classify(
    error: &ConsumerError,
    log_tail: String,
    allow_scripts: bool,
) -> TaskFailure {
    let class = match error {
        ConsumerError::Scene { .. }
        | ConsumerError::OldBlender { .. }
        | ConsumerError::PackTooLarge { .. }
        | ConsumerError::Protocol(_) => FailureClass::Scene,
        // A process that ends by itself, in the middle of a render, was told to by a script.
        ConsumerError::BlenderDied { status, .. } if allow_scripts && status.code().is_some() => {
            FailureClass::Scene
        }
        ConsumerError::Setting { .. }
        | ConsumerError::Runtime { .. }
        | ConsumerError::Io { .. }
        | ConsumerError::NoBlender { .. }
        | ConsumerError::BlenderDied { .. }
        | ConsumerError::OutOfMemory { .. }
        | ConsumerError::Hung { .. }
        | ConsumerError::DiskFull { .. }
        | ConsumerError::Wire { .. }
        | ConsumerError::Deadline { .. }
        | ConsumerError::NoJob { .. }
        | ConsumerError::Cancelled
        | ConsumerError::Farm(_) => FailureClass::Machine,
    };
    TaskFailure { class, message: sentence(error), log_tail }
}
