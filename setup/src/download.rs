//! Parts, as they are downloaded: from one source after the other, checked against their digests.

use std::io::{Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::time::Duration;

use reqwest::{Certificate, Client};
use sha2::{Digest, Sha256};

use crate::error::{Result, SetupError};
use crate::parts::Part;

const TRIES_A_SOURCE: u32 = 3;
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// How long a source may say nothing.
const SILENCE_LIMIT: Duration = Duration::from_secs(60);

/// The variable that every AWS tool reads for a file of certificates.
const CA_BUNDLE: &str = "AWS_CA_BUNDLE";

/// The certificates that are trusted beside the system's: a company's.
///
/// # Errors
/// [`SetupError::Setting`] where the file that `AWS_CA_BUNDLE` names has none.
pub(crate) fn certificates() -> Result<Vec<u8>> {
    let Some(path) = std::env::var_os(CA_BUNDLE).filter(|path| !path.is_empty()) else {
        return Ok(Vec::new());
    };
    let path = PathBuf::from(path);
    std::fs::read(&path).map_err(SetupError::io("read the certificates in", &path))
}

/// A client for downloads and answers.
///
/// # Errors
/// [`SetupError::Setting`] where certificates cannot be used.
pub(crate) fn client() -> Result<Client> {
    let wrong = |error: reqwest::Error| SetupError::Setting {
        name: CA_BUNDLE,
        expected: "a file of certificates",
        got: error.to_string(),
    };
    let more = Certificate::from_pem_bundle(&certificates()?).map_err(wrong)?;
    Client::builder()
        .connect_timeout(CONNECT_LIMIT)
        .read_timeout(SILENCE_LIMIT)
        .tls_certs_merge(more)
        .build()
        .map_err(wrong)
}

/// Brings a part into a file without a name.
///
/// # Errors
/// [`SetupError::Download`] with what each source said, [`SetupError::Damaged`] where the last of
/// them had other bytes.
pub(crate) async fn download(
    client: &Client,
    sources: &[String],
    part: &Part,
) -> Result<std::fs::File> {
    let mut reasons = Vec::new();
    let mut damaged = None;
    for source in sources {
        let address = format!("{}/{}", source.trim_end_matches('/'), part.path);
        for attempt in 0..TRIES_A_SOURCE {
            if attempt > 0 {
                tokio::time::sleep(Duration::from_secs(1 << attempt)).await;
            }
            match try_download(client, &address, part).await {
                Ok(file) => return Ok(file),
                Err(error @ SetupError::Damaged { .. }) => {
                    damaged = Some(error);
                    break;
                }
                Err(error @ SetupError::Io { .. }) => return Err(error),
                Err(error) => {
                    // What is not there is not there a second later.
                    let reason = error.to_string();
                    let is_absent = reason.contains("404");
                    reasons.push(reason);
                    if is_absent {
                        break;
                    }
                }
            }
        }
    }
    reasons.dedup();
    Err(damaged.unwrap_or_else(|| SetupError::Download {
        path: part.path.clone(),
        reason: reasons.join("; "),
    }))
}

async fn try_download(client: &Client, address: &str, part: &Part) -> Result<std::fs::File> {
    let failed = |error: reqwest::Error| SetupError::Download {
        path: part.path.clone(),
        reason: whole_reason(&error),
    };
    let mut answer = client
        .get(address)
        .send()
        .await
        .and_then(reqwest::Response::error_for_status)
        .map_err(failed)?;
    let folder = std::env::temp_dir();
    let mut file = tempfile::tempfile().map_err(SetupError::io("make a file in", &folder))?;
    let mut digest = Sha256::new();
    let mut size_bytes = 0;
    while let Some(piece) = answer.chunk().await.map_err(failed)? {
        size_bytes += piece.len() as u64;
        if size_bytes > part.size_bytes {
            break;
        }
        digest.update(&piece);
        file.write_all(&piece).map_err(SetupError::io("write a file in", &folder))?;
    }
    let got = hex::encode(digest.finalize());
    if size_bytes != part.size_bytes || got != part.sha256 {
        let expected = part.sha256.clone();
        return Err(SetupError::Damaged { path: part.path.clone(), expected, got });
    }
    file.seek(SeekFrom::Start(0)).map_err(SetupError::io("read a file in", &folder))?;
    Ok(file)
}

/// What an error says, with what caused it.
pub(crate) fn whole_reason(error: &(dyn std::error::Error + 'static)) -> String {
    let mut reason = error.to_string();
    let mut level = error.source();
    while let Some(cause) = level {
        reason = format!("{reason}: {cause}");
        level = cause.source();
    }
    reason
}
