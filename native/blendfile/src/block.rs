use std::fmt;

use crate::header::{BlockHeaderForm, ByteOrder, Header};

/// The four letters that say what a block holds: `IM`, `LI`, `DATA`, `DNA1`, `ENDB`, …
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlockCode(pub [u8; 4]);

impl BlockCode {
    /// The description of every struct in the file.
    pub const DNA: Self = Self(*b"DNA1");
    /// The end of the file.
    pub const END: Self = Self(*b"ENDB");
    /// What belongs to the datablock before it.
    pub const DATA: Self = Self(*b"DATA");

    /// Stands in for a datablock of a library (`ID_LINK_PLACEHOLDER`, `BLO_core_bhead.hh`).
    pub const PLACEHOLDER: Self = Self::datablock(*b"ID");

    /// The two letters of a datablock's type; `None` for all other blocks.
    #[must_use]
    pub const fn datablock_letters(self) -> Option<[u8; 2]> {
        match self.0 {
            [first, second, 0, 0] if first != 0 && second != 0 => Some([first, second]),
            _ => None,
        }
    }

    /// The code of a datablock type, from its two letters.
    #[must_use]
    pub const fn datablock(letters: [u8; 2]) -> Self {
        Self([letters[0], letters[1], 0, 0])
    }
}

impl fmt::Debug for BlockCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let trimmed = self.0.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        write!(f, "{}", self.0.get(..trimmed).unwrap_or_default().escape_ascii())
    }
}

/// One block of the file, without its payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// What it holds.
    pub code: BlockCode,
    /// Where its payload begins, in bytes of the decompressed file.
    pub payload_offset: u64,
    /// The size of its payload in bytes.
    pub size_bytes: u64,
    /// The address it had in the memory of the Blender that wrote it; pointers name it by that.
    pub old_address: u64,
    /// Which struct of the DNA it holds.
    pub struct_index: u32,
    /// How many structs it holds, one after the other.
    pub count: u64,
}

/// A block's header, as it stands in the file.
///
/// | form          | code | size  | old address | struct | count |
/// |---------------|------|-------|-------------|--------|-------|
/// | `BHead4`      | 0, 4 | 4, 4  | 8, 4        | 12, 4  | 16, 4 |
/// | `SmallBHead8` | 0, 4 | 4, 4  | 8, 8        | 16, 4  | 20, 4 |
/// | `LargeBHead8` | 0, 4 | 16, 8 | 8, 8        | 4, 4   | 24, 8 |
///
/// (offset, bytes.) Source: `BLO_core_bhead.hh`, Blender 5.0.
pub(crate) struct RawBlockHeader {
    pub(crate) code: BlockCode,
    pub(crate) size_bytes: i64,
    pub(crate) old_address: u64,
    pub(crate) struct_index: i32,
    pub(crate) count: i64,
}

impl RawBlockHeader {
    /// Reads a header from exactly the bytes of its form; `None` where there are fewer.
    pub(crate) fn parse(bytes: &[u8], header: &Header) -> Option<Self> {
        let order = header.byte_order;
        let code = match array(bytes, 0)? {
            // Big-endian files have the two letters of a datablock behind the zeros
            // (`switch_endian_bh4`, `readfile.cc`, Blender 4.5).
            [0, 0, first, second] => BlockCode::datablock([first, second]),
            code => BlockCode(code),
        };
        Some(match header.block_header_form {
            BlockHeaderForm::Small4 => Self {
                code,
                size_bytes: i64::from(read_i32(bytes, 4, order)?),
                old_address: u64::from(read_u32(bytes, 8, order)?),
                struct_index: read_i32(bytes, 12, order)?,
                count: i64::from(read_i32(bytes, 16, order)?),
            },
            BlockHeaderForm::Small8 => Self {
                code,
                size_bytes: i64::from(read_i32(bytes, 4, order)?),
                old_address: read_u64(bytes, 8, order)?,
                struct_index: read_i32(bytes, 16, order)?,
                count: i64::from(read_i32(bytes, 20, order)?),
            },
            BlockHeaderForm::Large8 => Self {
                code,
                struct_index: read_i32(bytes, 4, order)?,
                old_address: read_u64(bytes, 8, order)?,
                size_bytes: read_u64(bytes, 16, order)?.cast_signed(),
                count: read_u64(bytes, 24, order)?.cast_signed(),
            },
        })
    }

    /// The block with its payload there; `None` where a number of it cannot be.
    pub(crate) fn at(&self, payload_offset: u64) -> Option<Block> {
        Some(Block {
            code: self.code,
            payload_offset,
            size_bytes: u64::try_from(self.size_bytes).ok()?,
            old_address: self.old_address,
            struct_index: u32::try_from(self.struct_index).ok()?,
            count: u64::try_from(self.count).ok()?,
        })
    }

    /// Puts a new payload size into the bytes of a header; false where it does not fit.
    pub(crate) fn set_size(bytes: &mut [u8], size_bytes: u64, header: &Header) -> bool {
        let (at, new): (usize, Vec<u8>) = match header.block_header_form {
            BlockHeaderForm::Large8 => (16, size_bytes.to_le_bytes().to_vec()),
            BlockHeaderForm::Small4 | BlockHeaderForm::Small8 => {
                let Ok(size) = i32::try_from(size_bytes) else { return false };
                (
                    4,
                    match header.byte_order {
                        ByteOrder::Little => size.to_le_bytes().to_vec(),
                        ByteOrder::Big => size.to_be_bytes().to_vec(),
                    },
                )
            }
        };
        match bytes.get_mut(at..at + new.len()) {
            Some(place) => {
                place.copy_from_slice(&new);
                true
            }
            None => false,
        }
    }
}

pub(crate) fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

pub(crate) fn read_u32(bytes: &[u8], at: usize, order: ByteOrder) -> Option<u32> {
    array(bytes, at).map(|raw| match order {
        ByteOrder::Little => u32::from_le_bytes(raw),
        ByteOrder::Big => u32::from_be_bytes(raw),
    })
}

pub(crate) fn read_i32(bytes: &[u8], at: usize, order: ByteOrder) -> Option<i32> {
    read_u32(bytes, at, order).map(u32::cast_signed)
}

pub(crate) fn read_u16(bytes: &[u8], at: usize, order: ByteOrder) -> Option<u16> {
    array(bytes, at).map(|raw| match order {
        ByteOrder::Little => u16::from_le_bytes(raw),
        ByteOrder::Big => u16::from_be_bytes(raw),
    })
}

pub(crate) fn read_u64(bytes: &[u8], at: usize, order: ByteOrder) -> Option<u64> {
    array(bytes, at).map(|raw| match order {
        ByteOrder::Little => u64::from_le_bytes(raw),
        ByteOrder::Big => u64::from_be_bytes(raw),
    })
}
