//! An image as files: an OCI layout, for whoever looks into it or loads it into an engine
//! (<https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md>).

use std::fs::{self, File};
use std::io;
use std::path::Path;

use serde_json::json;

use crate::assembly::Image;
use crate::error::{Result, SetupError};
use crate::image::{Document, MANIFEST_TYPE};

/// Writes an image into a folder; its digest.
///
/// # Errors
/// [`SetupError::Io`].
pub(crate) fn write(image: Image, folder: &Path) -> Result<String> {
    let blobs = folder.join("blobs").join("sha256");
    fs::create_dir_all(&blobs).map_err(SetupError::io("make the folder", &blobs))?;
    for mut layer in image.layers {
        let path = blobs.join(&layer.sha256);
        let mut file = File::create(&path).map_err(SetupError::io("write", &path))?;
        io::copy(&mut layer.file, &mut file).map_err(SetupError::io("write", &path))?;
    }
    for document in [&image.configuration, &image.manifest] {
        write_document(document, &blobs)?;
    }
    let index = json!({
        "schemaVersion": 2,
        "manifests": [{
            "mediaType": MANIFEST_TYPE,
            "digest": image.manifest.digest,
            "size": image.manifest.bytes.len(),
            "annotations": { "io.containerd.image.name": "render-on-lambda:latest" },
        }],
    });
    put(&folder.join("index.json"), index.to_string().as_bytes())?;
    put(&folder.join("oci-layout"), br#"{"imageLayoutVersion":"1.0.0"}"#)?;
    Ok(image.manifest.digest)
}

fn write_document(document: &Document, blobs: &Path) -> Result<()> {
    put(&blobs.join(document.digest.trim_start_matches("sha256:")), &document.bytes)
}

fn put(path: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(path, bytes).map_err(SetupError::io("write", path))
}
