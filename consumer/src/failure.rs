use protocol::{FailureClass, TaskFailure, sentence};

use crate::error::ConsumerError;

/// Classifies an error: is it the scene's fault, which trying again cannot mend, or the machine's?
pub(crate) fn classify(error: &ConsumerError, log_tail: String) -> TaskFailure {
    let class = match error {
        ConsumerError::Scene { .. }
        | ConsumerError::OldBlender { .. }
        | ConsumerError::Protocol(_) => FailureClass::Scene,
        ConsumerError::Setting { .. }
        | ConsumerError::Runtime { .. }
        | ConsumerError::Io { .. }
        | ConsumerError::NoBlender { .. }
        | ConsumerError::BlenderDied { .. }
        | ConsumerError::Wire { .. }
        | ConsumerError::Deadline { .. }
        | ConsumerError::NoJob { .. }
        | ConsumerError::Cancelled
        | ConsumerError::Farm(_) => FailureClass::Machine,
    };
    TaskFailure { class, message: sentence(error), log_tail }
}
