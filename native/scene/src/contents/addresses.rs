//! The addresses in a datablock that may be those of others, by what frames show of them.

use blendfile::StructView;

use super::Datablock;
use super::idle::Shown;
use crate::datablock::Owner;
use crate::error::Result;

/// What a datablock names, until it is known where everything is.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    shown: Vec<u64>,
    idle: Vec<u64>,
    of_modifiers: Vec<u64>,
    of_strips: Vec<u64>,
}

impl Addresses {
    /// Takes those of one struct of the datablock.
    pub(super) fn take(
        &mut self,
        owner: &mut Owner<'_>,
        view: &StructView,
        shown: Shown,
    ) -> Result<()> {
        let data = if shown == Shown::NotItsData { view.pointer("data") } else { None };
        for (address, is_array) in view.datablock_addresses() {
            let addresses = match shown {
                Shown::NotItsData if Some(address) == data => &mut self.idle,
                Shown::Always | Shown::NotItsData => &mut self.shown,
                Shown::Never => &mut self.idle,
                Shown::WithModifiers => &mut self.of_modifiers,
                Shown::WithStrips => &mut self.of_strips,
            };
            if is_array {
                let payload = owner.payload_at(address)?;
                addresses.extend(view.addresses(&payload).filter(|address| *address != 0));
            } else {
                addresses.push(address);
            }
        }
        Ok(())
    }

    /// Tells the datablock at a place what it uses.
    pub(super) fn resolve(
        &self,
        place: usize,
        datablock: &mut Datablock,
        place_at: impl Fn(u64) -> Option<usize>,
    ) {
        let places = |addresses: &[u64], known: &[usize]| -> Vec<usize> {
            let found = addresses.iter().filter_map(|address| place_at(*address));
            let mut found: Vec<_> =
                found.filter(|used| *used != place && known.binary_search(used).is_err()).collect();
            found.sort_unstable();
            found.dedup();
            found
        };
        let uses = &mut datablock.uses;
        uses.extend(places(&self.shown, &[]));
        uses.sort_unstable();
        uses.dedup();
        datablock.modifier_uses = places(&self.of_modifiers, uses);
        uses.extend(&datablock.modifier_uses);
        uses.sort_unstable();
        datablock.strip_uses = places(&self.of_strips, uses);
        uses.extend(&datablock.strip_uses);
        uses.sort_unstable();
        datablock.idle_uses = places(&self.idle, uses);
        uses.extend(&datablock.idle_uses);
        uses.sort_unstable();
    }
}
