//! Settings that add-ons have registered, such as those of Cycles: properties of a datablock.

use std::collections::HashMap;

use blendfile::StructView;

use super::{Owner, each_in_list};
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
    // A file of Blender 5 may hold what it was before, too.
    let address =
        datablock.pointer("id.system_properties").or_else(|| datablock.pointer("id.properties"));
    let (mut root, mut settings) = (None, None);
    each_in_list(owner, address.unwrap_or(0), 1, |property| {
        root = Some(property);
        false
    })?;
    let Some(root) = root else { return Ok(found) };
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

/// Looks at the members of a group, as long as more are wanted.
fn each_member(
    owner: &mut Owner<'_>,
    group: &StructView,
    wants_more: impl FnMut(StructView) -> bool,
) -> Result<()> {
    if group.integer("type") != Some(GROUP) {
        return Ok(());
    }
    let first = group.pointer("data.group.first").unwrap_or(0);
    each_in_list(owner, first, MOST_PROPERTIES, wants_more)
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
