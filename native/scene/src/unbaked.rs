//! Simulations that are not baked: the farm renders each frame by itself, as if it was the first.

use std::collections::HashSet;

use crate::datablock_type::datablock_type;
use crate::walk::{DatablockPlace, Walk};

/// A simulation that the frames evaluate and that is not baked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnbakedSimulation {
    /// The type of the datablock that has it: `Object`, or `Scene` for rigid bodies.
    pub datablock_type: &'static str,
    /// The name of that datablock.
    pub datablock: String,
    /// Which simulation: `cloth`, `fluid`, …
    pub simulation: &'static str,
}

impl Walk {
    /// The simulations among what frames evaluate that are not baked.
    pub(crate) fn unbaked_simulations(
        &self,
        rendered: &[DatablockPlace],
    ) -> Vec<UnbakedSimulation> {
        let mut found = Vec::new();
        for (file, number) in rendered {
            let Some(datablock) = self.datablock((*file, *number)) else { continue };
            for simulation in &datablock.simulations {
                let settings = simulation.settings.map(|settings| (*file, settings));
                let simulates = settings.is_none_or(|settings| {
                    self.simulates(settings) && self.has_zone(settings, &simulation.unbaked_nodes)
                });
                let renders = !simulation.is_off || self.animated(*file, datablock).modifiers;
                if simulates && renders {
                    found.push(UnbakedSimulation {
                        datablock_type: datablock_type(datablock.code),
                        datablock: String::from_utf8_lossy(&datablock.name).into_owned(),
                        simulation: simulation.name,
                    });
                }
            }
        }
        found.sort();
        found.dedup();
        found
    }

    /// Whether a zone may be among nodes of a group that are not baked: none where all are known to be
    /// bake nodes.
    fn has_zone(&self, group: DatablockPlace, unbaked_nodes: &[i64]) -> bool {
        let group = self.behind(group).and_then(|at| self.datablock(at));
        let is_bake_node = |node: &i64| group.is_some_and(|group| group.bake_nodes.contains(node));
        unbaked_nodes.is_empty() || !unbaked_nodes.iter().all(is_bake_node)
    }

    /// Whether settings, or a group or one in it, compute frame after frame.
    fn simulates(&self, settings: DatablockPlace) -> bool {
        let mut steps = vec![settings];
        let mut seen = HashSet::new();
        while let Some(at) = steps.pop() {
            let Some(at) = self.behind(at).filter(|at| seen.insert(*at)) else { continue };
            let Some(datablock) = self.datablock(at) else { continue };
            if datablock.simulates {
                return true;
            }
            if datablock.code == *b"NT" {
                steps.extend(datablock.uses.iter().map(|used| (at.0, *used)));
            }
        }
        false
    }
}
