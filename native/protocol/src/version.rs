//! Documents that carry their version, and the version of all of them together.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::error::{ProtocolError, Result};

/// The version of the whole protocol, which the stack's output `Protocol` tells: it is raised with
/// each change of a document, a key or a message that the other side must know of.
pub const PROTOCOL_VERSION: u32 = 5;

/// A document that carries a version.
pub trait Versioned: DeserializeOwned {
    /// What messages call it.
    const DOCUMENT: &'static str;
    /// The version that this build writes.
    const VERSION: u32;
    /// The oldest version that this build reads: that before its own, where both have a meaning
    /// here.
    const OLDEST: u32 = Self::VERSION;

    /// Checks what the types alone cannot.
    ///
    /// # Errors
    /// [`ProtocolError::Invalid`] with the field's name.
    fn validate(&self) -> Result<()> {
        Ok(())
    }
}

/// Reads a document: its version first, so that a newer one is refused by its version and not by
/// a field that this build has never heard of.
///
/// # Errors
/// [`ProtocolError`], whatever the bytes are.
pub fn parse<T: Versioned>(bytes: &[u8]) -> Result<T> {
    #[derive(Deserialize)]
    struct OnlyVersion {
        version: u64,
    }
    let malformed = |source| ProtocolError::Malformed { document: T::DOCUMENT, source };
    let OnlyVersion { version } = serde_json::from_slice(bytes).map_err(malformed)?;
    if !(u64::from(T::OLDEST)..=u64::from(T::VERSION)).contains(&version) {
        return Err(ProtocolError::UnknownVersion {
            document: T::DOCUMENT,
            got: version,
            expected: T::VERSION,
        });
    }
    let document: T = serde_json::from_slice(bytes).map_err(malformed)?;
    document.validate()?;
    Ok(document)
}
