use std::path::Path;
use std::sync::Arc;

use crate::block::{Block, BlockCode, RawBlockHeader};
use crate::dna::{Dna, DnaCache};
use crate::error::{BlendError, Result};
use crate::header::Header;
use crate::limits;
use crate::source::{Compression, Source};
use crate::view::StructView;

/// An open `.blend` file: its header, the index of its blocks, and its DNA.
#[derive(Debug)]
pub struct BlendFile {
    pub(crate) source: Source,
    header: Header,
    blocks: Vec<Block>,
    dna: Arc<Dna>,
}

impl BlendFile {
    /// Opens a plain, gzip or Zstandard file and indexes its blocks without reading payloads.
    ///
    /// # Errors
    /// [`BlendError::Io`] where it cannot be read, [`BlendError::Damaged`] and
    /// [`BlendError::TooLarge`] where it is not a sound `.blend` file.
    pub fn open(path: &Path) -> Result<Self> {
        Self::open_with(path, &DnaCache::default())
    }

    /// Opens one of many files, whose descriptions of structs are mostly the same.
    ///
    /// # Errors
    /// Those of [`BlendFile::open`].
    pub fn open_with(path: &Path, known: &DnaCache) -> Result<Self> {
        let mut source = Source::open(path)?;
        let mut start = [0; Header::MAX_SIZE_BYTES];
        let read = source.read_at(0, &mut start)?;
        let header = Header::parse(start.get(..read).unwrap_or_default(), path)?;
        let (blocks, dna_block) = index(&mut source, &header)?;
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
        Ok(Self { source, header, blocks, dna })
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

    /// Every block in the order of the file.
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

    /// Reads the first struct of a block; `None` where the DNA does not know it.
    ///
    /// # Errors
    /// Those of [`BlendFile::payload`].
    pub fn view(&mut self, block: &Block) -> Result<Option<StructView>> {
        let payload = Arc::new(read_payload(&mut self.source, block)?);
        Ok(self.views(block, &payload).next())
    }

    /// The structs of a block whose payload was read; none where the DNA does not know them.
    pub fn views(&self, block: &Block, payload: &Arc<Vec<u8>>) -> impl Iterator<Item = StructView> {
        let index = usize::try_from(block.struct_index).unwrap_or(usize::MAX);
        let size_bytes = self.dna.structs().get(index).map_or(0, |structure| structure.size_bytes);
        // A header may claim any count: the payload decides how many there are.
        let fitting = payload.len().checked_div(size_bytes).unwrap_or(0);
        let count = fitting.min(usize::try_from(block.count).unwrap_or(usize::MAX));
        (0..count).map(move |number| {
            StructView::new(
                Arc::clone(&self.dna),
                index,
                *block,
                Arc::clone(payload),
                number * size_bytes,
                &self.header,
            )
        })
    }
}

fn index(source: &mut Source, header: &Header) -> Result<(Vec<Block>, Block)> {
    let form = header.block_header_form;
    let mut blocks = Vec::new();
    let mut dna = None;
    let mut at = header.size_bytes as u64;
    let mut bytes = vec![0; form.size_bytes()];
    loop {
        let path = source.path().to_owned();
        let damaged = |expected: &str, got: String| BlendError::damaged(&path, at, expected, got);
        let read = source.read_at(at, &mut bytes)?;
        let raw = bytes.get(..read).and_then(|bytes| RawBlockHeader::parse(bytes, header));
        let Some(raw) = raw else {
            // Blender reads a file whose end block is cut off; so do we, if the DNA was there.
            if read == 0 && dna.is_some() {
                break;
            }
            return Err(damaged("a block header", "the end of the file".into()));
        };
        if raw.code == BlockCode::END {
            break;
        }
        let payload_offset = at + form.size_bytes() as u64;
        let left = source.size_bytes().saturating_sub(payload_offset);
        let size_bytes = u64::try_from(raw.size_bytes).ok().filter(|size| *size <= left);
        let (Some(size_bytes), Ok(struct_index), Ok(count)) =
            (size_bytes, u32::try_from(raw.struct_index), u64::try_from(raw.count))
        else {
            return Err(damaged(
                &format!("a block of at most {left} bytes"),
                format!(
                    "{:?} of {} bytes, struct {}, count {}",
                    raw.code, raw.size_bytes, raw.struct_index, raw.count
                ),
            ));
        };
        let block = Block {
            code: raw.code,
            payload_offset,
            size_bytes,
            old_address: raw.old_address,
            struct_index,
            count,
        };
        if raw.code == BlockCode::DNA {
            dna = Some(block);
        }
        if blocks.len() == limits::BLOCK_COUNT {
            return Err(BlendError::TooLarge {
                path,
                offset: at,
                what: "the count of blocks",
                got: limits::BLOCK_COUNT as u64 + 1,
                limit: limits::BLOCK_COUNT as u64,
            });
        }
        blocks.push(block);
        at = payload_offset + size_bytes;
    }
    let dna = dna.ok_or_else(|| {
        BlendError::damaged(source.path(), at, "a DNA1 block", "none in the whole file")
    })?;
    Ok((blocks, dna))
}

fn read_payload(source: &mut Source, block: &Block) -> Result<Vec<u8>> {
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
    let read = source.read_at(block.payload_offset, &mut payload)?;
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
