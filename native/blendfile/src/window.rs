use std::fs::File;
use std::io::{self, Read};

/// What is read at most at once.
const STREAM_BYTES: usize = 64 << 10;

/// What is read at the least after a jump, and what it is rounded up to.
const JUMP_BYTES: usize = 512;

/// Between how many jumps the most that was wanted counts.
const RUNS: usize = 4;

/// A gap that counts as going on.
const GAP_BYTES: u64 = 512;

/// A piece of a file in memory, behind which reading usually goes on.
///
/// A file of a production repeats itself: small blocks, large ones that are jumped over, small ones
/// again. So after a jump as much is read as was wanted between the jumps before, and where that does
/// not suffice, each read is twice the one before.
#[derive(Debug, Default)]
pub(crate) struct Window {
    start: u64,
    bytes: Vec<u8>,
    filled: usize,
    read_bytes: usize,
    /// Where the last jump went to, and how far reading has gone since.
    run_start: u64,
    run_end: u64,
    /// How much was wanted between the jumps before, the last one first.
    runs: [u64; RUNS],
}

impl Window {
    /// Reads up to `buffer.len()` bytes at `offset`; fewer only at the end of the file.
    pub(crate) fn read_at(
        &mut self,
        file: &File,
        offset: u64,
        buffer: &mut [u8],
    ) -> io::Result<usize> {
        if buffer.len() >= STREAM_BYTES {
            return read_file_at(file, offset, buffer);
        }
        let goes_on = offset >= self.run_start && offset <= self.run_end.saturating_add(GAP_BYTES);
        if !goes_on {
            self.runs.rotate_right(1);
            if let Some(last) = self.runs.first_mut() {
                *last = self.run_end - self.run_start;
            }
            (self.run_start, self.run_end) = (offset, offset);
        }
        self.run_end = self.run_end.max(offset.saturating_add(buffer.len() as u64));
        if !self.holds(offset, buffer.len()) {
            self.read_bytes = if goes_on {
                (2 * self.read_bytes).min(STREAM_BYTES)
            } else {
                let wanted = self.runs.iter().max().copied().unwrap_or(0);
                let wanted = usize::try_from(wanted).unwrap_or(STREAM_BYTES).min(STREAM_BYTES);
                wanted.next_multiple_of(JUMP_BYTES).max(JUMP_BYTES)
            };
            self.bytes.resize(STREAM_BYTES, 0);
            self.filled = 0;
            let size = self.read_bytes.max(buffer.len());
            let room = self.bytes.get_mut(..size).unwrap_or_default();
            self.filled = read_file_at(file, offset, room)?;
            self.start = offset;
        }
        let skip = usize::try_from(offset - self.start).unwrap_or(usize::MAX);
        let there = self.bytes.get(skip..self.filled).unwrap_or_default();
        let count = there.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), there.get(..count)) {
            to.copy_from_slice(from);
        }
        Ok(count)
    }

    fn holds(&self, offset: u64, size: usize) -> bool {
        let is_inside = |end| end <= self.behind();
        offset >= self.start && offset.checked_add(size as u64).is_some_and(is_inside)
    }

    fn behind(&self) -> u64 {
        self.start + self.filled as u64
    }
}

/// Reads at a place until the buffer is full or the file ends.
fn read_file_at(file: &File, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
    read_up_to(&mut FileFrom { file, offset }, buffer)
}

/// A file from a place on, read without moving the place at which others read it.
struct FileFrom<'a> {
    file: &'a File,
    offset: u64,
}

impl Read for FileFrom<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        #[cfg(unix)]
        let read = std::os::unix::fs::FileExt::read_at(self.file, buffer, self.offset)?;
        #[cfg(windows)]
        let read = std::os::windows::fs::FileExt::seek_read(self.file, buffer, self.offset)?;
        self.offset += read as u64;
        Ok(read)
    }
}

/// Reads until the buffer is full or there is no more.
pub(crate) fn read_up_to(from: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
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
