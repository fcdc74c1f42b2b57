//! Zstandard in frames with a seek table behind them: what Blender has written since 3.0.
//!
//! | part            | content                                                              |
//! |-----------------|----------------------------------------------------------------------|
//! | frames          | each decodes by itself; Blender's hold about 1 MiB                   |
//! | skippable frame | magic `0x184D2A5E`, size, 4 bytes each                               |
//! | entries         | for each frame: compressed size, decompressed size, 4 bytes each,    |
//! |                 | and a checksum of 4 bytes where bit 7 of the descriptor is set       |
//! | footer          | count of frames (4), descriptor (1), magic `0x8F92EAB1` (4)          |
//!
//! All numbers are little-endian. Source: `zstd_seekable_compression_format.md`, zstd 1.5, and
//! `filereader_zstd.cc`, Blender 5.0.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::block::read_u32;
use crate::error::{BlendError, Result};
use crate::header::ByteOrder;
use crate::limits;

const SKIPPABLE_MAGIC: u32 = 0x184D_2A5E;
const SEEKABLE_MAGIC: u32 = 0x8F92_EAB1;
const FOOTER_BYTES: u64 = 9;
const CHECKSUM_FLAG: u8 = 0x80;

/// The most bytes of decoded frames that are kept.
const KEPT_BYTES: usize = 32 << 20;

/// The most bytes of a frame that is decoded by itself; a file with larger ones is streamed.
const FRAME_BYTES: u32 = 16 << 20;

/// From how many frames on a file is worth threads of its own. Smaller files come in numbers, and
/// several of those are read at the same time.
const FRAMES_FOR_THREADS: usize = 16;

/// What a frame written here holds.
const WRITTEN_FRAME_BYTES: usize = 1 << 20;

const LEVEL: i32 = 3;

/// Random access to the decompressed bytes; only the frames that are asked for are decoded.
#[derive(Debug)]
pub(crate) struct SeekableReader {
    path: PathBuf,
    file: File,
    frames: Vec<Frame>,
    size_bytes: u64,
    kept: VecDeque<(usize, Arc<Vec<u8>>)>,
    kept_bytes: usize,
    next_expected: usize,
}

#[derive(Debug, Clone, Copy)]
struct Frame {
    compressed_offset: u64,
    compressed_size: u32,
    offset: u64,
    size: u32,
}

impl SeekableReader {
    /// Reads the seek table; gives the file back where there is none, or none that can be used.
    pub(crate) fn open(mut file: File, path: &Path) -> Result<std::result::Result<Self, File>> {
        let frames = read_seek_table(&mut file).map_err(BlendError::io("read", path))?;
        let Some(frames) = frames else {
            file.seek(SeekFrom::Start(0)).map_err(BlendError::io("read", path))?;
            return Ok(Err(file));
        };
        let size_bytes = frames.last().map_or(0, |last| last.offset + u64::from(last.size));
        if size_bytes > limits::DECOMPRESSED_SIZE_BYTES {
            return Err(BlendError::TooLarge {
                path: path.to_owned(),
                offset: limits::DECOMPRESSED_SIZE_BYTES,
                what: "the decompressed size",
                got: size_bytes,
                limit: limits::DECOMPRESSED_SIZE_BYTES,
            });
        }
        Ok(Ok(Self {
            path: path.to_owned(),
            file,
            frames,
            size_bytes,
            kept: VecDeque::new(),
            kept_bytes: 0,
            next_expected: 0,
        }))
    }

    pub(crate) fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Reads up to `buffer.len()` bytes at `offset`; fewer only at the end.
    pub(crate) fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            let at = offset + filled as u64;
            if at >= self.size_bytes {
                break;
            }
            let index = self.frames.partition_point(|frame| frame.offset <= at).saturating_sub(1);
            let Some(frame) = self.frames.get(index).copied() else { break };
            let bytes = self.frame(index)?;
            let start = usize::try_from(at - frame.offset).unwrap_or(usize::MAX);
            let from = bytes.get(start..).unwrap_or_default();
            let Some(to) = buffer.get_mut(filled..) else { break };
            let count = from.len().min(to.len());
            let (Some(to), Some(from)) = (to.get_mut(..count), from.get(..count)) else { break };
            if count == 0 {
                break;
            }
            to.copy_from_slice(from);
            filled += count;
        }
        Ok(filled)
    }

    fn frame(&mut self, index: usize) -> Result<Arc<Vec<u8>>> {
        if let Some((_, bytes)) = self.kept.iter().rev().find(|(kept, _)| *kept == index) {
            return Ok(Arc::clone(bytes));
        }
        // Read straight through, the frames behind will be wanted too: decode as many at once as
        // there are processors. After a jump it is one frame alone.
        let is_sequential =
            index == self.next_expected && index != 0 && self.frames.len() >= FRAMES_FOR_THREADS;
        let count = if is_sequential {
            std::thread::available_parallelism().map_or(1, usize::from)
        } else {
            1
        };
        let last = index.saturating_add(count).min(self.frames.len());
        let batch: Vec<usize> = (index..last).collect();
        let compressed =
            batch.iter().map(|index| self.compressed(*index)).collect::<Result<Vec<_>>>()?;
        let decoded: Vec<io::Result<Vec<u8>>> = match compressed.as_slice() {
            [only] => vec![decode(only)],
            several => std::thread::scope(|scope| {
                let threads: Vec<_> =
                    several.iter().map(|one| scope.spawn(move || decode(one))).collect();
                threads
                    .into_iter()
                    .map(|thread| thread.join().unwrap_or_else(|_| Err(io::Error::other("panic"))))
                    .collect()
            }),
        };
        self.next_expected = last;
        let mut wanted = None;
        for (index, decoded) in batch.into_iter().zip(decoded).rev() {
            let frame = self.frames.get(index).copied();
            let expected = frame.map_or(0, |frame| frame.size as usize);
            let offset = frame.map_or(0, |frame| frame.offset);
            let bytes = decoded.ok().filter(|bytes| bytes.len() == expected).ok_or_else(|| {
                BlendError::damaged(
                    &self.path,
                    offset,
                    format!("a Zstandard frame of {expected} bytes"),
                    "one that does not decode to that",
                )
            })?;
            let bytes = Arc::new(bytes);
            self.kept_bytes += bytes.len();
            self.kept.push_back((index, Arc::clone(&bytes)));
            wanted = Some(bytes);
        }
        while self.kept_bytes > KEPT_BYTES
            && self.kept.len() > count
            && let Some((_, dropped)) = self.kept.pop_front()
        {
            self.kept_bytes -= dropped.len();
        }
        Ok(wanted.unwrap_or_default())
    }

    fn compressed(&mut self, index: usize) -> Result<(Vec<u8>, usize)> {
        let Some(frame) = self.frames.get(index).copied() else { return Ok((Vec::new(), 0)) };
        let mut bytes = vec![0; frame.compressed_size as usize];
        self.file
            .seek(SeekFrom::Start(frame.compressed_offset))
            .and_then(|_| self.file.read_exact(&mut bytes))
            .map_err(BlendError::io("read", &self.path))?;
        Ok((bytes, frame.size as usize))
    }
}

fn decode((bytes, size): &(Vec<u8>, usize)) -> io::Result<Vec<u8>> {
    zstd::bulk::decompress(bytes, *size)
}

/// `None` where the table is not there or does not describe this file.
fn read_seek_table(file: &mut File) -> io::Result<Option<Vec<Frame>>> {
    let order = ByteOrder::Little;
    let file_size = file.metadata()?.len();
    let Some(footer_offset) = file_size.checked_sub(FOOTER_BYTES) else { return Ok(None) };
    let mut footer = [0; 9];
    file.seek(SeekFrom::Start(footer_offset))?;
    file.read_exact(&mut footer)?;
    let (Some(count), Some(descriptor), Some(SEEKABLE_MAGIC)) =
        (read_u32(&footer, 0, order), footer.get(4), read_u32(&footer, 5, order))
    else {
        return Ok(None);
    };
    let entry_bytes: u8 = if descriptor & CHECKSUM_FLAG == 0 { 8 } else { 12 };
    let table_bytes = u64::from(count) * u64::from(entry_bytes) + 8;
    let Some(table_offset) = footer_offset.checked_sub(table_bytes) else { return Ok(None) };
    let mut table = vec![0; usize::try_from(table_bytes).unwrap_or(0)];
    file.seek(SeekFrom::Start(table_offset))?;
    file.read_exact(&mut table)?;
    if read_u32(&table, 0, order) != Some(SKIPPABLE_MAGIC) {
        return Ok(None);
    }
    let (mut compressed_offset, mut offset) = (0_u64, 0_u64);
    let mut frames = Vec::with_capacity(usize::try_from(count).unwrap_or(0));
    for entry in table.get(8..).unwrap_or_default().chunks(entry_bytes.into()) {
        let (Some(compressed_size), Some(size)) =
            (read_u32(entry, 0, order), read_u32(entry, 4, order))
        else {
            return Ok(None);
        };
        if size > FRAME_BYTES || compressed_size > FRAME_BYTES {
            return Ok(None);
        }
        frames.push(Frame { compressed_offset, compressed_size, offset, size });
        compressed_offset += u64::from(compressed_size);
        offset += u64::from(size);
    }
    Ok((compressed_offset == table_offset).then_some(frames))
}

/// Writes frames with a seek table, so that Blender and this crate read the result at random.
pub(crate) struct SeekableWriter<W: Write> {
    output: W,
    waiting: Vec<u8>,
    table: Vec<(u32, u32)>,
}

impl<W: Write> SeekableWriter<W> {
    pub(crate) fn new(output: W) -> Self {
        Self { output, waiting: Vec::with_capacity(WRITTEN_FRAME_BYTES), table: Vec::new() }
    }

    /// Writes what waits and the seek table.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.write_frame()?;
        let size = |length: usize| u32::try_from(length).map_err(io::Error::other);
        self.output.write_all(&SKIPPABLE_MAGIC.to_le_bytes())?;
        self.output.write_all(&size(self.table.len() * 8 + 9)?.to_le_bytes())?;
        for (compressed, decompressed) in &self.table {
            self.output.write_all(&compressed.to_le_bytes())?;
            self.output.write_all(&decompressed.to_le_bytes())?;
        }
        self.output.write_all(&size(self.table.len())?.to_le_bytes())?;
        self.output.write_all(&[0])?;
        self.output.write_all(&SEEKABLE_MAGIC.to_le_bytes())?;
        Ok(self.output)
    }

    fn write_frame(&mut self) -> io::Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let frame = zstd::bulk::compress(&self.waiting, LEVEL)?;
        self.output.write_all(&frame)?;
        let size = |length: usize| u32::try_from(length).map_err(io::Error::other);
        self.table.push((size(frame.len())?, size(self.waiting.len())?));
        self.waiting.clear();
        Ok(())
    }
}

impl<W: Write> Write for SeekableWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = WRITTEN_FRAME_BYTES - self.waiting.len();
        let taken = bytes.get(..room.min(bytes.len())).unwrap_or_default();
        self.waiting.extend_from_slice(taken);
        if self.waiting.len() == WRITTEN_FRAME_BYTES {
            self.write_frame()?;
        }
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}
