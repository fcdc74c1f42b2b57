//! What the stack's functions are deployed from: zips that come with this build.

use std::path::{Path, PathBuf};

use farm::Storage;
use protocol::keys;
use sha2::{Digest, Sha256};

use crate::error::{AccountError, Result};

/// The zips in a folder, with the parameters of the template that name their keys.
const ZIPS: [(&str, &str); 3] =
    [("setup", "SetUpCodeKey"), ("producer", "ProducerCodeKey"), ("consumer", "ConsumerCodeKey")];

/// A function's zip.
#[derive(Debug)]
pub(crate) struct Zip {
    path: PathBuf,
    /// The parameter that names its key.
    pub(crate) parameter: &'static str,
    /// Where it is put.
    pub(crate) key: String,
}

/// The zips of a folder: `producer.zip`, and `setup.zip`, or `consumer.zip` for a farm without an image, as
/// an emulator runs it.
///
/// # Errors
/// [`AccountError::Code`] where they cannot be read.
pub(crate) fn zips(folder: &Path) -> Result<Vec<Zip>> {
    let wrong =
        |reason: String| AccountError::Code { folder: folder.display().to_string(), reason };
    let mut found = Vec::new();
    for (function, parameter) in ZIPS {
        let path = folder.join(format!("{function}.zip"));
        match std::fs::read(&path) {
            Ok(bytes) => {
                let key = keys::code(function, &hex::encode(Sha256::digest(&bytes)));
                found.push(Zip { path, parameter, key });
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(wrong(format!("{}: {error}", path.display()))),
        }
    }
    let has = |parameter| found.iter().any(|zip| zip.parameter == parameter);
    if !has("ProducerCodeKey") || has("SetUpCodeKey") == has("ConsumerCodeKey") {
        return Err(wrong("they are not all there".to_owned()));
    }
    Ok(found)
}

/// Puts what the bucket does not have.
///
/// # Errors
/// [`AccountError::Farm`] of a call.
pub(crate) async fn upload(zips: &[Zip], storage: &Storage) -> Result<()> {
    for zip in zips {
        if storage.look(&zip.key).await?.is_none() {
            let wrong = |error: std::io::Error| AccountError::Code {
                folder: zip.path.display().to_string(),
                reason: error.to_string(),
            };
            let bytes = tokio::fs::read(&zip.path).await.map_err(wrong)?;
            storage.put(&zip.key, bytes).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_all_of_them_is_named() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("producer.zip"), b"zip").unwrap();
        let error = zips(folder.path()).unwrap_err().to_string();
        assert!(error.contains("they are not all there; install the add-on again"), "{error}");
        std::fs::write(folder.path().join("setup.zip"), b"zip").unwrap();
        let keys: Vec<_> = zips(folder.path()).unwrap().into_iter().map(|zip| zip.key).collect();
        assert!(keys.iter().all(|key| key.starts_with("code/")), "{keys:?}");
    }
}
