//! Which fields of a struct can hold the address of a datablock.

use crate::dna::{DatablockPointer, Dna};
use crate::limits;

impl Dna {
    /// Where a struct, by its index, and the structs that it holds by value can hold addresses of
    /// datablocks: pointers to `ID`, to a struct that begins with one, and the few of `void *` that can.
    ///
    /// Left out are the links of lists, and in `ID` itself all but the library: the rest is set
    /// only while Blender runs (`DNA_ID.h`, Blender 5.0).
    #[must_use]
    pub fn datablock_pointers(&self, index: usize, pointer_bytes: usize) -> &[DatablockPointer] {
        let Some(cell) = self.datablock_pointers.get(index) else { return &[] };
        cell.get_or_init(|| {
            let mut found = Vec::new();
            let mut visits = limits::STRUCT_POINTERS;
            self.collect_pointers(index, 0, pointer_bytes, &mut visits, &mut found);
            found
        })
    }

    fn collect_pointers(
        &self,
        index: usize,
        origin: usize,
        pointer_bytes: usize,
        visits: &mut usize,
        found: &mut Vec<DatablockPointer>,
    ) {
        let Some(structure) = self.structs.get(index) else { return };
        if structure.name == "ListBase" {
            return;
        }
        for (name, field) in &structure.fields {
            let is_link = matches!(name.as_str(), "next" | "prev");
            if is_link || (structure.name == "ID" && name != "lib") {
                continue;
            }
            let step = if field.is_pointer {
                pointer_bytes
            } else {
                self.struct_named(&field.type_name).map_or(0, |held| held.size_bytes)
            };
            let count = field.size_bytes.checked_div(step).unwrap_or(0);
            for number in 0..count {
                // A damaged DNA can hold a struct in itself.
                let Some(left) = visits.checked_sub(1) else { return };
                *visits = left;
                let offset = origin + field.offset + number * step;
                if !field.is_pointer {
                    if let Some(held) = self.by_name.get(&*field.type_name) {
                        self.collect_pointers(*held, offset, pointer_bytes, visits, found);
                    }
                } else if self.can_be_datablock(&structure.name, name, &field.type_name) {
                    let is_array = field.is_pointer_to_pointers;
                    found.push(DatablockPointer { offset, is_array });
                }
            }
        }
    }

    fn can_be_datablock(&self, structure: &str, field: &str, type_name: &str) -> bool {
        match type_name {
            "ID" => return true,
            // The others lead to what is no datablock: storage of nodes, layers of meshes, settings.
            "void" => {
                return matches!(
                    (structure, field),
                    ("Object", "data") | ("IDPropertyData", "pointer") | ("LinkNode", "link")
                );
            }
            _ => {}
        }
        self.struct_named(type_name).is_some_and(|structure| {
            structure
                .fields
                .get("id")
                .is_some_and(|id| &*id.type_name == "ID" && id.offset == 0 && !id.is_pointer)
        })
    }
}
