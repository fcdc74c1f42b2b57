//! The digest of a file whose ranges come in any order.
//!
//! BLAKE3 is a binary tree over chunks of 1 KiB: a range of a power of two of them is a subtree, which
//! can be hashed alone and merged later
//! (<https://github.com/BLAKE3-team/BLAKE3-specs/blob/master/blake3.pdf>, section 2.1).

use blake3::hazmat::{
    ChainingValue, HasherExt, Mode, merge_subtrees_non_root, merge_subtrees_root,
};

/// The length of every range but the last, 4 MiB: 4096 chunks.
pub(crate) const RANGE_BYTES: u64 = 4 << 20;

/// Hashes one range.
pub(crate) struct RangeHasher {
    hasher: blake3::Hasher,
    is_whole_file: bool,
}

/// One range's part of the digest.
#[derive(Debug, Clone, Copy)]
pub(crate) enum RangeDigest {
    WholeFile(blake3::Hash),
    Subtree(ChainingValue),
}

impl RangeHasher {
    /// For the range with this number, from zero on; of at most [`RANGE_BYTES`], and of at least one
    /// byte unless it is the whole file.
    pub(crate) fn new(number: u64, is_whole_file: bool) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.set_input_offset(number * RANGE_BYTES);
        Self { hasher, is_whole_file }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
    }

    pub(crate) fn finish(&self) -> RangeDigest {
        if self.is_whole_file {
            RangeDigest::WholeFile(self.hasher.finalize())
        } else {
            RangeDigest::Subtree(self.hasher.finalize_non_root())
        }
    }
}

/// The file's digest from those of its ranges, in the order of the file; none where they are not those
/// of one file.
pub(crate) fn digest_of_ranges(ranges: &[RangeDigest]) -> Option<blake3::Hash> {
    if let [RangeDigest::WholeFile(digest)] = ranges {
        return Some(*digest);
    }
    let mut level = Vec::with_capacity(ranges.len());
    for range in ranges {
        let RangeDigest::Subtree(value) = range else { return None };
        level.push(*value);
    }
    // Neighbours are merged until two are left; what has no neighbour goes up as it is.
    while level.len() > 2 {
        level = level.chunks(2).filter_map(merged).collect();
    }
    let [left, right] = level.as_slice() else { return None };
    Some(merge_subtrees_root(left, right, Mode::Hash))
}

fn merged(neighbours: &[ChainingValue]) -> Option<ChainingValue> {
    match neighbours {
        [left, right] => Some(merge_subtrees_non_root(left, right, Mode::Hash)),
        others => others.first().copied(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ranges(bytes: &[u8]) -> Vec<RangeDigest> {
        let length = usize::try_from(RANGE_BYTES).unwrap();
        let count = bytes.len().div_ceil(length).max(1);
        let of = |number: usize| {
            let mut hasher = RangeHasher::new(number as u64, count == 1);
            let end = bytes.len().min((number + 1) * length);
            // In pieces that end anywhere, as they come over a connection.
            bytes[number * length..end].chunks(100_003).for_each(|piece| hasher.update(piece));
            hasher.finish()
        };
        (0..count).map(of).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn the_digest_of_the_ranges_is_that_of_the_file(
            count in 0_usize..9, over in prop_oneof![Just(0_usize), Just(1), 0..(4_usize << 20)],
        ) {
            let bytes: Vec<u8> = (0..251).cycle().take((count << 22) + over).collect();
            prop_assert_eq!(digest_of_ranges(&ranges(&bytes)), Some(blake3::hash(&bytes)));
        }
    }

    #[test]
    fn ranges_of_no_one_file_have_no_digest() {
        let whole = RangeHasher::new(0, true).finish();
        let mut one = RangeHasher::new(0, false);
        one.update(b"a");
        assert_eq!(digest_of_ranges(&[]), None);
        assert_eq!(digest_of_ranges(&[whole, whole]), None);
        assert_eq!(digest_of_ranges(&[one.finish()]), None);
    }
}
