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
    let mut listed = Vec::new();
    for block in owner.blocks_of("Editing") {
        if let Some(editing) = owner.file.view(&block)? {
            list(owner, &editing, None, &mut strips, &mut listed)?;
        }
    }
    let mut at = 0;
    while let Some(strip) = listed.get(at).map(|strip: &Listed| strip.view.clone()) {
        list(owner, &strip, Some(at), &mut strips, &mut listed)?;
        at += 1;
    }
    // What feeds others may show, as an adjustment does, whatever is around it: no meta that holds it
    // hides its strips.
    let mut shows_strips = vec![false; listed.len()];
    for strip in listed.iter().rev().filter(|strip| fed.contains(&strip.address())) {
        let mut holder = strip.holder;
        while let Some(meta) =
            holder.filter(|meta| !shows_strips.get(*meta).copied().unwrap_or(true))
        {
            shows_strips.iter_mut().skip(meta).take(1).for_each(|shows| *shows = true);
            holder = listed.get(meta).and_then(|meta| meta.holder);
        }
    }
    let mut muted = HashSet::new();
    for strip in &listed {
        let holder = strip.holder.filter(|meta| shows_strips.get(*meta) == Some(&false));
        let holder = holder.and_then(|meta| listed.get(meta));
        let is_hidden = holder.is_some_and(|meta| muted.contains(&meta.address()));
        if (strip.is_off || is_hidden) && !fed.contains(&strip.address()) {
            muted.insert(strip.address());
        }
    }
    Ok(muted)
}

/// A strip of the scene.
struct Listed {
    view: StructView,
    /// The meta strip that holds it, by its place before this one.
    holder: Option<usize>,
    /// Whether it or its channel is muted.
    is_off: bool,
}

impl Listed {
    fn address(&self) -> u64 {
        self.view.block().old_address
    }
}

/// Takes the strips of a list, which is a scene's or a meta strip's, from those that are in none yet: a
/// file that says otherwise is not followed in circles.
fn list(
    owner: &mut Owner<'_>,
    of: &StructView,
    holder: Option<usize>,
    strips: &mut HashMap<u64, StructView>,
    listed: &mut Vec<Listed>,
) -> Result<()> {
    let channels = muted_channels(owner, of)?;
    let mut next = of.pointer("seqbase.first");
    while let Some(view) = next.and_then(|address| strips.remove(&address)) {
        next = view.pointer("next");
        let is_off = view.integer("flag").is_some_and(|flag| flag & STRIP_IS_MUTED != 0)
            || view.integer("machine").is_some_and(|channel| channels.contains(&channel));
        listed.push(Listed { view, holder, is_off });
    }
    Ok(())
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
