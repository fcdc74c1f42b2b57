//! Objects into files: in ranges where they are large, several at once, checked on the way.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use protocol::Digest;
use tempfile::NamedTempFile;

use crate::aws::storage::Storage;
use crate::error::{FarmError, Result};

/// What one request brings.
const RANGE_BYTES: u64 = 4 << 20;

/// How many ranges of one file are on their way at the same time.
const RANGES_AT_ONCE: usize = 6;

/// The pauses before a range that broke off is asked for again.
const PAUSES: [Duration; 3] =
    [Duration::from_millis(200), Duration::from_secs(1), Duration::from_secs(3)];

impl Storage {
    /// Brings an object into a file of this machine and checks its digest on the way. The file
    /// appears whole, under its name, or not at all; folders above it are made.
    ///
    /// Large objects come in ranges of 4 MiB, several at the same time. Whatever breaks off or is
    /// answered with a fault is asked for again three times, and what arrives damaged once.
    ///
    /// # Errors
    /// [`FarmError::NoObject`], [`FarmError::Damaged`], [`FarmError::Io`], or that of the call.
    pub async fn get_file(
        &self,
        key: &str,
        to: &Path,
        digest: &Digest,
        size_bytes: u64,
    ) -> Result<()> {
        match self.get_file_once(key, to, digest, size_bytes).await {
            Err(FarmError::Damaged { .. }) => self.get_file_once(key, to, digest, size_bytes).await,
            fetched => fetched,
        }
    }

    async fn get_file_once(
        &self,
        key: &str,
        to: &Path,
        digest: &Digest,
        size_bytes: u64,
    ) -> Result<()> {
        let folder = to.parent().unwrap_or(to);
        std::fs::create_dir_all(folder).map_err(FarmError::io("make the folder", folder))?;
        // In the same folder, so that the rename cannot cross file systems.
        let partial = tempfile::Builder::new()
            .prefix(".incoming-")
            .tempfile_in(folder)
            .map_err(FarmError::io("write into", folder))?;
        let mut file = Incoming { partial, hasher: blake3::Hasher::new() };
        let count = size_bytes.div_ceil(RANGE_BYTES).max(1);
        let mut ranges = stream::iter(0..count)
            .map(|number| self.range(key, number * RANGE_BYTES, size_bytes))
            .buffered(RANGES_AT_ONCE);
        while let Some(piece) = ranges.next().await {
            file = file.write(piece?, to).await?;
        }
        let got = file.hasher.finalize().to_hex().to_string();
        if got != digest.as_str() {
            return Err(FarmError::Damaged {
                key: key.to_owned(),
                expected: digest.to_string(),
                got,
            });
        }
        make_readable(file.partial.path()).map_err(FarmError::io("write", to))?;
        file.partial.persist(to).map_err(|error| FarmError::io("write", to)(error.error))?;
        Ok(())
    }

    /// One range of an object, from `start` on; the whole of a small one.
    async fn range(&self, key: &str, start: u64, size_bytes: u64) -> Result<Piece> {
        let length = RANGE_BYTES.min(size_bytes - start);
        let permits = u32::try_from(length.div_ceil(1024)).unwrap_or(u32::MAX);
        let held = self.incoming.clone().acquire_many_owned(permits).await;
        let held = held.map_err(|_| FarmError::Cancelled)?;
        let is_whole = length == size_bytes;
        let range = (!is_whole).then(|| format!("bytes={start}-{}", start + length - 1));
        let mut pauses = PAUSES.into_iter();
        loop {
            match self.piece(key, range.clone(), length).await {
                Ok(chunks) => return Ok(Piece { chunks, _held: held }),
                Err(error) if error.is_transient() => match pauses.next() {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => return Err(error),
                },
                Err(error) => return Err(error),
            }
        }
    }

    async fn piece(&self, key: &str, range: Option<String>, length: u64) -> Result<Vec<Bytes>> {
        let get = self.client.get_object().bucket(&self.bucket).key(key).set_range(range);
        let got = get.send().await.map_err(|error| {
            // Whoever has said how large it is was wrong.
            if error.raw_response().is_some_and(|raw| raw.status().as_u16() == 416) {
                let (expected, got) = (format!("of {length} bytes more"), "its end".to_owned());
                return FarmError::Damaged { key: key.to_owned(), expected, got };
            }
            self.attempt("read from the bucket", key).error(error)
        });
        let mut body = got?.body;
        let (mut chunks, mut received) = (Vec::new(), 0);
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(|error| self.broken_off(&error))?;
            received += chunk.len() as u64;
            if received > length {
                return Err(FarmError::TooLarge { key: key.to_owned(), limit_bytes: length });
            }
            chunks.push(chunk);
        }
        if received < length {
            let expected = format!("of {length} bytes");
            return Err(FarmError::Damaged {
                key: key.to_owned(),
                expected,
                got: format!("{received} bytes"),
            });
        }
        Ok(chunks)
    }
}

/// A range in memory, with its share of what may be there.
struct Piece {
    chunks: Vec<Bytes>,
    _held: tokio::sync::OwnedSemaphorePermit,
}

struct Incoming {
    partial: NamedTempFile,
    hasher: blake3::Hasher,
}

impl Incoming {
    /// Hashes and writes off the runtime, where many files wait for their bytes.
    async fn write(mut self, piece: Piece, to: &Path) -> Result<Self> {
        let to = to.to_owned();
        let write = move || {
            for chunk in &piece.chunks {
                self.hasher.update(chunk);
                self.partial.write_all(chunk).map_err(FarmError::io("write", &to))?;
            }
            Ok(self)
        };
        tokio::task::spawn_blocking(write).await.map_err(|_| FarmError::Cancelled)?
    }
}

/// A temporary file is for its owner alone; a frame is for whoever may read its folder.
#[cfg(unix)]
fn make_readable(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn make_readable(_path: &Path) -> std::io::Result<()> {
    Ok(())
}
