//! The bounds that keep a damaged or hostile file from costing more than it is worth.

/// Most bytes that a compressed file may unfold to.
pub const DECOMPRESSED_SIZE_BYTES: u64 = 64 << 30;

/// Most blocks in one file: 320 MB of index. A production shot of 540 MB has about two million.
pub const BLOCK_COUNT: usize = 8_000_000;

/// Most bytes of one block that is read into memory.
pub const PAYLOAD_SIZE_BYTES: u64 = 256 << 20;

/// Most bytes of the DNA block; Blender 5.2 writes about 130 KB.
pub const DNA_SIZE_BYTES: u64 = 16 << 20;

/// Most names, types, structs or fields in a DNA block.
pub const DNA_COUNT: u32 = 1_000_000;

/// Most fields that are looked at for the pointers of one struct, with the structs that it holds by
/// value. No struct of Blender has a tenth of that.
pub const STRUCT_POINTERS: usize = 10_000;
