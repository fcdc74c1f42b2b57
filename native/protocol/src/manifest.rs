use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{ProtocolError, Result};
use crate::frames::FrameRange;
use crate::id::{Digest, PackId};
use crate::pack_path::PackPath;
use crate::version::Versioned;

/// What is in a pack: `packs/<pack id>.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`Manifest::VERSION`].
    pub version: u32,
    /// The .blend file to open.
    pub blend_file: PackPath,
    /// The colour configuration that Blender is to use (`OCIO` in its environment); its own where
    /// absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color_config: Option<PackPath>,
    /// The frames that image sequences were limited to: no others can be rendered. Every frame
    /// where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frames: Option<FrameRange>,
    /// Every file, sorted by path.
    pub files: Vec<PackedFile>,
    /// The blobs that hold several small files each.
    pub bundles: Vec<Bundle>,
}

/// One file of a pack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PackedFile {
    /// Where it is in the pack.
    pub path: PackPath,
    /// The digest of its bytes.
    pub digest: Digest,
    /// How many bytes it has.
    pub size_bytes: u64,
    /// The index of the bundle that holds it; where absent, its bytes are the blob of its digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bundle: Option<u32>,
    /// Whether only the rendering of a frame reads it: the scene can be opened before it is there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub opens_without: bool,
}

/// A blob that is a zip of small files, each under its path in the pack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    /// The digest of the zip.
    pub digest: Digest,
    /// How many bytes the zip has.
    pub size_bytes: u64,
}

impl Manifest {
    /// Most files in a pack.
    pub const MAX_FILES: usize = 1_000_000;

    /// Most bytes of the document itself.
    pub const MAX_SIZE_BYTES: u64 = 512 << 20;

    /// Most bytes of one bundle.
    pub const MAX_BUNDLE_BYTES: u64 = 64 << 20;

    /// Makes a manifest: sorts the files, so that the same content always gives the same pack.
    #[must_use]
    pub fn new(blend_file: PackPath, mut files: Vec<PackedFile>, bundles: Vec<Bundle>) -> Self {
        files.sort_by(|one, other| one.path.cmp(&other.path));
        let (color_config, frames) = (None, None);
        Self { version: Self::VERSION, blend_file, color_config, frames, files, bundles }
    }

    /// The same with a colour configuration, one of its files.
    #[must_use]
    pub fn with_color_config(self, color_config: Option<PackPath>) -> Self {
        Self { color_config, ..self }
    }

    /// The same with image sequences that hold no more than these frames show.
    #[must_use]
    pub fn with_frames(self, frames: Option<FrameRange>) -> Self {
        Self { frames, ..self }
    }

    /// Checks that the pack can render some frames.
    ///
    /// # Errors
    /// [`ProtocolError::Invalid`] with the field `frames` where it was made for others.
    pub fn check_frames(&self, frames: FrameRange) -> Result<()> {
        match &self.frames {
            Some(ours) if frames.first < ours.first || frames.last > ours.last => {
                Err(ProtocolError::Invalid {
                    field: "frames",
                    expected: "frames that the pack was made for",
                    got: format!(
                        "{} to {} of a pack for {} to {}",
                        frames.first, frames.last, ours.first, ours.last
                    ),
                })
            }
            _ => Ok(()),
        }
    }

    /// Every blob that the pack needs, once, with its size in bytes and the path of a file in it.
    #[must_use]
    pub fn blobs(&self) -> BTreeMap<&Digest, (u64, &PackPath)> {
        let blob = |file: &PackedFile| match file.bundle {
            None => None,
            Some(index) => self.bundles.get(usize::try_from(index).ok()?),
        };
        self.files
            .iter()
            .map(|file| match blob(file) {
                Some(bundle) => (&bundle.digest, (bundle.size_bytes, &file.path)),
                None => (&file.digest, (file.size_bytes, &file.path)),
            })
            .collect()
    }

    /// The document's bytes and the id that follows from them.
    ///
    /// # Errors
    /// [`ProtocolError::Malformed`] where it cannot be written as JSON.
    pub fn to_bytes(&self) -> Result<(PackId, Vec<u8>)> {
        let bytes = serde_json::to_vec(self)
            .map_err(|source| ProtocolError::Malformed { document: Self::DOCUMENT, source })?;
        let digest = Digest::try_from(blake3::hash(&bytes).to_hex().to_string())?;
        Ok((PackId(digest), bytes))
    }

    /// How many bytes all files have together.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.files.iter().fold(0, |sum, file| sum.saturating_add(file.size_bytes))
    }
}

impl Versioned for Manifest {
    const DOCUMENT: &'static str = "manifest";
    const VERSION: u32 = 4;

    fn validate(&self) -> Result<()> {
        let invalid = |field, expected, got| Err(ProtocolError::Invalid { field, expected, got });
        if self.files.len() > Self::MAX_FILES {
            return invalid("files", "at most 1000000", self.files.len().to_string());
        }
        if let Some(bundle) =
            self.bundles.iter().find(|bundle| bundle.size_bytes > Self::MAX_BUNDLE_BYTES)
        {
            return invalid("bundles", "at most 64 MiB each", bundle.size_bytes.to_string());
        }
        let is_there = |index: u32| usize::try_from(index).is_ok_and(|at| at < self.bundles.len());
        if let Some(index) =
            self.files.iter().filter_map(|file| file.bundle).find(|at| !is_there(*at))
        {
            return invalid("files.bundle", "the index of a bundle", index.to_string());
        }
        let mut paths: Vec<&PackPath> = self.files.iter().map(|file| &file.path).collect();
        paths.sort_unstable();
        if let Some([twice, _]) = paths.array_windows().find(|[one, other]| one == other) {
            return invalid("files", "each path once", format!("{twice} twice"));
        }
        if paths.binary_search(&&self.blend_file).is_err() {
            return invalid("blend_file", "one of the files", self.blend_file.to_string());
        }
        if let Some(file) =
            self.files.iter().find(|file| file.opens_without && file.path == self.blend_file)
        {
            return invalid("files.opens_without", "false for the scene", file.path.to_string());
        }
        if let Some(config) =
            self.color_config.iter().find(|config| paths.binary_search(config).is_err())
        {
            return invalid("color_config", "one of the files", config.to_string());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::version::parse;

    fn file(path: &str) -> PackedFile {
        PackedFile {
            path: PackPath::try_from(path.to_owned()).unwrap(),
            digest: Digest::try_from("ab".repeat(32)).unwrap(),
            size_bytes: 3,
            bundle: None,
            opens_without: false,
        }
    }

    #[test]
    fn the_same_files_in_any_order_are_the_same_pack() {
        let blend = file("a.blend").path;
        let one = Manifest::new(blend.clone(), vec![file("a.blend"), file("t/b.png")], Vec::new());
        let other = Manifest::new(blend, vec![file("t/b.png"), file("a.blend")], Vec::new());
        assert_eq!(one.to_bytes().unwrap(), other.to_bytes().unwrap());
        assert_eq!(parse::<Manifest>(&one.to_bytes().unwrap().1).unwrap(), one);
    }

    #[test]
    fn files_of_one_bundle_need_one_blob() {
        let bundle = Bundle { digest: Digest::try_from("cd".repeat(32)).unwrap(), size_bytes: 9 };
        let bundled = |path| PackedFile { bundle: Some(0), ..file(path) };
        let files = vec![file("a.blend"), bundled("b.png"), bundled("c.png")];
        let manifest = Manifest::new(file("a.blend").path, files, vec![bundle]);
        let sizes: Vec<u64> = manifest.blobs().values().map(|(size, _)| *size).collect();
        assert_eq!(sizes, [3, 9]);
    }

    #[test]
    fn a_pack_of_some_frames_renders_no_others() {
        let whole = Manifest::new(file("a.blend").path, vec![file("a.blend")], Vec::new());
        let frames = |first, last| FrameRange { first, last, step: 1 };
        assert!(whole.check_frames(frames(1, 9)).is_ok());
        let limited = whole.with_frames(Some(frames(5, 6)));
        assert!(limited.check_frames(frames(5, 5)).is_ok());
        let error = limited.check_frames(frames(5, 7)).unwrap_err();
        assert!(error.to_string().starts_with("frames: expected frames"), "{error}");
    }

    #[test]
    fn what_is_wrong_with_a_manifest_is_named() {
        let blend = file("a.blend").path;
        let twice =
            Manifest::new(blend.clone(), vec![file("a.blend"), file("a.blend")], Vec::new());
        let mut nowhere = Manifest::new(blend.clone(), vec![file("a.blend")], Vec::new());
        nowhere.files[0].bundle = Some(1);
        let without = Manifest::new(blend.clone(), vec![file("b.blend")], Vec::new());
        let late = PackedFile { opens_without: true, ..file("a.blend") };
        let late = Manifest::new(blend, vec![late], Vec::new());
        let mut newer = serde_json::to_value(&without).unwrap();
        newer["version"] = 5.into();
        let colourless = Manifest::new(file("a.blend").path, vec![file("a.blend")], Vec::new())
            .with_color_config(Some(file("config.ocio").path));
        let escaping = serde_json::to_string(&without).unwrap().replace("b.blend", "../b");
        let messages = [
            twice.to_bytes().unwrap().1,
            without.to_bytes().unwrap().1,
            nowhere.to_bytes().unwrap().1,
            colourless.to_bytes().unwrap().1,
            late.to_bytes().unwrap().1,
            newer.to_string().into_bytes(),
            escaping.into_bytes(),
            b"{".to_vec(),
        ]
        .map(|bytes| crate::sentence(&parse::<Manifest>(&bytes).unwrap_err()));
        insta::assert_snapshot!(messages.join("\n"));
    }
}
