use protocol::{FailureClass, TaskFailure, sentence};

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
        | ConsumerError::OldBlender { .. }
        | ConsumerError::PackTooLarge { .. }
        | ConsumerError::TooMuchMade { .. }
        | ConsumerError::Protocol(_) => FailureClass::Scene,
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
        | ConsumerError::Unconfined { .. }
        | ConsumerError::BlenderDied { .. }
        | ConsumerError::OutOfMemory { .. }
        | ConsumerError::Hung { .. }
        | ConsumerError::DiskFull { .. }
        | ConsumerError::Wire { .. }
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

/// A record has bounds, and what a service or a library says need not.
fn bounded(mut message: String) -> String {
    if let Some((end, _)) = message.char_indices().nth(MOST_LETTERS) {
        message.truncate(end);
        message.push('…');
    }
    message
}
