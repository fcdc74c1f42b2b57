use std::fs::File;
use std::io::Read;
use std::path::Path;

use protocol::Digest;

use crate::error::{FarmError, Result};

/// The digest of a file's bytes, read in pieces of 1 MiB. Blocks: call it off the runtime.
///
/// # Errors
/// [`FarmError::Io`] where it cannot be read.
pub fn digest_file(path: &Path) -> Result<Digest> {
    let mut file = File::open(path).map_err(FarmError::io("read", path))?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let count = file.read(&mut buffer).map_err(FarmError::io("read", path))?;
        if count == 0 {
            break;
        }
        hasher.update(buffer.get(..count).unwrap_or_default());
    }
    Ok(Digest::try_from(hasher.finalize().to_hex().to_string())?)
}
