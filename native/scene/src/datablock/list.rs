//! Lists of structs, each of which leads to the next one.

use std::collections::HashSet;

use blendfile::StructView;

use super::Owner;
use crate::error::Result;

/// A struct of a list is no larger than so much: what it holds stands elsewhere.
const MOST_BYTES: u64 = 64 << 10;

/// Looks at the structs of a list from the first one on, as long as more are wanted and at `most` so
/// many; each once, wherever they lead.
pub(crate) fn each_in_list(
    owner: &mut Owner<'_>,
    first: u64,
    most: usize,
    mut wants_more: impl FnMut(StructView) -> bool,
) -> Result<()> {
    let (mut next, mut seen) = (first, HashSet::new());
    while seen.len() < most
        && seen.insert(next)
        && let Some(block) = owner.block_at(next).filter(|block| block.size_bytes <= MOST_BYTES)
        && let Some(view) = owner.file.view(&block)?
    {
        next = view.pointer("next").unwrap_or(0);
        if !wants_more(view) {
            break;
        }
    }
    Ok(())
}
