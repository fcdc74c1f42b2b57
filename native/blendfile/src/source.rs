use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::error::{BlendError, Result};
use crate::limits;
use crate::seekable::SeekableReader;
use crate::window::{Window, read_up_to};

/// How a `.blend` file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// gzip: what Blender wrote with *Compress* until 2.93.
    Gzip,
    /// Zstandard frames, with a seek table behind them: since 3.0.
    Zstandard,
}

/// The decompressed bytes of a file with random access, never all in memory.
#[derive(Debug)]
pub(crate) struct Source {
    path: PathBuf,
    bytes: Bytes,
    size_bytes: u64,
    compression: Compression,
}

#[derive(Debug)]
enum Bytes {
    /// A plain file; or a compressed one without a seek table, unfolded once into an unnamed
    /// temporary file. Headers are read straight through, payloads here and there behind.
    File { file: File, headers: Window, payloads: Window },
    /// Zstandard with a seek table, decoded frame by frame.
    Seekable(Box<SeekableReader>),
}

/// How much is decoded at once.
const UNFOLDED_BYTES: usize = 1 << 20;

impl Source {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let found = std::fs::metadata(path).map_err(BlendError::io("open", path))?;
        if !found.is_file() {
            // A pipe would be waited for without end.
            let other = io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file");
            return Err(BlendError::io("open", path)(other));
        }
        let mut original = File::open(path).map_err(BlendError::io("open", path))?;
        let mut magic = [0; 4];
        let read = read_up_to(&mut original, &mut magic).map_err(BlendError::io("read", path))?;
        original.seek(SeekFrom::Start(0)).map_err(BlendError::io("read", path))?;
        let compression = match magic.get(..read) {
            Some([0x1f, 0x8b, ..]) => Compression::Gzip,
            Some([0x28, 0xb5, 0x2f, 0xfd]) => Compression::Zstandard,
            _ => Compression::None,
        };
        let plain = |file| {
            let (headers, payloads) = (Window::default(), Window::default());
            Bytes::File { file, headers, payloads }
        };
        let bytes = match compression {
            Compression::None => plain(original),
            Compression::Gzip => {
                plain(unfold(flate2::bufread::MultiGzDecoder::new(BufReader::new(original)), path)?)
            }
            Compression::Zstandard => match SeekableReader::open(original, path)? {
                Ok(seekable) => Bytes::Seekable(Box::new(seekable)),
                Err(stream) => {
                    let decoder =
                        zstd::Decoder::new(stream).map_err(BlendError::io("read", path))?;
                    plain(unfold(decoder, path)?)
                }
            },
        };
        let size_bytes = match &bytes {
            Bytes::File { file, .. } => {
                file.metadata().map_err(BlendError::io("read", path))?.len()
            }
            Bytes::Seekable(seekable) => seekable.size_bytes(),
        };
        Ok(Self { path: path.to_owned(), bytes, size_bytes, compression })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    pub(crate) fn compression(&self) -> Compression {
        self.compression
    }

    /// Reads up to `buffer.len()` bytes at `offset`; fewer only at the end of the file.
    pub(crate) fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        match &mut self.bytes {
            Bytes::File { file, payloads, .. } => {
                payloads.read_at(file, offset, buffer).map_err(BlendError::io("read", &self.path))
            }
            Bytes::Seekable(seekable) => seekable.read_at(offset, buffer),
        }
    }

    /// The same for what is read from the beginning to the end, beside other reads.
    pub(crate) fn read_header_at(&mut self, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        match &mut self.bytes {
            Bytes::File { file, headers, .. } => {
                headers.read_at(file, offset, buffer).map_err(BlendError::io("read", &self.path))
            }
            Bytes::Seekable(seekable) => seekable.read_at(offset, buffer),
        }
    }

    /// Copies `size_bytes` from `offset` to `to`.
    pub(crate) fn copy(
        &mut self,
        offset: u64,
        size_bytes: u64,
        to: &mut impl Write,
        to_path: &Path,
    ) -> Result<()> {
        let mut buffer = vec![0; usize::try_from(size_bytes.min(1 << 20)).unwrap_or(0)];
        let mut copied = 0;
        while copied < size_bytes {
            let wanted = usize::try_from(size_bytes - copied).unwrap_or(usize::MAX);
            let piece = buffer.len().min(wanted);
            let piece = buffer.get_mut(..piece).unwrap_or_default();
            let read = self.read_at(offset + copied, piece)?;
            if read == 0 {
                return Err(BlendError::damaged(
                    &self.path,
                    offset,
                    format!("{size_bytes} bytes"),
                    format!("{copied} bytes: the file ends there"),
                ));
            }
            let piece = piece.get(..read).unwrap_or_default();
            to.write_all(piece).map_err(BlendError::io("write", to_path))?;
            copied += read as u64;
        }
        Ok(())
    }
}

fn unfold(decoder: impl Read, path: &Path) -> Result<File> {
    let mut file =
        tempfile::tempfile().map_err(BlendError::io("make a temporary copy of", path))?;
    let limit = limits::DECOMPRESSED_SIZE_BYTES;
    let mut decoder = decoder.take(limit + 1);
    let (mut buffer, mut written) = (vec![0; UNFOLDED_BYTES], 0);
    loop {
        let count = read_up_to(&mut decoder, &mut buffer).map_err(|error| {
            BlendError::damaged(path, written, "compressed bytes that decode", error.to_string())
        })?;
        if count == 0 {
            break;
        }
        // What is no .blend file need not be unfolded to be refused.
        let is_other = written == 0 && !buffer.starts_with(b"BLENDER");
        file.write_all(buffer.get(..count).unwrap_or_default())
            .map_err(BlendError::io("make a temporary copy of", path))?;
        written += count as u64;
        if is_other {
            break;
        }
    }
    if written > limit {
        return Err(BlendError::TooLarge {
            path: path.to_owned(),
            offset: limit,
            what: "the decompressed size",
            got: written,
            limit,
        });
    }
    file.seek(SeekFrom::Start(0)).map_err(BlendError::io("read", path))?;
    Ok(file)
}
