//! The set-up function of the stack: makes the renderer's image and pushes it to the account's registry.
//!
//! In Lambda it is the resource `Image` of the template. On a developer's machine
//! `render-on-lambda-setup PARTS CONSUMER FOLDER [MIRROR]` writes the same image as an OCI layout.

mod assembly;
mod debian;
mod download;
mod error;
mod image;
mod layer;
mod layout;
mod left_out;
mod parts;
mod progress;
mod registry;
mod resource;
mod wheel;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use farm::{AwsConfig, Storage};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};

use crate::error::{Result, SetupError};
use crate::parts::PartsList;
use crate::progress::Progress;
use crate::registry::Repository;
use crate::resource::{ImageProperties, Outcome, RequestType, ResourceRequest};

/// CloudFormation is answered so long before Lambda ends the function.
const RESERVE: Duration = Duration::from_secs(15);
const TELL_EVERY: Duration = Duration::from_secs(2);

#[tokio::main]
async fn main() -> std::result::Result<(), Error> {
    tracing_subscriber::fmt().json().with_target(false).with_writer(std::io::stderr).init();
    // Another part of this program may have chosen before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [] => {
            let config = AwsConfig::from_environment().await?;
            let config = &config;
            run(service_fn(move |event: LambdaEvent<ResourceRequest>| async move {
                answer(config, event).await.map_err(Error::from)
            }))
            .await
        }
        [parts, consumer, folder, mirror @ ..] => {
            let mirror = mirror.first().map(String::as_str);
            let text = read(parts.as_ref())?;
            let list = PartsList::parse(&text)?;
            let image =
                assembly::assemble(&list, mirror, consumer.as_ref(), &Arc::default()).await?;
            println!("{}", layout::write(image, folder.as_ref())?);
            Ok(())
        }
        _ => Err("usage: render-on-lambda-setup PARTS CONSUMER FOLDER [MIRROR]".into()),
    }
}

async fn answer(config: &AwsConfig, event: LambdaEvent<ResourceRequest>) -> Result<()> {
    let request = event.payload;
    let limit = event.context.deadline().duration_since(SystemTime::now()).unwrap_or_default();
    let work = outcome(config, &request);
    let outcome = match tokio::time::timeout(limit.saturating_sub(RESERVE), work).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(error)) => Outcome::Failed(error),
        Err(_) => Outcome::Failed(SetupError::Setting {
            name: "the function's time",
            expected: "enough to make the image",
            got: format!("{} s", limit.as_secs()),
        }),
    };
    tracing::info!(?outcome, "the image");
    request.answer(&download::client()?, &outcome).await
}

async fn outcome(config: &AwsConfig, request: &ResourceRequest) -> Result<Outcome> {
    let properties = &request.resource_properties;
    if request.request_type == RequestType::Delete {
        let digest = request.physical_resource_id.as_deref().unwrap_or_default();
        if digest.starts_with("sha256:") {
            // What is left goes with the repository: a stack that cannot be deleted is worse.
            let deleted = async {
                Repository::open(config, &properties.repository_uri).await?.delete(digest).await
            };
            if let Err(error) = deleted.await {
                tracing::warn!(%error, "an image is left");
            }
        }
        return Ok(Outcome::Deleted);
    }
    let progress = Arc::new(Progress::default());
    let telling = tokio::spawn(tell(config.clone(), Arc::clone(&progress)));
    let made = make(config, properties, &progress).await;
    telling.abort();
    made.map(Outcome::Image)
}

async fn make(
    config: &AwsConfig,
    properties: &ImageProperties,
    progress: &Arc<Progress>,
) -> Result<String> {
    let folder = PathBuf::from(variable("LAMBDA_TASK_ROOT", "where the function's code is")?);
    let (text, consumer) = (read(&folder.join("parts.json"))?, folder.join("consumer"));
    let list = PartsList::parse(&text)?;
    let mirror = properties.parts_mirror.as_deref().filter(|mirror| !mirror.is_empty());
    // A registry that may not be used is told of before half a gigabyte is downloaded.
    let repository = Repository::open(config, &properties.repository_uri).await?;
    let tag = assembly::tag(&text, &read(&consumer)?);
    // An update that is rolled back asks for the image that is there, and must not need the internet.
    if let Some(uri) = repository.image_tagged(&tag).await {
        return Ok(uri);
    }
    let image = assembly::assemble(&list, mirror, &consumer, progress).await?;
    for layer in &image.layers {
        tracing::info!(
            layer.name,
            layer.sha256,
            layer.size_bytes,
            layer.unpacked_bytes,
            "a layer is made"
        );
    }
    repository.push(image, &tag, progress).await
}

/// Writes into the bucket how far it is, for whoever has pressed the button.
async fn tell(config: AwsConfig, progress: Arc<Progress>) {
    let Ok(bucket) = std::env::var("BUCKET_NAME") else { return };
    let storage = Storage::new(&config, bucket);
    let mut told = None;
    loop {
        let stage = progress.stage();
        if told.as_ref() != Some(&stage) {
            let document = serde_json::to_vec(&stage).unwrap_or_default();
            if let Err(error) = storage.put(protocol::keys::SET_UP_PROGRESS, document).await {
                tracing::warn!(%error, "progress is not told");
            }
            told = Some(stage);
        }
        tokio::time::sleep(TELL_EVERY).await;
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(SetupError::io("read", path))
}

fn variable(name: &'static str, expected: &'static str) -> Result<String> {
    std::env::var(name).map_err(|_| SetupError::Setting { name, expected, got: "not set".into() })
}
