//! What a worker and its keeper say to each other: lines of JSON over a socket of their own.

use serde::{Deserialize, Serialize};

/// What a worker wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Order {
    /// End all but Blender, and stop Blender.
    Rest,
    /// Let Blender go on.
    Work,
}

/// What a keeper tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Word {
    /// Blender was started.
    Started {
        /// Its process.
        process: i32,
    },
    /// Nothing runs below the keeper.
    Resting,
    /// Blender has ended, and nothing is left of it.
    Ended {
        /// How, as wait(2) says it.
        status: i32,
    },
}

/// One line of either.
pub(crate) fn line(word: &impl Serialize) -> Vec<u8> {
    // Nothing in them can fail to be written.
    let mut line = serde_json::to_vec(word).unwrap_or_default();
    line.push(b'\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_a_line_and_is_read_again() {
        let word = Word::Ended { status: 256 };
        let line = line(&word);
        assert_eq!(line, b"{\"ended\":{\"status\":256}}\n");
        assert_eq!(serde_json::from_slice::<Word>(&line).unwrap(), word);
    }
}
