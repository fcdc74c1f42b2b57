/// What can be wrong with a document of the protocol.
#[derive(Debug, thiserror::Error)]
pub enum ProtocolError {
    /// Not JSON, or not of the document's shape.
    #[error("not a {document}")]
    Malformed {
        /// Which document was expected: `job`, `task message`, …
        document: &'static str,
        /// Where and why the JSON does not fit.
        #[source]
        source: serde_json::Error,
    },
    /// A version that this build does not know.
    #[error("{document} has version {got}, this build reads version {expected}")]
    UnknownVersion {
        /// Which document.
        document: &'static str,
        /// The version that it carries.
        got: u64,
        /// The version that can be read.
        expected: u32,
    },
    /// A value out of its range.
    #[error("{field}: expected {expected}, got {got}")]
    Invalid {
        /// The field, as it is named in the document.
        field: &'static str,
        /// What it must be.
        expected: &'static str,
        /// What it is.
        got: String,
    },
}

impl ProtocolError {
    /// Whether it was written by a newer build, which knows what it means.
    #[must_use]
    pub fn is_newer(&self) -> bool {
        matches!(self, Self::UnknownVersion { got, expected, .. } if *got > u64::from(*expected))
    }
}

/// The result of reading a document of the protocol.
pub type Result<T> = std::result::Result<T, ProtocolError>;

/// An error and everything that led to it, in one line: each level once, with colons between.
#[must_use]
pub fn sentence(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // Some libraries repeat their source in their own text.
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}
