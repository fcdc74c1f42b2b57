//! The list of what an image is assembled from: `infra/image/parts.json`.

use serde::Deserialize;

use crate::error::{Result, SetupError};

/// No package of Debian's and no wheel of Blender is larger.
const MOST_PART_BYTES: u64 = 2 << 30;

/// All layers with their parts, from the bottom up.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PartsList {
    pub(crate) layers: Vec<LayerParts>,
}

/// A layer that is made of downloads.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LayerParts {
    /// What people call it, such as "blender 5.2".
    pub(crate) name: String,
    pub(crate) kind: PartKind,
    /// Where parts are found, one behind the other.
    pub(crate) sources: Vec<String>,
    /// The folder in the image that parts are unpacked into.
    pub(crate) root: String,
    pub(crate) parts: Vec<Part>,
}

/// How a part is unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum PartKind {
    /// The packages of a whole Debian.
    Debian,
    /// Packages that are added to it.
    Packages,
    /// Python's, as pip installs them.
    Wheels,
}

/// A download.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Part {
    /// Below a source.
    pub(crate) path: String,
    pub(crate) sha256: String,
    pub(crate) size_bytes: u64,
}

impl PartsList {
    /// Reads the list.
    ///
    /// # Errors
    /// [`SetupError::List`] where it is not such a list, or a part is too large to be one.
    pub(crate) fn parse(text: &[u8]) -> Result<Self> {
        let wrong = |reason: String| SetupError::List { reason };
        let list: Self = serde_json::from_slice(text).map_err(|error| wrong(error.to_string()))?;
        for part in list.layers.iter().flat_map(|layer| &layer.parts) {
            if part.size_bytes > MOST_PART_BYTES {
                let reason = format!(
                    "{} has {} bytes: expected {MOST_PART_BYTES} at most",
                    part.path, part.size_bytes
                );
                return Err(wrong(reason));
            }
        }
        Ok(list)
    }

    /// How many bytes are downloaded for all of it.
    pub(crate) fn size_bytes(&self) -> u64 {
        self.layers.iter().flat_map(|layer| &layer.parts).map(|part| part.size_bytes).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_the_project_can_be_read() {
        let list = PartsList::parse(include_bytes!("../../infra/image/parts.json")).unwrap();
        assert_eq!(list.layers.first().map(|layer| layer.kind), Some(PartKind::Debian));
        // Certificates are made of one Debian alone.
        assert!(list.layers.iter().skip(1).all(|layer| layer.kind != PartKind::Debian));
        for part in list.layers.iter().flat_map(|layer| &layer.parts) {
            assert_eq!(part.sha256.len(), 64, "{}", part.path);
        }
    }

    #[test]
    fn a_list_that_is_none_is_refused() {
        for text in ["", "{}", r#"{"layers": [{"name": "x"}]}"#, r#"{"layers": [], "more": 1}"#] {
            assert!(PartsList::parse(text.as_bytes()).is_err(), "{text}");
        }
        let huge = r#"{"layers": [{"name": "x", "kind": "wheels", "sources": [], "root": "",
            "parts": [{"path": "p", "sha256": "00", "size_bytes": 99999999999}]}]}"#;
        let error = PartsList::parse(huge.as_bytes()).unwrap_err().to_string();
        assert!(error.contains("p has 99999999999 bytes"), "{error}");
    }
}
