//! Where a value stands in a file, so that it can be changed there.

use crate::block::Block;

/// A char array in a block's payload: where a path stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CharArray {
    /// The block.
    pub block: Block,
    /// Where the array begins in the payload, in bytes.
    pub offset: usize,
    /// The size of the array in bytes, with room for the closing zero.
    pub size_bytes: usize,
}

/// A whole number of one, two or four bytes in a block's payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Integer {
    /// The block.
    pub block: Block,
    /// Where the number begins in the payload, in bytes.
    pub offset: usize,
    /// How many bytes it has.
    pub size_bytes: usize,
}

/// A pointer in a block's payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pointer {
    /// The block.
    pub block: Block,
    /// Where the address begins in the payload, in bytes.
    pub offset: usize,
}
