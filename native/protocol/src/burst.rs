use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::JobId;
use crate::version::Versioned;

/// What the consumer function is invoked with to work the queue by itself: `{"burst": …}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BurstRequest {
    /// [`BurstRequest::VERSION`].
    pub version: u32,
    /// The job that was enqueued, for the function's log: the queue says what there is to do.
    pub job: JobId,
}

impl BurstRequest {
    /// One for a job.
    #[must_use]
    pub const fn new(job: JobId) -> Self {
        Self { version: Self::VERSION, job }
    }
}

impl Versioned for BurstRequest {
    const DOCUMENT: &'static str = "burst request";
    const VERSION: u32 = 1;
}
