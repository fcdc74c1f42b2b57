use std::path::Path;

use crate::error::{BlendError, Result};

/// The order of bytes in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByteOrder {
    /// `v` in the header: every machine that Blender runs on today.
    Little,
    /// `V` in the header: files of the PowerPC and SPARC days.
    Big,
}

/// The width of pointers in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PointerWidth {
    /// `_` in the header.
    Four,
    /// `-` in the header.
    Eight,
}

impl PointerWidth {
    /// The width in bytes.
    #[must_use]
    pub const fn bytes(self) -> usize {
        match self {
            Self::Four => 4,
            Self::Eight => 8,
        }
    }
}

/// The form of the header that stands before each block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockHeaderForm {
    /// `BHead4`: 20 bytes, 32-bit pointers.
    Small4,
    /// `SmallBHead8`: 24 bytes, 64-bit pointers, sizes of 32 bits.
    Small8,
    /// `LargeBHead8`: 32 bytes, sizes and counts of 64 bits, since Blender 5.0.
    Large8,
}

impl BlockHeaderForm {
    /// The size of the largest form in bytes.
    pub(crate) const MAX_SIZE_BYTES: usize = 32;

    /// The size of a block's header in bytes.
    #[must_use]
    pub const fn size_bytes(self) -> usize {
        match self {
            Self::Small4 => 20,
            Self::Small8 => 24,
            Self::Large8 => 32,
        }
    }
}

/// The first 12 or 17 bytes of a `.blend` file.
///
/// | field          | offset | bytes | until 4.5 | since 5.0 |
/// |----------------|--------|-------|-----------|-----------|
/// | magic          | 0      | 7     | `BLENDER` | `BLENDER` |
/// | header size    | 7      | 2     | –         | `17`      |
/// | pointer width  | 7 / 9  | 1     | `_` `-`   | `-`       |
/// | format version | 10     | 2     | –         | `01`      |
/// | byte order     | 8 / 12 | 1     | `v` `V`   | `v`       |
/// | Blender version| 9 / 13 | 3 / 4 | `405`     | `0502`    |
///
/// Source: `BLO_core_blend_header.hh` and `blo_core_blend_header.cc`, Blender 5.0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The size of this header in bytes: 12 or 17.
    pub size_bytes: usize,
    /// The width of pointers.
    pub pointer_width: PointerWidth,
    /// The order of bytes.
    pub byte_order: ByteOrder,
    /// The form of block headers.
    pub block_header_form: BlockHeaderForm,
    /// The Blender that wrote it: 279 is 2.79, 405 is 4.5, 502 is 5.2.
    pub blender_version: u16,
}

impl Header {
    /// The most bytes that a header takes.
    pub const MAX_SIZE_BYTES: usize = 17;

    /// Reads the header from the first bytes of a decompressed file.
    ///
    /// `path` is for messages only.
    ///
    /// # Errors
    /// [`BlendError::Damaged`] where the bytes are not a header of a known form.
    pub fn parse(bytes: &[u8], path: &Path) -> Result<Self> {
        let damaged = |offset: u64, expected: &str, got: &[u8]| {
            BlendError::damaged(path, offset, expected, format!("\"{}\"", got.escape_ascii()))
        };
        let Some(rest) = bytes.strip_prefix(b"BLENDER") else {
            let got = bytes.get(..7.min(bytes.len())).unwrap_or_default();
            return Err(damaged(0, "a .blend file (BLENDER)", got));
        };
        match rest {
            [width @ (b'_' | b'-'), order @ (b'v' | b'V'), version @ ..] => {
                let pointer_width =
                    if *width == b'_' { PointerWidth::Four } else { PointerWidth::Eight };
                let digits = version.get(..3).unwrap_or(version);
                Ok(Self {
                    size_bytes: 12,
                    pointer_width,
                    byte_order: if *order == b'v' { ByteOrder::Little } else { ByteOrder::Big },
                    block_header_form: match pointer_width {
                        PointerWidth::Four => BlockHeaderForm::Small4,
                        PointerWidth::Eight => BlockHeaderForm::Small8,
                    },
                    blender_version: number(digits, 3)
                        .ok_or_else(|| damaged(9, "a version of 3 digits", digits))?,
                })
            }
            [b'1', b'7', b'-', b'0', b'1', b'v', version @ ..] => {
                let digits = version.get(..4).unwrap_or(version);
                Ok(Self {
                    size_bytes: 17,
                    pointer_width: PointerWidth::Eight,
                    byte_order: ByteOrder::Little,
                    block_header_form: BlockHeaderForm::Large8,
                    blender_version: number(digits, 4)
                        .ok_or_else(|| damaged(13, "a version of 4 digits", digits))?,
                })
            }
            other => {
                let got = other.get(..10.min(other.len())).unwrap_or_default();
                Err(damaged(7, "a header of format version 0 or 1", got))
            }
        }
    }
}

fn number(digits: &[u8], count: usize) -> Option<u16> {
    if digits.len() != count || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(bytes: &[u8]) -> Result<Header> {
        Header::parse(bytes, Path::new("shot.blend"))
    }

    #[test]
    fn both_forms_give_version_and_block_header_form() {
        let before_5_0 = parse(b"BLENDER-v405REND").unwrap();
        assert_eq!(before_5_0.blender_version, 405);
        assert_eq!(before_5_0.block_header_form, BlockHeaderForm::Small8);
        let since_5_0 = parse(b"BLENDER17-01v0502REND").unwrap();
        assert_eq!(since_5_0.blender_version, 502);
        assert_eq!(since_5_0.size_bytes, 17);
        let old = parse(b"BLENDER_V250").unwrap();
        assert_eq!(old.byte_order, ByteOrder::Big);
        assert_eq!(old.pointer_width, PointerWidth::Four);
    }

    #[test]
    fn damage_is_named_with_offset_expected_and_got() {
        let messages: Vec<String> = [
            b"PNG".as_slice(),
            b"BLENDER",
            b"BLENDER-v4",
            b"BLENDER17-02v0502",
            b"BLENDER17-01v05x2",
        ]
        .iter()
        .map(|bytes| parse(bytes).unwrap_err().to_string())
        .collect();
        insta::assert_snapshot!(messages.join("\n"));
    }
}
