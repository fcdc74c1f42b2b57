use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::{Digest, JobId};
use crate::version::Versioned;

/// The job that a client's token has made: `tokens/<digest>.json`, written once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientToken {
    /// [`ClientToken::VERSION`].
    pub version: u32,
    /// The job.
    pub job: JobId,
}

impl ClientToken {
    /// Most bytes of the document.
    pub const MAX_SIZE_BYTES: u64 = 4096;

    /// The digest of a token of somebody: two clients that chose the same token have two.
    #[must_use]
    pub fn digest(sender: &str, token: &str) -> Digest {
        let mut hasher = blake3::Hasher::new_derive_key("render-on-lambda client token 1");
        hasher.update(&(sender.len() as u64).to_be_bytes());
        hasher.update(sender.as_bytes());
        hasher.update(token.as_bytes());
        hasher.finalize().into()
    }
}

impl Versioned for ClientToken {
    const DOCUMENT: &'static str = "client token";
    const VERSION: u32 = 1;
}
