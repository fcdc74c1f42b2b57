//! Objects into files: in ranges where they are large, several at once, checked on the way.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use protocol::Digest;
use tempfile::NamedTempFile;

use super::range_digest::{RANGE_BYTES, RangeDigest, RangeHasher, digest_of_ranges};
use crate::aws::storage::Storage;
use crate::error::{FarmError, Result};

/// How much of a range waits in memory: written in pieces of this size, while it is still in the
/// processor's cache.
const PIECE_BYTES: u64 = 1 << 20;

/// How many ranges of one file are on their way at the same time.
const RANGES_AT_ONCE: usize = 16;

/// The pauses before a range that broke off is asked for again.
const PAUSES: [Duration; 3] =
    [Duration::from_millis(200), Duration::from_secs(1), Duration::from_secs(3)];

impl Storage {
    /// Brings an object into a file of this machine and checks its digest on the way. The file
    /// appears whole, under its name, or not at all; folders above it are made.
    ///
    /// Large objects come in ranges of 4 MiB, several at the same time, each written where it
    /// belongs as it comes. Whatever breaks off or is answered with a fault is asked for again three
    /// times, and what arrives damaged once.
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
        let ranges: Vec<RangeDigest> = stream::iter(ranges_of(size_bytes))
            .map(|range| self.range(key, range, &partial, to))
            .buffered(RANGES_AT_ONCE)
            .try_collect()
            .await?;
        let got = digest_of_ranges(&ranges).map(|got| got.to_hex().to_string()).unwrap_or_default();
        if got != digest.as_str() {
            return Err(FarmError::Damaged {
                key: key.to_owned(),
                expected: digest.to_string(),
                got,
            });
        }
        make_readable(partial.path()).map_err(FarmError::io("write", to))?;
        partial.persist(to).map_err(|error| FarmError::io("write", to)(error.error))?;
        Ok(())
    }

    /// Brings one range of an object to its place in the file.
    async fn range(
        &self,
        key: &str,
        range: Range,
        partial: &NamedTempFile,
        to: &Path,
    ) -> Result<RangeDigest> {
        let in_memory = range.length.min(PIECE_BYTES).div_ceil(1024);
        let permits = u32::try_from(in_memory).unwrap_or(u32::MAX);
        let _held = self.incoming.acquire_many(permits).await.map_err(|_| FarmError::Cancelled)?;
        let mut pauses = PAUSES.into_iter();
        loop {
            let begun = RangeWriter::new(range, partial).map_err(FarmError::io("write", to))?;
            match self.range_once(key, range, begun, to).await {
                Err(error) if error.is_transient() => match pauses.next() {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => return Err(error),
                },
                ended => return ended,
            }
        }
    }

    async fn range_once(
        &self,
        key: &str,
        range: Range,
        mut writer: RangeWriter,
        to: &Path,
    ) -> Result<RangeDigest> {
        let header = (!range.is_whole_file).then(|| range.header());
        let get = self.client.get_object().bucket(&self.bucket).key(key).set_range(header);
        let damaged = |expected: String, got: String| FarmError::Damaged {
            key: key.to_owned(),
            expected,
            got,
        };
        let length = range.length;
        let got = get.send().await.map_err(|error| {
            // Whoever has said how large it is was wrong.
            if error.raw_response().is_some_and(|raw| raw.status().as_u16() == 416) {
                return damaged(format!("of {length} bytes more"), "its end".to_owned());
            }
            self.attempt("read from the bucket", key).error(error)
        });
        let mut body = got?.body;
        let (mut piece, mut in_piece, mut received) = (Vec::new(), 0, 0);
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(|error| self.broken_off(&error))?;
            let chunk_length = chunk.len() as u64;
            received += chunk_length;
            if received > length {
                return Err(FarmError::TooLarge { key: key.to_owned(), limit_bytes: length });
            }
            in_piece += chunk_length;
            piece.push(chunk);
            if in_piece >= PIECE_BYTES {
                writer = writer.write(std::mem::take(&mut piece), to).await?;
                in_piece = 0;
            }
        }
        if received < length {
            return Err(damaged(format!("of {length} bytes"), format!("{received} bytes")));
        }
        Ok(writer.write(piece, to).await?.hasher.finish())
    }
}

/// A part of a file that one request brings.
#[derive(Debug, Clone, Copy)]
struct Range {
    number: u64,
    length: u64,
    is_whole_file: bool,
}

impl Range {
    fn start(&self) -> u64 {
        self.number * RANGE_BYTES
    }

    fn header(&self) -> String {
        format!("bytes={}-{}", self.start(), self.start() + self.length - 1)
    }
}

fn ranges_of(size_bytes: u64) -> impl Iterator<Item = Range> {
    let count = size_bytes.div_ceil(RANGE_BYTES).max(1);
    (0..count).map(move |number| {
        let length = RANGE_BYTES.min(size_bytes - number * RANGE_BYTES);
        Range { number, length, is_whole_file: count == 1 }
    })
}

/// Writes a range where it belongs, through a handle with a position of its own.
struct RangeWriter {
    file: File,
    hasher: RangeHasher,
}

impl RangeWriter {
    fn new(range: Range, partial: &NamedTempFile) -> std::io::Result<Self> {
        let mut file = partial.reopen()?;
        file.seek(SeekFrom::Start(range.start()))?;
        Ok(Self { file, hasher: RangeHasher::new(range.number, range.is_whole_file) })
    }

    /// Hashes and writes off the runtime, where many files wait for their bytes.
    async fn write(mut self, piece: Vec<Bytes>, to: &Path) -> Result<Self> {
        let to = to.to_owned();
        let write = move || {
            for chunk in &piece {
                self.hasher.update(chunk);
                self.file.write_all(chunk).map_err(FarmError::io("write", &to))?;
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
