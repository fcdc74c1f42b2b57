//! The HTTP client of every call: through the network's proxy, trusting a company's certificate.

use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::error::{FarmError, Result};

/// How long a connection is kept that nobody uses. Short: one that a frozen function or a sleeping
/// laptop has kept is dead.
const IDLE: Duration = Duration::from_secs(20);

/// The variable that every AWS tool reads for a file of certificates
/// (<https://docs.aws.amazon.com/sdkref/latest/guide/feature-gen-config.html>). The Rust SDK does
/// not (awslabs/aws-sdk-rust#1362).
const CA_BUNDLE: &str = "AWS_CA_BUNDLE";

/// A client that goes through `HTTPS_PROXY` unless `NO_PROXY` names the host, and trusts the
/// system's certificates and those of a file: the environment's, or `of_profile`.
///
/// # Errors
/// [`FarmError::Certificates`] where that file has none that can be used.
pub(super) fn http_client(of_profile: Option<PathBuf>) -> Result<SharedHttpClient> {
    let file = std::env::var_os(CA_BUNDLE).filter(|path| !path.is_empty()).map(PathBuf::from);
    let mut trust = TrustStore::default();
    if let Some(path) = file.or(of_profile) {
        trust.add_pem_certificate(certificates(&path)?);
    }
    let context = TlsContext::builder().with_trust_store(trust).build().map_err(|error| {
        FarmError::Certificates { path: CA_BUNDLE.into(), reason: error.to_string() }
    })?;
    // The public builder knows no proxy yet; this is what its own `build_https` does.
    Ok(Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = Connector::builder()
            .proxy_config(ProxyConfig::from_env())
            .pool_idle_timeout(IDLE)
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .tls_context(context.clone());
        connector.set_connector_settings(settings.cloned());
        if let Some(components) = components {
            connector.set_sleep_impl(components.sleep_impl());
        }
        connector.build()
    }))
}

/// The file's bytes, where every certificate in it is sound: the client would panic at one that is
/// not, and trust a file without any in silence.
fn certificates(path: &Path) -> Result<Vec<u8>> {
    let bytes = std::fs::read(path).map_err(FarmError::io("read the certificates in", path))?;
    let wrong = |reason: String| FarmError::Certificates { path: path.to_owned(), reason };
    let mut roots = RootCertStore::empty();
    for found in CertificateDer::pem_slice_iter(&bytes) {
        let certificate = found.map_err(|error| wrong(error.to_string()))?;
        roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(wrong("there is no certificate in it (-----BEGIN CERTIFICATE-----)".into()));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_sound_certificate_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("company.pem");
        for text in [
            "",
            "no certificate",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "-----BEGIN CERTIFICATE-----\n%%%%\n-----END CERTIFICATE-----\n",
        ] {
            std::fs::write(&path, text).unwrap();
            let error = certificates(&path).unwrap_err().to_string();
            assert!(error.contains("company.pem"), "{error}");
        }
        let absent = certificates(&folder.path().join("gone.pem")).unwrap_err();
        assert!(matches!(absent, FarmError::Io { .. }));
    }
}
