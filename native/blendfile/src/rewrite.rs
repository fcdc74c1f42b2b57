use std::collections::HashMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use crate::block::{Block, RawBlockHeader};
use crate::error::{BlendError, Result};
use crate::file::BlendFile;
use crate::header::ByteOrder;
use crate::place::{CharArray, Integer, Pointer};
use crate::seekable::SeekableWriter;

/// Changes to a `.blend` file, to be written to a copy.
///
/// Blocks keep their order, their addresses and every byte that is not changed.
#[derive(Debug, Default)]
pub struct Rewrite {
    payloads: HashMap<u64, Vec<u8>>,
}

impl Rewrite {
    /// Starts without changes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether there is nothing to change.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.payloads.is_empty()
    }

    /// Puts a string into a char array; the rest of the array becomes zero.
    ///
    /// # Errors
    /// [`BlendError::PathTooLong`] where it does not fit with its closing zero,
    /// [`BlendError::Damaged`] where the block ends before the array does.
    pub fn set_string(
        &mut self,
        file: &mut BlendFile,
        place: &CharArray,
        value: &[u8],
    ) -> Result<()> {
        if value.len() >= place.size_bytes {
            return Err(BlendError::PathTooLong {
                path: file.path().to_owned(),
                offset: place.block.payload_offset + place.offset as u64,
                value: String::from_utf8_lossy(value).into_owned(),
                capacity: place.size_bytes.saturating_sub(1),
            });
        }
        let array = self.field_of(file, &place.block, place.offset, place.size_bytes)?;
        array.fill(0);
        for (to, from) in array.iter_mut().zip(value) {
            *to = *from;
        }
        Ok(())
    }

    /// Puts a number where another one stands; of what is too large for it, the lowest bytes.
    ///
    /// # Errors
    /// [`BlendError::Damaged`] where the block ends before the number does.
    pub fn set_integer(&mut self, file: &mut BlendFile, place: &Integer, value: i32) -> Result<()> {
        let order = file.header().byte_order;
        let field = self.field_of(file, &place.block, place.offset, place.size_bytes)?;
        let bytes = value.to_le_bytes();
        let lowest = bytes.get(..field.len()).unwrap_or(&bytes);
        for (to, from) in field.iter_mut().zip(lowest) {
            *to = *from;
        }
        if order == ByteOrder::Big {
            field.reverse();
        }
        Ok(())
    }

    /// Makes a pointer lead nowhere.
    ///
    /// # Errors
    /// [`BlendError::Damaged`] where the block ends before the pointer does.
    pub fn clear_pointer(&mut self, file: &mut BlendFile, place: &Pointer) -> Result<()> {
        let width = file.header().pointer_width.bytes();
        self.field_of(file, &place.block, place.offset, width)?.fill(0);
        Ok(())
    }

    /// Replaces a whole block that is a zero-terminated string, whatever its length.
    pub fn replace_string_block(&mut self, block: &Block, value: &[u8]) {
        let mut payload = value.to_vec();
        payload.push(0);
        self.payloads.insert(block.payload_offset, payload);
    }

    /// Writes the changed file to `to`, compressed with Zstandard in frames with a seek table.
    ///
    /// # Errors
    /// [`BlendError::Io`] where `to` cannot be written or the source no longer be read.
    pub fn write(&self, file: &mut BlendFile, to: &Path) -> Result<()> {
        let output = File::create(to).map_err(BlendError::io("write", to))?;
        let mut writer = SeekableWriter::new(BufWriter::new(output));
        self.copy_blocks(file, &mut writer, to)?;
        let mut output = writer.finish().map_err(BlendError::io("write", to))?;
        output.flush().map_err(BlendError::io("write", to))
    }

    /// The bytes of a field in a block's payload, to be changed.
    fn field_of(
        &mut self,
        file: &mut BlendFile,
        block: &Block,
        offset: usize,
        size_bytes: usize,
    ) -> Result<&mut [u8]> {
        let path = file.path().to_owned();
        let end = offset.saturating_add(size_bytes);
        self.payload_of(file, block)?.get_mut(offset..end).ok_or_else(|| {
            BlendError::damaged(
                &path,
                block.payload_offset,
                format!("a block of at least {end} bytes"),
                block.size_bytes.to_string(),
            )
        })
    }

    fn payload_of(&mut self, file: &mut BlendFile, block: &Block) -> Result<&mut Vec<u8>> {
        use std::collections::hash_map::Entry;
        Ok(match self.payloads.entry(block.payload_offset) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(file.payload(block)?),
        })
    }

    fn copy_blocks(&self, file: &mut BlendFile, output: &mut impl Write, to: &Path) -> Result<()> {
        let header = *file.header();
        let header_size = header.block_header_form.size_bytes() as u64;
        let changed: Vec<Block> = file
            .blocks()
            .iter()
            .filter(|block| self.payloads.contains_key(&block.payload_offset))
            .copied()
            .collect();
        let mut at = 0;
        for block in changed {
            let Some(payload) = self.payloads.get(&block.payload_offset) else { continue };
            let header_offset = block.payload_offset - header_size;
            file.source.copy(at, header_offset - at, output, to)?;
            let mut bytes = Vec::new();
            file.source.copy(header_offset, header_size, &mut bytes, to)?;
            if !RawBlockHeader::set_size(&mut bytes, payload.len() as u64, &header) {
                return Err(BlendError::damaged(
                    file.path(),
                    header_offset,
                    "a size below 2 GiB",
                    payload.len().to_string(),
                ));
            }
            output.write_all(&bytes).map_err(BlendError::io("write", to))?;
            output.write_all(payload).map_err(BlendError::io("write", to))?;
            at = block.payload_offset + block.size_bytes;
        }
        let rest = file.source.size_bytes() - at;
        file.source.copy(at, rest, output, to)
    }
}
