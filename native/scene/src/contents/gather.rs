//! What is read of a file on the way from its beginning to its end: some datablocks at a time.

use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use blendfile::{BlendFile, Block, BlockCode, Payload};

use super::structs::Structs;
use crate::error::Result;

/// From how many bytes on no more datablocks are read at once: little enough that the same memory
/// serves again and again, and much for what goes from one processor to another.
const BYTES: usize = 32 << 10;
const BYTES_HANDED_OVER: usize = 1 << 20;

/// How many datablocks are read at once at the most.
const DATABLOCKS: usize = 256;

/// How often a reader hands over before it waits.
const WAITING: usize = 4;

/// Some datablocks, in the order of the file.
#[derive(Default)]
pub(super) struct Batch {
    blocks: Vec<Block>,
    /// The payloads of those that matter, by their place among the blocks and in the memory.
    payloads: Vec<(usize, Range<usize>)>,
    memory: Arc<Vec<u8>>,
    /// For each datablock, where its blocks and its payloads end.
    ends: Vec<(usize, usize)>,
}

/// One datablock: where its blocks are, and those that hold paths or addresses.
pub(super) struct Gathered<'a> {
    /// All of its blocks, its own first.
    pub(super) blocks: &'a [Block],
    /// Those that matter, its own first.
    pub(super) payloads: Vec<(Block, Payload)>,
}

impl Batch {
    /// Its datablocks.
    pub(super) fn datablocks(&self) -> impl Iterator<Item = Gathered<'_>> {
        let (mut first_block, mut first_payload) = (0, 0);
        self.ends.iter().map(move |(blocks, payloads)| {
            let of_datablock = first_payload..*payloads;
            let gathered = Gathered {
                blocks: self.blocks.get(first_block..*blocks).unwrap_or_default(),
                payloads: self
                    .payloads
                    .get(of_datablock)
                    .unwrap_or_default()
                    .iter()
                    .filter_map(|(block, range)| {
                        let payload = Payload::part(&self.memory, range.clone());
                        Some((*self.blocks.get(*block)?, payload))
                    })
                    .collect(),
            };
            (first_block, first_payload) = (*blocks, *payloads);
            gathered
        })
    }
}

/// Goes through a file from its beginning to its end.
pub(super) struct Gatherer {
    /// How many bytes are read at once.
    bytes: usize,
    /// The block that ended the datablock before.
    next: Option<Block>,
}

impl Gatherer {
    /// At the beginning of a file.
    pub(super) fn new() -> Self {
        Self { bytes: BYTES, next: None }
    }

    /// Reads some datablocks more; nothing at the end.
    ///
    /// # Errors
    /// Those of reading the file.
    pub(super) fn batch(
        &mut self,
        file: &mut BlendFile,
        structs: &Structs,
    ) -> Result<Option<Batch>> {
        let (mut batch, mut memory) = (Batch::default(), Vec::new());
        while batch.ends.len() < DATABLOCKS
            && memory.len() < self.bytes
            && let Some(first) = self.first(file)?
        {
            batch.take(file, &first, &mut memory)?;
            while let Some(block) = next_block(file)? {
                if block.code != BlockCode::DATA {
                    self.next = Some(block);
                    break;
                }
                if structs.matters(first.code.datablock_letters(), &block) {
                    batch.take(file, &block, &mut memory)?;
                } else {
                    batch.blocks.push(block);
                }
            }
            batch.ends.push((batch.blocks.len(), batch.payloads.len()));
        }
        batch.memory = Arc::new(memory);
        Ok((!batch.ends.is_empty()).then_some(batch))
    }

    /// The next block that is a datablock's own.
    fn first(&mut self, file: &mut BlendFile) -> Result<Option<Block>> {
        loop {
            let block = match self.next.take() {
                Some(block) => Some(block),
                None => next_block(file)?,
            };
            if block.is_none_or(|block| block.code.datablock_letters().is_some()) {
                return Ok(block);
            }
        }
    }
}

impl Batch {
    fn take(&mut self, file: &mut BlendFile, block: &Block, memory: &mut Vec<u8>) -> Result<()> {
        let range = file.payload_on_the_way(block, memory)?;
        self.payloads.push((self.blocks.len(), range));
        self.blocks.push(*block);
        Ok(())
    }
}

/// Reads a whole file on a thread of its own, and gives what it reads to `take` here.
pub(super) fn gather_beside(
    file: &mut BlendFile,
    structs: &Structs,
    mut take: impl FnMut(&Batch) -> Result<()>,
) -> Result<()> {
    let (hand_over, handed_over) = sync_channel(WAITING);
    std::thread::scope(|scope| {
        let reader = scope.spawn(move || -> Result<()> {
            let mut gatherer = Gatherer { bytes: BYTES_HANDED_OVER, next: None };
            while let Some(batch) = gatherer.batch(file, structs)? {
                // Nobody takes any more where one could not be understood.
                if hand_over.send(batch).is_err() {
                    break;
                }
            }
            Ok(())
        });
        let understood = handed_over.into_iter().try_for_each(|batch| take(&batch));
        let read = reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        understood.and(read)
    })
}

fn next_block(file: &mut BlendFile) -> Result<Option<Block>> {
    let Some(index) = file.next_block()? else { return Ok(None) };
    let block = file.blocks().get(index).copied();
    file.forget_before(index);
    Ok(block)
}
