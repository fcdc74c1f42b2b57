use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::error::{ProtocolError, Result};

/// A document that carries a version.
pub trait Versioned: DeserializeOwned {
    /// What messages call it.
    const DOCUMENT: &'static str;
    /// The version that this build writes and reads.
    const VERSION: u32;

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
    if version != u64::from(T::VERSION) {
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
