//! Reads a slice from its top to its end, a block of rows at a time: never more of it is in memory.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use exr::block::reader::{AllChunksReader, ChunksReader, SequentialBlockDecompressor};
use exr::meta::attribute::{AttributeValue, SampleType};
use exr::meta::header::Header;

use crate::error::{FramesError, Result};
use crate::layout::{MOST_CHANNELS, MOST_SIDE_PIXELS};

/// Most bytes of a block of rows.
const MOST_BLOCK_BYTES: usize = 1 << 30;

/// A slice that is being read.
pub(crate) struct SliceReader {
    path: PathBuf,
    header: Header,
    blocks: SequentialBlockDecompressor<AllChunksReader<BufReader<File>>>,
    /// How many rows have been read.
    rows_read: usize,
}

/// Rows of a slice.
pub(crate) struct Rows {
    /// The first row, from the top.
    pub(crate) first: usize,
    /// How many there are.
    pub(crate) count: usize,
    /// Row after row, channel after channel of each, pixel after pixel from the left.
    pub(crate) samples: Vec<f32>,
}

impl SliceReader {
    /// Opens a slice, and checks what is in it.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let file = BufReader::new(File::open(path).map_err(FramesError::io("open", path))?);
        let damaged = |error| FramesError::damaged(path, &error);
        let reader = exr::block::read(file, false).map_err(damaged)?;
        let misfit = |expected: String, got: String| {
            Err(FramesError::Misfit { path: path.to_owned(), expected, got })
        };
        let [header] = reader.headers() else {
            let got = format!("{} parts", reader.headers().len());
            return misfit("one part with all passes".into(), got);
        };
        if header.deep {
            return misfit("flat pixels".into(), "deep data, which cannot be put together".into());
        }
        let (width, height) = (header.layer_size.width(), header.layer_size.height());
        let sides = 1..=MOST_SIDE_PIXELS;
        if !sides.contains(&width) || !sides.contains(&height) {
            let got = format!("{width} × {height}");
            return misfit(format!("1 to {MOST_SIDE_PIXELS} pixels on a side"), got);
        }
        let channels = &header.channels.list;
        if !(1..=MOST_CHANNELS).contains(&channels.len()) {
            let got = channels.len().to_string();
            return misfit(format!("1 to {MOST_CHANNELS} channels"), got);
        }
        if let Some(other) = channels.iter().find(|channel| {
            channel.sample_type != SampleType::F32
                || (channel.sampling.x(), channel.sampling.y()) != (1, 1)
        }) {
            let got = format!("{} as {:?}", other.name, other.sample_type);
            return misfit("32-bit floats of each pixel".into(), got);
        }
        let block_bytes = header.max_block_byte_size();
        if block_bytes > MOST_BLOCK_BYTES {
            let got = format!("{block_bytes} bytes");
            return misfit(format!("rows of at most {MOST_BLOCK_BYTES} bytes"), got);
        }
        let header = header.clone();
        let blocks = reader.all_chunks(false).map_err(damaged)?.sequential_decompressor(false);
        Ok(Self { path: path.to_owned(), header, blocks, rows_read: 0 })
    }

    /// What it says of itself.
    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The next rows, from the top down; nothing behind the last.
    pub(crate) fn next_rows(&mut self) -> Result<Option<Rows>> {
        let Some(block) = self.blocks.decompress_next_block() else {
            let height = self.header.layer_size.height();
            return if self.rows_read == height { Ok(None) } else { Err(self.out_of_order()) };
        };
        let block = block.map_err(|error| FramesError::damaged(&self.path, &error))?;
        let (first, count) = (block.index.pixel_position.y(), block.index.pixel_size.height());
        let width = block.index.pixel_size.width();
        if first != self.rows_read || width != self.header.layer_size.width() {
            return Err(self.out_of_order());
        }
        self.rows_read = first.saturating_add(count);
        let samples = block
            .data
            .chunks_exact(size_of::<f32>())
            .map(|bytes| f32::from_ne_bytes(bytes.try_into().unwrap_or_default()))
            .collect();
        Ok(Some(Rows { first, count, samples }))
    }

    /// The texts that Cycles has written for whoever reads the frame: what is in a Cryptomatte, how
    /// many samples there are.
    pub(crate) fn metadata(&self) -> Vec<(String, String)> {
        let attributes = self.header.own_attributes.other.iter();
        let attributes = attributes.chain(&self.header.shared_attributes.other);
        attributes
            .filter_map(|(name, value)| match value {
                AttributeValue::Text(text) => Some((name.to_string(), text.to_string())),
                _ => None,
            })
            .filter(|(name, _)| name.starts_with("cryptomatte/") || name.starts_with("cycles."))
            .collect()
    }

    fn out_of_order(&self) -> FramesError {
        let reason = format!("its rows do not follow on row {}", self.rows_read);
        FramesError::Damaged { path: self.path.clone(), reason }
    }
}
