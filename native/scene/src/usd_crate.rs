//! The names in binary USD (`.usdc`): a table of tokens, compressed with LZ4, holds every string of the
//! file, the paths of its layers and assets among them (`crateFile.cpp` and `fastCompression.cpp`,
//! `OpenUSD` 25.05).

/// What a binary USD file begins with.
pub(crate) const MAGIC: &[u8] = b"PXR-USDC";

/// Most bytes of the tokens of one file.
const MOST_BYTES: u64 = 256 << 20;

/// Most sections of one file; there are six kinds.
const MOST_SECTIONS: u64 = 64;

/// Where the table of contents is told, how large an entry of it is, and how much of that is its name.
const CONTENTS_AT: usize = 16;
const ENTRY_BYTES: usize = 32;
const NAME_BYTES: usize = 16;

/// The tokens of a file; `None` where its bytes are not what they should be.
pub(crate) fn tokens(file: &[u8]) -> Option<Vec<Vec<u8>>> {
    let contents = usize::try_from(number(file, CONTENTS_AT)?).ok()?;
    let count = number(file, contents)?.min(MOST_SECTIONS);
    let entries = file.get(contents.checked_add(8)?..)?.chunks_exact(ENTRY_BYTES);
    let is_tokens = |entry: &&[u8]| {
        entry
            .get(..NAME_BYTES)
            .is_some_and(|name| name.split(|byte| *byte == 0).next() == Some(b"TOKENS"))
    };
    let entry = entries.take(usize::try_from(count).ok()?).find(is_tokens)?;
    let section = file.get(usize::try_from(number(entry, NAME_BYTES)?).ok()?..)?;
    let (size_bytes, packed_bytes) = (number(section, 8)?, number(section, 16)?);
    let packed = section.get(24..24_usize.checked_add(usize::try_from(packed_bytes).ok()?)?)?;
    if size_bytes > MOST_BYTES {
        return None;
    }
    let text = unpack(packed, usize::try_from(size_bytes).ok()?)?;
    Some(text.split(|byte| *byte == 0).map(<[u8]>::to_vec).collect())
}

/// One block, or several of at most 127 × 2²⁴ bytes with their sizes before them.
fn unpack(packed: &[u8], size_bytes: usize) -> Option<Vec<u8>> {
    let (count, mut rest) = packed.split_first()?;
    if *count == 0 {
        return lz4_flex::block::decompress(rest, size_bytes).ok();
    }
    let mut text = Vec::new();
    for _ in 0..*count {
        let (size, behind) = rest.split_first_chunk::<4>()?;
        let size = usize::try_from(i32::from_le_bytes(*size)).ok()?;
        let (block, behind) = behind.split_at_checked(size)?;
        let left = size_bytes.checked_sub(text.len())?;
        text.extend(lz4_flex::block::decompress(block, left).ok()?);
        rest = behind;
    }
    Some(text)
}

fn number(bytes: &[u8], at: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(8)?)?;
    Some(u64::from_le_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A file with one section, as Blender's USD library writes it.
    pub(crate) fn file(tokens: &[&str]) -> Vec<u8> {
        let text = tokens.join("\0") + "\0";
        let packed = [&[0][..], &lz4_flex::block::compress(text.as_bytes())].concat();
        let word = |value: usize| (value as u64).to_le_bytes();
        let mut file = [MAGIC, &[0, 8, 0, 0, 0, 0, 0, 0], &[0; 72]].concat();
        let start = file.len();
        for value in [tokens.len(), text.len(), packed.len()] {
            file.extend(word(value));
        }
        file.extend(&packed);
        let contents = file.len();
        file.extend(word(1));
        file.extend(b"TOKENS\0\0\0\0\0\0\0\0\0\0");
        file.extend(word(start));
        file.extend(word(contents - start));
        file.splice(CONTENTS_AT..CONTENTS_AT + 8, word(contents));
        file
    }

    #[test]
    fn the_names_of_a_file_are_found() {
        let found = tokens(&file(&["Cube", "textures/wood.png"])).unwrap();
        assert_eq!(found, [&b"Cube"[..], b"textures/wood.png", b""]);
    }

    proptest! {
        #[test]
        fn damage_never_panics(at in 0_usize..300, value: u8, cut in 0_usize..300) {
            let mut damaged = file(&["Cube", "textures/wood.png", "wood", "more/of/it.usdc"]);
            if let Some(byte) = damaged.get_mut(at) {
                *byte = value;
            }
            damaged.truncate(damaged.len().saturating_sub(cut));
            let _ = tokens(&damaged);
        }
    }
}
