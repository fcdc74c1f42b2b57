use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::ProtocolError;

/// Names a job. Ids sort by the time they were made (`UUIDv7`, RFC 9562).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct JobId(Uuid);

impl JobId {
    /// A new id, later than all before it.
    #[must_use]
    pub fn now() -> Self {
        Self(Uuid::now_v7())
    }

    /// When the id was made, in milliseconds since 1970 (UTC): its first 48 bits.
    #[must_use]
    pub fn created_ms(&self) -> u64 {
        let (high, _) = self.0.as_u64_pair();
        high >> 16
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for JobId {
    type Err = ProtocolError;

    fn from_str(text: &str) -> Result<Self, ProtocolError> {
        Uuid::try_parse(text).map(Self).map_err(|_| ProtocolError::Invalid {
            field: "job",
            expected: "a UUID",
            got: text.chars().take(60).collect(),
        })
    }
}

/// The BLAKE3 digest of some bytes, written as 64 lower-case hexadecimal digits.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("pattern" = "^[0-9a-f]{64}$"))]
pub struct Digest(String);

impl Digest {
    /// The digest as hexadecimal digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<blake3::Hash> for Digest {
    fn from(hash: blake3::Hash) -> Self {
        Self(hash.to_hex().to_string())
    }
}

impl TryFrom<String> for Digest {
    type Error = ProtocolError;

    fn try_from(text: String) -> Result<Self, ProtocolError> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() == 64 && text.bytes().all(is_digit) {
            return Ok(Self(text));
        }
        Err(ProtocolError::Invalid {
            field: "digest",
            expected: "64 lower-case hexadecimal digits",
            got: text.chars().take(80).collect(),
        })
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Names a pack by the digest of its manifest: the same scene with the same files is the same pack.
#[derive(
    Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct PackId(pub Digest);

impl PackId {
    /// That of a pack that is not made yet: no pack has it.
    #[must_use]
    pub fn unknown() -> Self {
        Self(Digest::from(blake3::Hash::from([0; 32])))
    }
}

impl fmt::Display for PackId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for PackId {
    type Err = ProtocolError;

    fn from_str(text: &str) -> Result<Self, ProtocolError> {
        Digest::try_from(text.to_owned()).map(Self).map_err(|_| ProtocolError::Invalid {
            field: "pack",
            expected: "64 lower-case hexadecimal digits",
            got: text.chars().take(80).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_tells_when_it_was_made() {
        let now_ms = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis();
        assert!(now_ms.abs_diff(JobId::now().created_ms().into()) < 60_000);
    }
}
