use std::io::Write;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use crate::block::{Block, BlockCode};
use crate::dna::{Dna, DnaCache};
use crate::error::{BlendError, Result};
use crate::header::Header;
use crate::index::{find_dna, index_one, index_to_the_dna};
use crate::limits;
use crate::payload::Payload;
use crate::source::{Compression, Source};
use crate::view::StructView;

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
    /// Whether the DNA was among the blocks that are forgotten.
    forgot_dna: bool,
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
        Ok(Self { source, header, blocks, dna, next_offset, given_out: 0, forgot_dna: false })
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

    /// Drops the blocks before one that [`BlendFile::next_block`] gave: its place is 0 from now on.
    /// Who reads a file from the beginning to the end needs no more memory than that.
    pub fn forget_before(&mut self, index: usize) {
        let count = index.min(self.given_out).min(self.blocks.len());
        self.forgot_dna |= self.blocks.drain(..count).any(|block| block.code == BlockCode::DNA);
        self.given_out -= count;
    }

    fn index_next(&mut self) -> Result<bool> {
        let has_dna = self.forgot_dna;
        index_one(&mut self.source, &self.header, &mut self.blocks, &mut self.next_offset, has_dna)
    }

    /// The file on disk.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.source.path()
    }

    /// How large it is without compression, in bytes.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.source.size_bytes()
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
    /// one behind it, which is cheaper than to come back for it; gives its place in `memory`, at
    /// whose end it is put.
    ///
    /// # Errors
    /// Those of [`BlendFile::payload`].
    pub fn payload_on_the_way(
        &mut self,
        block: &Block,
        memory: &mut Vec<u8>,
    ) -> Result<Range<usize>> {
        let start = memory.len();
        append_payload(&mut self.source, block, memory, Source::read_header_at)?;
        Ok(start..memory.len())
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
        let payload = Payload::new(read_payload(&mut self.source, block)?);
        Ok(self.views(block, &payload).next())
    }

    /// The structs of a block whose payload was read; none where the DNA does not know them.
    pub fn views(
        &self,
        block: &Block,
        payload: &Payload,
    ) -> impl Iterator<Item = StructView> + use<> {
        let index = usize::try_from(block.struct_index).unwrap_or(usize::MAX);
        let size_bytes = self.dna.structs().get(index).map_or(0, |structure| structure.size_bytes);
        // A header may claim any count: the payload decides how many there are.
        let fitting = payload.bytes().len().checked_div(size_bytes).unwrap_or(0);
        let count = fitting.min(usize::try_from(block.count).unwrap_or(usize::MAX));
        let (dna, payload) = (Arc::clone(&self.dna), payload.clone());
        let (block, header) = (*block, self.header);
        (0..count).map(move |number| {
            let origin = number * size_bytes;
            StructView::new(Arc::clone(&dna), index, block, payload.clone(), origin, &header)
        })
    }
}

fn read_payload(source: &mut Source, block: &Block) -> Result<Vec<u8>> {
    let mut payload = Vec::new();
    append_payload(source, block, &mut payload, Source::read_at)?;
    Ok(payload)
}

fn append_payload(
    source: &mut Source,
    block: &Block,
    memory: &mut Vec<u8>,
    read: impl FnOnce(&mut Source, u64, &mut [u8]) -> Result<usize>,
) -> Result<()> {
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
    let start = memory.len();
    memory.resize(start.saturating_add(size), 0);
    let payload = memory.get_mut(start..).unwrap_or_default();
    let read = read(source, block.payload_offset, payload)?;
    if read != size {
        return Err(BlendError::damaged(
            source.path(),
            block.payload_offset,
            format!("{size} bytes"),
            format!("{read} bytes: the file ends there"),
        ));
    }
    Ok(())
}
