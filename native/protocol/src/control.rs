use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::version::Versioned;

/// What the artist wants of a running job: `jobs/<job id>/control.json`; absent means go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JobControl {
    /// [`JobControl::VERSION`].
    pub version: u32,
    /// Tasks that have not begun are dropped, those that have are stopped.
    pub cancelled: bool,
}

impl JobControl {
    /// Most bytes of the document.
    pub const MAX_SIZE_BYTES: u64 = 4096;
}

impl Versioned for JobControl {
    const DOCUMENT: &'static str = "control";
    const VERSION: u32 = 1;
}
