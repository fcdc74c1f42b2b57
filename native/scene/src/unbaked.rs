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
                if settings.is_none_or(|settings| self.simulates(settings)) {
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
