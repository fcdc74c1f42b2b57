//! Which strips of a scene are muted: themselves, by their channel, or by the meta strip they are in.

use std::collections::{HashMap, HashSet};

use blendfile::StructView;

use super::Owner;
use crate::error::Result;

/// `SEQ_MUTE` and `SEQ_CHANNEL_MUTE`, `DNA_sequence_types.h`, Blender 5.2.
const STRIP_IS_MUTED: i64 = 1 << 5;
const CHANNEL_IS_MUTED: i64 = 1 << 1;

/// The mask of a modifier, as files call it.
const MASKS: [&str; 2] = ["modifier.mask_sequence", "modifier.mask_strip"];

/// More modifiers than any strip has.
const MOST_MODIFIERS: usize = 1000;

/// Whether a strip of the scene is muted, and seen through no other one.
pub(crate) fn is_muted_strip(owner: &mut Owner<'_>, strip: &StructView) -> Result<bool> {
    let muted = match owner.muted_strips.take() {
        Some(muted) => muted,
        None => muted_strips(owner)?,
    };
    let is_muted = muted.contains(&strip.block().old_address);
    owner.muted_strips = Some(muted);
    Ok(is_muted)
}

fn muted_strips(owner: &mut Owner<'_>) -> Result<HashSet<u64>> {
    let mut strips = HashMap::new();
    for block in owner.blocks_of("Sequence") {
        if let Some(view) = owner.file.view(&block)? {
            strips.insert(block.old_address, view);
        }
    }
    let fed = strips_that_feed_others(owner, &strips)?;
    let mut lists = Vec::new();
    for block in owner.blocks_of("Editing") {
        lists.extend(owner.file.view(&block)?.map(|editing| (editing, false)));
    }
    let mut muted = HashSet::new();
    // Each strip is in one list; a file that says otherwise is not followed in circles.
    while let Some((list, is_muted)) = lists.pop() {
        let channels = muted_channels(owner, &list)?;
        let mut next = list.pointer("seqbase.first");
        while let Some((address, strip)) = next.and_then(|address| strips.remove_entry(&address)) {
            next = strip.pointer("next");
            let is_off = |view: &StructView| {
                view.integer("flag").is_some_and(|flag| flag & STRIP_IS_MUTED != 0)
                    || view.integer("machine").is_some_and(|channel| channels.contains(&channel))
            };
            let is_muted = !fed.contains(&address) && (is_muted || is_off(&strip));
            muted.extend(is_muted.then_some(address));
            lists.push((strip, is_muted));
        }
    }
    Ok(muted)
}

/// Those that are seen through others, muted or not: what an effect is made of, the mask of a modifier.
fn strips_that_feed_others(
    owner: &mut Owner<'_>,
    strips: &HashMap<u64, StructView>,
) -> Result<HashSet<u64>> {
    let mut fed = HashSet::new();
    for strip in strips.values() {
        fed.extend(["seq1", "seq2", "seq3"].iter().filter_map(|input| strip.pointer(input)));
        let mut next = strip.pointer("modifiers.first");
        for _ in 0..MOST_MODIFIERS {
            let Some(address) = next.filter(|address| *address != 0) else { break };
            let Some(modifier) = owner.structs_at(address)?.into_iter().next() else { break };
            fed.extend(MASKS.iter().find_map(|mask| modifier.pointer(mask)));
            next = modifier.pointer("modifier.next").or_else(|| modifier.pointer("next"));
        }
    }
    Ok(fed)
}

/// The numbers of a list's channels that are muted (3.3).
fn muted_channels(owner: &mut Owner<'_>, list: &StructView) -> Result<HashSet<i64>> {
    /// More than any list has.
    const MOST_CHANNELS: usize = 1024;
    let mut muted = HashSet::new();
    let mut next = list.pointer("channels.first");
    for _ in 0..MOST_CHANNELS {
        let Some(address) = next.filter(|address| *address != 0) else { break };
        let Some(channel) = owner.structs_at(address)?.into_iter().next() else { break };
        if channel.integer("flag").is_some_and(|flag| flag & CHANNEL_IS_MUTED != 0) {
            muted.extend(channel.integer("index"));
        }
        next = channel.pointer("next");
    }
    Ok(muted)
}
