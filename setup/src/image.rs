//! An image, as its two documents describe it
//! (<https://github.com/opencontainers/image-spec/blob/v1.1.1/spec.md>).

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::layer::Layer;

pub(crate) const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
/// Where the consumer is in the image.
pub(crate) const CONSUMER: &str = "opt/render-on-lambda/consumer";
const CONFIG_TYPE: &str = "application/vnd.oci.image.config.v1+json";
const LAYER_TYPE: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// A document that is named by its digest.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) bytes: Vec<u8>,
    /// `sha256:` and the digest.
    pub(crate) digest: String,
}

impl Document {
    fn new(value: &Value) -> Self {
        let bytes = value.to_string().into_bytes();
        let digest = format!("sha256:{}", hex::encode(Sha256::digest(&bytes)));
        Self { bytes, digest }
    }
}

/// How the image is run: by Lambda, which chooses a user of its own, or elsewhere by nobody in particular.
/// What lies in its /tmp was left by a job: nobody else works in this container.
pub(crate) fn configuration(layers: &[Layer]) -> Document {
    let diffs: Vec<_> =
        layers.iter().map(|layer| format!("sha256:{}", layer.diff_sha256)).collect();
    Document::new(&json!({
        "architecture": "amd64",
        "os": "linux",
        "config": {
            "User": "993",
            "Env": [
                "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                "BLENDER=/usr/bin/python3",
                "OLDER_BLENDERS=4.5=/usr/bin/python3.11",
                "OWNS_TEMPORARY_FOLDER=1",
            ],
            "Entrypoint": [format!("/{}", CONSUMER)],
        },
        "rootfs": { "type": "layers", "diff_ids": diffs },
    }))
}

/// What the image consists of; its digest names the image.
pub(crate) fn manifest(configuration: &Document, layers: &[Layer]) -> Document {
    let layers: Vec<_> = layers
        .iter()
        .map(|layer| {
            json!({
                "mediaType": LAYER_TYPE,
                "digest": format!("sha256:{}", layer.sha256),
                "size": layer.size_bytes,
            })
        })
        .collect();
    Document::new(&json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": {
            "mediaType": CONFIG_TYPE,
            "digest": configuration.digest,
            "size": configuration.bytes.len(),
        },
        "layers": layers,
    }))
}
