//! Where the blocks of a file are.

use crate::block::{Block, BlockCode, RawBlockHeader};
use crate::error::{BlendError, Result};
use crate::header::{BlockHeaderForm, Header};
use crate::limits;
use crate::source::Source;

/// How much of the end of a file is searched for the DNA; that of Blender 5.2 has 140 KB.
const DNA_SEARCH_BYTES: u64 = 192 << 10;

/// Finds the DNA from the end of the file, where Blender writes it last, before the end block.
pub(crate) fn find_dna(source: &mut Source, header: &Header) -> Result<Option<Block>> {
    let size_bytes = source.size_bytes();
    let from = size_bytes.saturating_sub(DNA_SEARCH_BYTES);
    let mut end = vec![0; usize::try_from(size_bytes - from).unwrap_or(0)];
    let read = source.read_at(from, &mut end)?;
    let end = end.get(..read).unwrap_or_default();
    let header_bytes = header.block_header_form.size_bytes();
    let found = memchr::memmem::rfind_iter(end, b"DNA1");
    Ok(found.take(16).find_map(|at| {
        let raw = RawBlockHeader::parse(end.get(at..)?, header)?;
        let payload = at + header_bytes;
        let behind = payload.checked_add(usize::try_from(raw.size_bytes).ok()?)?;
        let is_last = end.get(behind..)?.starts_with(b"ENDB");
        let is_dna = end.get(payload..)?.starts_with(b"SDNA");
        (is_last && is_dna).then_some(())?;
        raw.at(from + payload as u64)
    }))
}

/// Indexes a whole file whose DNA stands elsewhere.
pub(crate) fn index_to_the_dna(
    source: &mut Source,
    header: &Header,
    blocks: &mut Vec<Block>,
    next_offset: &mut Option<u64>,
) -> Result<Block> {
    while index_one(source, header, blocks, next_offset, false)? {}
    blocks.iter().rev().find(|block| block.code == BlockCode::DNA).copied().ok_or_else(|| {
        let end = source.size_bytes();
        BlendError::damaged(source.path(), end, "a DNA1 block", "none in the whole file")
    })
}

/// Reads the header of the next block; false where there is none. `has_dna` tells whether the DNA came
/// before the blocks that are still known.
pub(crate) fn index_one(
    source: &mut Source,
    header: &Header,
    blocks: &mut Vec<Block>,
    next_offset: &mut Option<u64>,
    has_dna: bool,
) -> Result<bool> {
    let Some(at) = *next_offset else { return Ok(false) };
    let form = header.block_header_form;
    let mut bytes = [0; BlockHeaderForm::MAX_SIZE_BYTES];
    let bytes = bytes.get_mut(..form.size_bytes()).unwrap_or_default();
    let read = source.read_header_at(at, bytes)?;
    let raw = bytes.get(..read).and_then(|bytes| RawBlockHeader::parse(bytes, header));
    let Some(raw) = raw else {
        // Blender reads a file whose end block is cut off; so do we, if the DNA was there.
        let is_dna = |block: &Block| block.code == BlockCode::DNA;
        if read == 0 && (has_dna || blocks.iter().any(is_dna)) {
            *next_offset = None;
            return Ok(false);
        }
        return Err(BlendError::damaged(
            source.path(),
            at,
            "a block header",
            "the end of the file",
        ));
    };
    if raw.code == BlockCode::END {
        *next_offset = None;
        return Ok(false);
    }
    let payload_offset = at + form.size_bytes() as u64;
    let left = source.size_bytes().saturating_sub(payload_offset);
    let Some(block) = raw.at(payload_offset).filter(|block| block.size_bytes <= left) else {
        return Err(BlendError::damaged(
            source.path(),
            at,
            format!("a block of at most {left} bytes"),
            format!(
                "{:?} of {} bytes, struct {}, count {}",
                raw.code, raw.size_bytes, raw.struct_index, raw.count
            ),
        ));
    };
    if blocks.len() == limits::BLOCK_COUNT {
        return Err(BlendError::TooLarge {
            path: source.path().to_owned(),
            offset: at,
            what: "the count of blocks",
            got: limits::BLOCK_COUNT as u64 + 1,
            limit: limits::BLOCK_COUNT as u64,
        });
    }
    blocks.push(block);
    *next_offset = Some(payload_offset + block.size_bytes);
    Ok(true)
}
