//! The image, assembled: the parts of each layer are downloaded and unpacked into it, layers beside each
//! other.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use reqwest::Client;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

use crate::debian::System;
use crate::download::download;
use crate::error::{Result, SetupError};
use crate::image::{self, CONSUMER, Document};
use crate::layer::{Layer, LayerWriter};
use crate::left_out::LeftOut;
use crate::parts::{LayerParts, PartKind, PartsList};
use crate::progress::Progress;
use crate::wheel;

/// How many parts of a layer wait to be unpacked.
const WAITING_PARTS: usize = 2;

/// An image, ready to be pushed.
#[derive(Debug)]
pub(crate) struct Image {
    pub(crate) layers: Vec<Layer>,
    pub(crate) configuration: Document,
    pub(crate) manifest: Document,
}

/// Raised where the same parts give another image than before: it is part of the image's tag.
const ASSEMBLY_VERSION: u8 = 1;

/// The tag of the image of these parts and this consumer, before it is made.
pub(crate) fn tag(parts: &[u8], consumer: &[u8]) -> String {
    let digest = Sha256::new()
        .chain_update([ASSEMBLY_VERSION])
        .chain_update(Sha256::digest(parts))
        .chain_update(Sha256::digest(consumer));
    format!("of-{}", hex::encode(digest.finalize()))
}

/// Assembles the image of the parts and the consumer.
///
/// # Errors
/// [`SetupError`] of the first layer that cannot be made.
pub(crate) async fn assemble(
    list: &PartsList,
    mirror: Option<&str>,
    consumer: &Path,
    progress: &Arc<Progress>,
) -> Result<Image> {
    let client = crate::download::client()?;
    progress.starts("parts", list.size_bytes());
    let making = list.layers.iter().map(|parts| {
        let mut parts = parts.clone();
        if let Some(mirror) = mirror {
            parts.sources = vec![mirror.to_owned()];
        }
        tokio::spawn(layer_of_parts(client.clone(), parts, Arc::clone(progress)))
    });
    let mut layers = Vec::new();
    for layer in making.collect::<Vec<_>>() {
        layers.push(layer.await.map_err(|error| stopped(&error))??);
    }
    layers.push(layer_of_consumer(consumer)?);
    let configuration = image::configuration(&layers);
    let manifest = image::manifest(&configuration, &layers);
    Ok(Image { layers, configuration, manifest })
}

async fn layer_of_parts(
    client: Client,
    parts: LayerParts,
    progress: Arc<Progress>,
) -> Result<Layer> {
    let (sender, receiver) = mpsc::channel(WAITING_PARTS);
    let layer = parts.clone();
    // gzip takes a processor to itself: the layer is written beside the downloads.
    let writing = tokio::task::spawn_blocking(move || write_layer(&layer, receiver));
    for part in &parts.parts {
        let file = download(&client, &parts.sources, part).await?;
        progress.adds(part.size_bytes);
        if sender.send((part.path.clone(), file)).await.is_err() {
            // The writer has ended: it says why.
            break;
        }
    }
    drop(sender);
    writing.await.map_err(|error| stopped(&error))?
}

fn write_layer(parts: &LayerParts, mut files: mpsc::Receiver<(String, File)>) -> Result<Layer> {
    let left_out = match parts.kind {
        PartKind::Debian | PartKind::Packages => LeftOut::of_system()?,
        PartKind::Wheels => LeftOut::of_blender(&parts.root)?,
    };
    let mut layer = LayerWriter::new(&parts.name, &left_out)?;
    let mut system = System::default();
    while let Some((name, file)) = files.blocking_recv() {
        match parts.kind {
            PartKind::Debian | PartKind::Packages => system.unpack(&name, file, &mut layer)?,
            PartKind::Wheels => wheel::unpack(&name, file, &parts.root, &mut layer)?,
        }
    }
    if parts.kind == PartKind::Debian {
        system.finish(&mut layer)?;
    }
    layer.finish()
}

/// The consumer may be run and not read: the kernel then hides a process's environment, where Lambda
/// keeps the keys, from its first instruction on (prctl(2), `PR_SET_DUMPABLE`).
fn layer_of_consumer(path: &Path) -> Result<Layer> {
    let mut file = File::open(path).map_err(SetupError::io("read", path))?;
    let size_bytes = file.metadata().map_err(SetupError::io("read", path))?.len();
    let left_out = LeftOut::none();
    let mut layer = LayerWriter::new("consumer", &left_out)?;
    layer.file(CONSUMER, 0o711, size_bytes, &mut file)?;
    layer.finish()
}

fn stopped(error: &tokio::task::JoinError) -> SetupError {
    SetupError::List { reason: format!("a layer was not finished: {error}") }
}

#[cfg(test)]
mod tests {
    use super::tag;

    #[test]
    fn other_parts_and_another_consumer_are_another_image() {
        assert_eq!(tag(b"parts", b"consumer"), tag(b"parts", b"consumer"));
        assert_ne!(tag(b"parts", b"consumer"), tag(b"partsc", b"onsumer"));
        // A tag may have 128 letters.
        assert_eq!(tag(b"", b"").len(), 67);
    }
}
