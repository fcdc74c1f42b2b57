use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use crate::block::{Block, BlockCode, RawBlockHeader};
use crate::dna::{Dna, DnaCache};
use crate::error::{BlendError, Result};
use crate::header::{BlockHeaderForm, Header};
use crate::limits;
use crate::source::{Compression, Source};
use crate::view::StructView;

/// How much of the end of a file is searched for the DNA; that of Blender 5.2 has 140 KB.
const DNA_SEARCH_BYTES: u64 = 192 << 10;

/// An open `.blend` file: its header, the index of its blocks, and its DNA.
#[derive(Debug)]
pub struct BlendFile {
    pub(crate) source: Source,
    header: Header,
    blocks: Vec<Block>,
    dna: Arc<Dna>,
    /// Where the next block begins; `None` behind the last one.
    next_offset: Option<u64>,
    /// How many blocks [`BlendFile::next_block`] has given out.
    given_out: usize,
}

impl BlendFile {
    /// Opens a plain, gzip or Zstandard file and indexes its blocks without reading payloads.
    ///
    /// # Errors
    /// [`BlendError::Io`] where it cannot be read, [`BlendError::Damaged`] and
    /// [`BlendError::TooLarge`] where it is not a sound `.blend` file.
    pub fn open(path: &Path) -> Result<Self> {
        let mut file = Self::begin(path, &DnaCache::default())?;
        while file.index_next()? {}
        Ok(file)
    }

    /// Opens one of many files, whose DNA is mostly the same, and indexes nothing yet:
    /// [`BlendFile::next_block`] does, so that a compressed file is decoded once.
    ///
    /// # Errors
    /// Those of [`BlendFile::open`].
    pub fn begin(path: &Path, known: &DnaCache) -> Result<Self> {
        let mut source = Source::open(path)?;
        let mut start = [0; Header::MAX_SIZE_BYTES];
        let read = source.read_header_at(0, &mut start)?;
        let header = Header::parse(start.get(..read).unwrap_or_default(), path)?;
        let mut blocks = Vec::new();
        let mut next_offset = Some(header.size_bytes as u64);
        let dna_block = match find_dna(&mut source, &header)? {
            Some(block) => block,
            None => index_to_the_dna(&mut source, &header, &mut blocks, &mut next_offset)?,
        };
        if dna_block.size_bytes > limits::DNA_SIZE_BYTES {
            return Err(BlendError::TooLarge {
                path: path.to_owned(),
                offset: dna_block.payload_offset,
                what: "the DNA",
                got: dna_block.size_bytes,
                limit: limits::DNA_SIZE_BYTES,
            });
        }
        let payload = read_payload(&mut source, &dna_block)?;
        let dna = known.get_or_parse(payload, |payload| {
            Dna::parse(
                payload,
                dna_block.payload_offset,
                path,
                header.byte_order,
                header.pointer_width,
            )
        })?;
        Ok(Self { source, header, blocks, dna, next_offset, given_out: 0 })
    }

    /// Indexes one more block; gives its place among [`BlendFile::blocks`], `None` at the end.
    ///
    /// # Errors
    /// Those of [`BlendFile::open`].
    pub fn next_block(&mut self) -> Result<Option<usize>> {
        if self.given_out == self.blocks.len() && !self.index_next()? {
            return Ok(None);
        }
        self.given_out += 1;
        Ok(Some(self.given_out - 1))
    }

    fn index_next(&mut self) -> Result<bool> {
        index_one(&mut self.source, &self.header, &mut self.blocks, &mut self.next_offset)
    }

    /// The file on disk.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.source.path()
    }

    /// How it is compressed.
    #[must_use]
    pub fn compression(&self) -> Compression {
        self.source.compression()
    }

    /// Its header.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Its struct descriptions.
    #[must_use]
    pub fn dna(&self) -> &Arc<Dna> {
        &self.dna
    }

    /// Every block that is indexed, in the order of the file.
    #[must_use]
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// The blocks of one code, in the order of the file.
    pub fn blocks_of(&self, code: BlockCode) -> impl Iterator<Item = Block> + '_ {
        self.blocks.iter().filter(move |block| block.code == code).copied()
    }

    /// Reads a block's payload.
    ///
    /// # Errors
    /// [`BlendError::TooLarge`] above [`limits::PAYLOAD_SIZE_BYTES`], [`BlendError::Damaged`]
    /// where the file ends before the payload does.
    pub fn payload(&mut self, block: &Block) -> Result<Vec<u8>> {
        read_payload(&mut self.source, block)
    }

    /// Reads the payload of the block that [`BlendFile::next_block`] gave last, on the way to the
    /// one behind it: cheaper than to come back for it.
    ///
    /// # Errors
    /// Those of [`BlendFile::payload`].
    pub fn payload_on_the_way(&mut self, block: &Block) -> Result<Vec<u8>> {
        read_payload_by(&mut self.source, block, Source::read_header_at)
    }

    /// Copies a block's payload, of any size, to `to`; `to_path` is for the errors.
    ///
    /// # Errors
    /// [`BlendError::Io`] where it cannot be written, and those of [`BlendFile::payload`] but for
    /// the bound.
    pub fn copy_payload(
        &mut self,
        block: &Block,
        to: &mut impl Write,
        to_path: &Path,
    ) -> Result<()> {
        self.source.copy(block.payload_offset, block.size_bytes, to, to_path)
    }

    /// Reads the first struct of a block; `None` where the DNA does not know it.
    ///
    /// # Errors
    /// Those of [`BlendFile::payload`].
    pub fn view(&mut self, block: &Block) -> Result<Option<StructView>> {
        let payload = Arc::new(read_payload(&mut self.source, block)?);
        Ok(self.views(block, &payload).next())
    }

    /// The structs of a block whose payload was read; none where the DNA does not know them.
    pub fn views(
        &self,
        block: &Block,
        payload: &Arc<Vec<u8>>,
    ) -> impl Iterator<Item = StructView> + use<> {
        let index = usize::try_from(block.struct_index).unwrap_or(usize::MAX);
        let size_bytes = self.dna.structs().get(index).map_or(0, |structure| structure.size_bytes);
        // A header may claim any count: the payload decides how many there are.
        let fitting = payload.len().checked_div(size_bytes).unwrap_or(0);
        let count = fitting.min(usize::try_from(block.count).unwrap_or(usize::MAX));
        let (dna, payload) = (Arc::clone(&self.dna), Arc::clone(payload));
        let (block, header) = (*block, self.header);
        (0..count).map(move |number| {
            let origin = number * size_bytes;
            StructView::new(Arc::clone(&dna), index, block, Arc::clone(&payload), origin, &header)
        })
    }
}

/// Finds the DNA from the end of the file, where Blender writes it last, before the end block.
fn find_dna(source: &mut Source, header: &Header) -> Result<Option<Block>> {
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
fn index_to_the_dna(
    source: &mut Source,
    header: &Header,
    blocks: &mut Vec<Block>,
    next_offset: &mut Option<u64>,
) -> Result<Block> {
    while index_one(source, header, blocks, next_offset)? {}
    blocks.iter().rev().find(|block| block.code == BlockCode::DNA).copied().ok_or_else(|| {
        let end = source.size_bytes();
        BlendError::damaged(source.path(), end, "a DNA1 block", "none in the whole file")
    })
}

/// Reads the header of the next block; false where there is none.
fn index_one(
    source: &mut Source,
    header: &Header,
    blocks: &mut Vec<Block>,
    next_offset: &mut Option<u64>,
) -> Result<bool> {
    let Some(at) = *next_offset else { return Ok(false) };
    let form = header.block_header_form;
    let mut bytes = [0; BlockHeaderForm::MAX_SIZE_BYTES];
    let bytes = bytes.get_mut(..form.size_bytes()).unwrap_or_default();
    let read = source.read_header_at(at, bytes)?;
    let raw = bytes.get(..read).and_then(|bytes| RawBlockHeader::parse(bytes, header));
    let Some(raw) = raw else {
        // Blender reads a file whose end block is cut off; so do we, if the DNA was there.
        if read == 0 && blocks.iter().any(|block| block.code == BlockCode::DNA) {
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

fn read_payload(source: &mut Source, block: &Block) -> Result<Vec<u8>> {
    read_payload_by(source, block, Source::read_at)
}

fn read_payload_by(
    source: &mut Source,
    block: &Block,
    read: impl FnOnce(&mut Source, u64, &mut [u8]) -> Result<usize>,
) -> Result<Vec<u8>> {
    if block.size_bytes > limits::PAYLOAD_SIZE_BYTES {
        return Err(BlendError::TooLarge {
            path: source.path().to_owned(),
            offset: block.payload_offset,
            what: "a block",
            got: block.size_bytes,
            limit: limits::PAYLOAD_SIZE_BYTES,
        });
    }
    let size = usize::try_from(block.size_bytes).unwrap_or(usize::MAX);
    let mut payload = vec![0; size];
    let read = read(source, block.payload_offset, &mut payload)?;
    if read != size {
        return Err(BlendError::damaged(
            source.path(),
            block.payload_offset,
            format!("{size} bytes"),
            format!("{read} bytes: the file ends there"),
        ));
    }
    Ok(payload)
}
