use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::error::{BlendError, Result};
use crate::limits;

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

/// The decompressed bytes of a file, on disk, with random access.
///
/// A compressed file is unfolded once into an unnamed temporary file, so that memory stays flat.
#[derive(Debug)]
pub(crate) struct Source {
    path: PathBuf,
    file: BufReader<File>,
    size_bytes: u64,
    compression: Compression,
}

impl Source {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let mut original = File::open(path).map_err(BlendError::io("open", path))?;
        let mut magic = [0; 4];
        let read = read_up_to(&mut original, &mut magic).map_err(BlendError::io("read", path))?;
        original.seek(SeekFrom::Start(0)).map_err(BlendError::io("read", path))?;
        let compression = match magic.get(..read) {
            Some([0x1f, 0x8b, ..]) => Compression::Gzip,
            Some([0x28, 0xb5, 0x2f, 0xfd]) => Compression::Zstandard,
            _ => Compression::None,
        };
        let file = match compression {
            Compression::None => original,
            Compression::Gzip => {
                unfold(flate2::bufread::MultiGzDecoder::new(BufReader::new(original)), path)?
            }
            Compression::Zstandard => {
                let decoder = zstd::Decoder::new(original).map_err(BlendError::io("read", path))?;
                unfold(decoder, path)?
            }
        };
        let size_bytes = file.metadata().map_err(BlendError::io("read", path))?.len();
        Ok(Self {
            path: path.to_owned(),
            file: BufReader::with_capacity(1 << 16, file),
            size_bytes,
            compression,
        })
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
        self.seek(offset)?;
        read_up_to(&mut self.file, buffer).map_err(BlendError::io("read", &self.path))
    }

    /// Copies `size_bytes` from `offset` to `to`.
    pub(crate) fn copy(
        &mut self,
        offset: u64,
        size_bytes: u64,
        to: &mut impl Write,
        to_path: &Path,
    ) -> Result<()> {
        self.seek(offset)?;
        let copied = io::copy(&mut (&mut self.file).take(size_bytes), to)
            .map_err(BlendError::io("write", to_path))?;
        if copied != size_bytes {
            return Err(BlendError::damaged(
                &self.path,
                offset,
                format!("{size_bytes} bytes"),
                format!("{copied} bytes: the file ends there"),
            ));
        }
        Ok(())
    }

    /// Moves without dropping what is buffered, so that small steps forward cost no system call.
    fn seek(&mut self, offset: u64) -> Result<()> {
        let at = self.file.stream_position().map_err(BlendError::io("read", &self.path))?;
        let step = i64::try_from(i128::from(offset) - i128::from(at)).map_err(|_| {
            BlendError::damaged(&self.path, offset, "an offset inside the file", "one beyond 2^63")
        })?;
        self.file.seek_relative(step).map_err(BlendError::io("read", &self.path))
    }
}

fn unfold(decoder: impl Read, path: &Path) -> Result<File> {
    let mut file =
        tempfile::tempfile().map_err(BlendError::io("make a temporary copy of", path))?;
    let limit = limits::DECOMPRESSED_SIZE_BYTES;
    let written = io::copy(&mut decoder.take(limit + 1), &mut file)
        .map_err(BlendError::io("decompress", path))?;
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

fn read_up_to(from: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..) {
        if rest.is_empty() {
            break;
        }
        match from.read(rest) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
