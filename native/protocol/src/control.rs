use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{ProtocolError, Result};
use crate::version::Versioned;

/// What is wanted of a running job: `jobs/<job id>/control.json`; absent means go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JobControl {
    /// [`JobControl::VERSION`].
    pub version: u32,
    /// The artist's wish: tasks that have not begun are dropped, those that have are stopped.
    pub cancelled: bool,
    /// Why the job has stopped itself, or [`JobControl::BY_ARTIST`]: tasks that have not begun are
    /// dropped, until someone enqueues them again. One sentence, 1000 characters at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<String>,
}

impl Default for JobControl {
    fn default() -> Self {
        Self { version: Self::VERSION, cancelled: false, paused: None }
    }
}

impl JobControl {
    /// Most bytes of the document.
    pub const MAX_SIZE_BYTES: u64 = 8192;

    /// Most characters of a reason.
    pub const MAX_REASON: usize = 1000;

    /// Why a job is paused that the artist has paused.
    pub const BY_ARTIST: &str = "paused by the artist";

    /// Whether the artist has paused the job, which goes on where the artist says so.
    #[must_use]
    pub fn is_paused_by_artist(&self) -> bool {
        !self.cancelled && self.paused.as_deref() == Some(Self::BY_ARTIST)
    }
}

impl Versioned for JobControl {
    const DOCUMENT: &'static str = "control";
    const VERSION: u32 = 2;
    const OLDEST: u32 = 1;

    fn validate(&self) -> Result<()> {
        match &self.paused {
            Some(reason) if reason.chars().count() > Self::MAX_REASON => {
                Err(ProtocolError::Invalid {
                    field: "paused",
                    expected: "at most 1000 characters",
                    got: reason.chars().take(80).collect(),
                })
            }
            _ => Ok(()),
        }
    }
}
