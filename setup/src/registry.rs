//! The account's registry: what it does not have of an image is pushed.

use std::io::{self, Seek, SeekFrom};
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
use reqwest::header::HeaderValue;
use tokio::io::AsyncReadExt;

use crate::assembly::Image;
use crate::download::{certificates, whole_reason};
use crate::error::{Result, SetupError};
use crate::image::{Document, MANIFEST_TYPE};
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

    /// The URI of the image of a tag, by its digest, where there is one.
    pub(crate) async fn image_tagged(&self, tag: &str) -> Option<String> {
        let reference = self.reference(tag);
        let digest = self.client.fetch_manifest_digest(&reference, &self.auth).await.ok()?;
        Some(format!("{}@{digest}", self.uri))
    }

    /// Pushes what the repository does not have; the image's URI, by its digest.
    ///
    /// # Errors
    /// [`SetupError::Registry`] with what it said the last time.
    pub(crate) async fn push(
        &self,
        image: Image,
        tag: &str,
        progress: &Arc<Progress>,
    ) -> Result<String> {
        let reference = self.reference(tag);
        progress.starts("layers", image.layers.iter().map(|layer| layer.size_bytes).sum());
        for layer in &image.layers {
            let digest = format!("sha256:{}", layer.sha256);
            let size = Some(layer.size_bytes);
            let put = async || {
                let pieces = pieces(layer)?;
                self.client.push_blob_stream(&reference, pieces, &digest, size).await.map(drop)
            };
            let action = format!("put the layer \"{}\"", layer.name);
            self.put_blob(&action, &reference, &digest, put).await?;
            progress.adds(layer.size_bytes);
        }
        let Document { bytes, digest } = &image.configuration;
        let put = async || self.client.push_blob(&reference, bytes.clone(), digest).await.map(drop);
        self.put_blob("put the configuration", &reference, digest, put).await?;
        let kind = HeaderValue::from_static(MANIFEST_TYPE);
        self.tried("put the manifest", async || {
            let bytes = image.manifest.bytes.clone();
            self.client.push_manifest_raw(&reference, bytes, kind.clone()).await.map(drop)
        })
        .await?;
        Ok(format!("{}@{}", self.uri, image.manifest.digest))
    }

    /// Puts a blob unless it is there.
    async fn put_blob(
        &self,
        action: &str,
        reference: &Reference,
        digest: &str,
        put: impl AsyncFn() -> std::result::Result<(), OciDistributionError>,
    ) -> Result<()> {
        self.tried(action, async || {
            if self.client.blob_exists(reference, digest).await? {
                return Ok(());
            }
            put().await
        })
        .await
    }

    /// Does something up to three times.
    async fn tried(
        &self,
        action: &str,
        work: impl AsyncFn() -> std::result::Result<(), OciDistributionError>,
    ) -> Result<()> {
        let mut tries = 0;
        loop {
            tries += 1;
            match work().await {
                Ok(()) => return Ok(()),
                Err(error) if tries == TRIES => return Err(self.failed(action, &error)),
                Err(error) => {
                    tracing::warn!(reason = whole_reason(&error), "{action}: it is tried again");
                    tokio::time::sleep(Duration::from_secs(1 << tries)).await;
                }
            }
        }
    }

    fn reference(&self, tag: &str) -> Reference {
        Reference::with_tag(self.registry.clone(), self.name.clone(), tag.to_owned())
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
) -> io::Result<impl stream::Stream<Item = std::result::Result<Bytes, OciDistributionError>> + use<>>
{
    let mut file = layer.file.try_clone()?;
    file.seek(SeekFrom::Start(0))?;
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
