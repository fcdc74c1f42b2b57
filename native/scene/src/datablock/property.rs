//! Settings that add-ons have registered, such as those of Cycles: properties of a datablock.

use std::collections::HashMap;

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
    for root in ["id.system_properties", "id.properties"] {
        let address = datablock.pointer(root).unwrap_or(0);
        let Some(root) = owner.structs_at(address)?.into_iter().next() else { continue };
        for settings in members(owner, &root)? {
            if settings.string("name").unwrap_or_default() != group.as_bytes() {
                continue;
            }
            for property in members(owner, &settings)? {
                let name = property.string("name").unwrap_or_default();
                let wanted = names.iter().find(|wanted| wanted.as_bytes() == name);
                if let (Some(wanted), Some(number)) = (wanted, number(&property)) {
                    found.entry(*wanted).or_insert(number);
                }
            }
        }
    }
    Ok(found)
}

fn members(owner: &mut Owner<'_>, group: &StructView) -> Result<Vec<StructView>> {
    let mut members = Vec::new();
    if group.integer("type") != Some(GROUP) {
        return Ok(members);
    }
    let mut next = group.pointer("data.group.first").unwrap_or(0);
    while next != 0 && members.len() < MOST_PROPERTIES {
        let Some(member) = owner.structs_at(next)?.into_iter().next() else { break };
        next = member.pointer("next").unwrap_or(0);
        members.push(member);
    }
    Ok(members)
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
