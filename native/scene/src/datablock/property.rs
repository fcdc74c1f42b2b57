//! Settings that add-ons have registered, such as those of Cycles: properties of a datablock.

use std::collections::{HashMap, HashSet};

use blendfile::StructView;

use super::Owner;
use crate::error::Result;

/// `IDP_INT`, `IDP_FLOAT`, `IDP_GROUP`, `IDP_DOUBLE` and `IDP_BOOLEAN`, `DNA_ID.h`, Blender 5.2.
const INTEGER: i64 = 1;
const FLOAT: i64 = 2;
const GROUP: i64 = 6;
const DOUBLE: i64 = 8;
const BOOLEAN: i64 = 10;

/// Most properties of a group that are looked at: more than any add-on has.
const MOST_PROPERTIES: usize = 10_000;

/// A property is no larger than so much: what it holds stands elsewhere.
const MOST_BYTES: u64 = 4096;

/// The numbers among the properties of a datablock's group, by their names; those that were never set
/// are not there.
///
/// Since Blender 5.0 they stand apart from what artists define (`system_properties`, `DNA_ID.h`).
pub(crate) fn numbers_of(
    owner: &mut Owner<'_>,
    datablock: &StructView,
    group: &str,
    names: &[&'static str],
) -> Result<HashMap<&'static str, f64>> {
    let mut found = HashMap::new();
    // A file of Blender 5 may hold what it was before, too.
    let address =
        datablock.pointer("id.system_properties").or_else(|| datablock.pointer("id.properties"));
    let Some(root) = property_at(owner, address.unwrap_or(0))? else { return Ok(found) };
    let mut settings = None;
    each_member(owner, &root, |member| {
        let is_wanted = member.string("name").unwrap_or_default() == group.as_bytes();
        settings = is_wanted.then_some(member);
        !is_wanted
    })?;
    let Some(settings) = settings else { return Ok(found) };
    each_member(owner, &settings, |property| {
        let name = property.string("name").unwrap_or_default();
        let wanted = names.iter().find(|wanted| wanted.as_bytes() == name);
        if let (Some(wanted), Some(number)) = (wanted, number(&property)) {
            found.insert(*wanted, number);
        }
        found.len() < names.len()
    })?;
    Ok(found)
}

/// Looks at the members of a group, as long as more are wanted; each once, wherever they lead.
fn each_member(
    owner: &mut Owner<'_>,
    group: &StructView,
    mut wants_more: impl FnMut(StructView) -> bool,
) -> Result<()> {
    if group.integer("type") != Some(GROUP) {
        return Ok(());
    }
    let mut next = group.pointer("data.group.first").unwrap_or(0);
    let mut seen = HashSet::new();
    while seen.len() < MOST_PROPERTIES
        && seen.insert(next)
        && let Some(member) = property_at(owner, next)?
    {
        next = member.pointer("next").unwrap_or(0);
        if !wants_more(member) {
            break;
        }
    }
    Ok(())
}

fn property_at(owner: &mut Owner<'_>, address: u64) -> Result<Option<StructView>> {
    match owner.block_at(address).filter(|block| block.size_bytes <= MOST_BYTES) {
        Some(block) => Ok(owner.file.view(&block)?),
        None => Ok(None),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "32 bits, whatever they stand for"
)]
fn number(property: &StructView) -> Option<f64> {
    let low = property.integer("data.val")?;
    let bits = low as u32;
    match property.integer("type")? {
        INTEGER | BOOLEAN => Some(low as f64),
        FLOAT => Some(f64::from(f32::from_bits(bits))),
        DOUBLE => {
            let high = property.integer("data.val2")? as u32;
            Some(f64::from_bits(u64::from(high) << 32 | u64::from(bits)))
        }
        _ => None,
    }
}
