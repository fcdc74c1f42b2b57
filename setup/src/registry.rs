//! The account's registry: what it does not have of an image is pushed.

use std::io::{Seek, SeekFrom};
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_ecr::types::ImageIdentifier;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use farm::{Attempt, AwsConfig};
use futures_util::stream;
use oci_client::client::{Certificate, CertificateEncoding, ClientConfig, ClientProtocol};
use oci_client::errors::OciDistributionError;
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, Reference};
use tokio::io::AsyncReadExt;

use crate::assembly::Image;
use crate::download::{certificates, whole_reason};
use crate::error::{Result, SetupError};
use crate::image::MANIFEST_TYPE;
use crate::layer::Layer;
use crate::progress::Progress;

const PIECE_BYTES: usize = 1 << 20;
const TRIES: u32 = 3;
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// A repository of the account's registry.
pub(crate) struct Repository {
    client: Client,
    auth: RegistryAuth,
    ecr: aws_sdk_ecr::Client,
    /// The registry's host, and the repository's name in it.
    registry: String,
    name: String,
    uri: String,
}

impl Repository {
    /// Signs in to the registry of a repository, whose URI is as CloudFormation gives it.
    ///
    /// # Errors
    /// [`SetupError::Farm`] of the call, [`SetupError::Registry`] of an answer that is no token.
    pub(crate) async fn open(config: &AwsConfig, uri: &str) -> Result<Self> {
        let (host, name) = uri.split_once('/').ok_or_else(|| SetupError::Setting {
            name: "RepositoryUri",
            expected: "a host, a slash, and the repository's name",
            got: format!("\"{uri}\""),
        })?;
        // An emulator serves the registry at its own address.
        let endpoint = config.sdk.endpoint_url().map(str::to_owned);
        let protocol = match endpoint.as_deref() {
            Some(address) if address.starts_with("http:") => ClientProtocol::Http,
            _ => ClientProtocol::Https,
        };
        let registry = endpoint
            .as_deref()
            .and_then(|address| address.split("://").nth(1))
            .map_or(host, |authority| authority.trim_end_matches('/'))
            .to_owned();
        let ecr = aws_sdk_ecr::Client::new(&config.sdk);
        let attempt = Attempt { action: "sign in to the registry", ..Attempt::default() };
        let answer = ecr.get_authorization_token().send().await;
        let answer = answer.map_err(|error| attempt.error(error))?;
        let token = answer.authorization_data().first().and_then(|data| data.authorization_token());
        let auth = token.and_then(basic).ok_or_else(|| SetupError::Registry {
            action: "sign in".into(),
            registry: registry.clone(),
            reason: "the answer has no token".into(),
        })?;
        let pem = certificates()?;
        let extra_root_certificates = if pem.is_empty() {
            Vec::new()
        } else {
            vec![Certificate { encoding: CertificateEncoding::Pem, data: pem }]
        };
        let client = Client::new(ClientConfig {
            protocol,
            // ECR takes the first of a blob's pieces and drops the others
            // (aws/containers-roadmap#2831).
            use_monolithic_push: true,
            extra_root_certificates,
            connect_timeout: Some(CONNECT_LIMIT),
            ..ClientConfig::default()
        });
        client.store_auth_if_needed(&registry, &auth).await;
        Ok(Self { client, auth, ecr, registry, name: name.to_owned(), uri: uri.to_owned() })
    }

    /// Pushes what the repository does not have; the image's URI, by its digest.
    ///
    /// # Errors
    /// [`SetupError::Registry`] with what it said the last time.
    pub(crate) async fn push(&self, image: Image, progress: &Arc<Progress>) -> Result<String> {
        let tagged = image.manifest.digest.replace(':', "-");
        let reference = Reference::with_tag(self.registry.clone(), self.name.clone(), tagged);
        let uri = format!("{}@{}", self.uri, image.manifest.digest);
        // Its tags are immutable: one that is there would be refused, though it is the same.
        let there = self.client.fetch_manifest_digest(&reference, &self.auth).await;
        if there.is_ok_and(|digest| digest == image.manifest.digest) {
            return Ok(uri);
        }
        progress.starts("layers", image.layers.iter().map(|layer| layer.size_bytes).sum());
        for layer in &image.layers {
            self.push_layer(&reference, layer, progress).await?;
        }
        let configuration = image.configuration;
        self.client
            .push_blob(&reference, configuration.bytes, &configuration.digest)
            .await
            .map_err(|error| self.failed("put the configuration", &error))?;
        let kind = MANIFEST_TYPE.parse().map_err(|_| SetupError::List {
            reason: format!("{MANIFEST_TYPE} cannot be a header"),
        })?;
        self.client
            .push_manifest_raw(&reference, image.manifest.bytes, kind)
            .await
            .map_err(|error| self.failed("put the manifest", &error))?;
        Ok(uri)
    }

    async fn push_layer(
        &self,
        reference: &Reference,
        layer: &Layer,
        progress: &Arc<Progress>,
    ) -> Result<()> {
        let digest = format!("sha256:{}", layer.sha256);
        let action = format!("put the layer \"{}\"", layer.name);
        let mut tries = 0;
        loop {
            tries += 1;
            let there = self.client.blob_exists(reference, &digest).await;
            let pushed = match there {
                Ok(true) => Ok(()),
                Ok(false) => {
                    let pieces = pieces(layer)?;
                    let size = Some(layer.size_bytes);
                    self.client.push_blob_stream(reference, pieces, &digest, size).await.map(drop)
                }
                Err(error) => Err(error),
            };
            match pushed {
                Ok(()) => {
                    progress.adds(layer.size_bytes);
                    return Ok(());
                }
                Err(error) if tries == TRIES => return Err(self.failed(&action, &error)),
                Err(error) => {
                    tracing::warn!(reason = whole_reason(&error), "{action}: it is tried again");
                    tokio::time::sleep(Duration::from_secs(1 << tries)).await;
                }
            }
        }
    }

    /// Deletes an image; no error where there is none.
    ///
    /// # Errors
    /// [`SetupError::Farm`] of the call.
    pub(crate) async fn delete(&self, digest: &str) -> Result<()> {
        let attempt = Attempt { action: "delete an image", ..Attempt::default() };
        let image = ImageIdentifier::builder().image_digest(digest).build();
        let call = self.ecr.batch_delete_image().repository_name(&self.name).image_ids(image);
        call.send().await.map_err(|error| attempt.error(error))?;
        Ok(())
    }

    fn failed(&self, action: &str, error: &OciDistributionError) -> SetupError {
        SetupError::Registry {
            action: action.to_owned(),
            registry: self.registry.clone(),
            reason: whole_reason(error),
        }
    }
}

/// The bytes of a layer, from its beginning, a piece after the other.
fn pieces(
    layer: &Layer,
) -> Result<impl stream::Stream<Item = std::result::Result<Bytes, OciDistributionError>> + use<>> {
    let failed = |error| SetupError::io("read the layer", layer.name.as_ref())(error);
    let mut file = layer.file.try_clone().map_err(failed)?;
    file.seek(SeekFrom::Start(0)).map_err(failed)?;
    Ok(stream::try_unfold(tokio::fs::File::from_std(file), |mut file| async move {
        let mut piece = vec![0; PIECE_BYTES];
        let count = file.read(&mut piece).await?;
        piece.truncate(count);
        Ok((count > 0).then(|| (Bytes::from(piece), file)))
    }))
}

/// The name and password in a token of ECR's
/// (<https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_AuthorizationData.html>).
fn basic(token: &str) -> Option<RegistryAuth> {
    let text = String::from_utf8(STANDARD.decode(token).ok()?).ok()?;
    let (name, password) = text.split_once(':')?;
    Some(RegistryAuth::Basic(name.to_owned(), password.to_owned()))
}
