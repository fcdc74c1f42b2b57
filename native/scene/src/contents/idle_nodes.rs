//! Nodes that lead nowhere or are muted, with what belongs to them alone.

use std::collections::{HashMap, HashSet};

use blendfile::StructView;

use crate::datablock::{Owner, each_in_list};
use crate::error::Result;

/// `NODE_MUTED`, `DNA_node_types.h`; `NODE_GROUP` and `NODE_CUSTOM_GROUP`, `BKE_node.hh`; Blender 5.2.
const NODE_IS_MUTED: i64 = 1 << 9;
const GROUPS: [i64; 2] = [2, 9];

/// Most inputs or outputs of one node: more than any has.
const MOST_SOCKETS: usize = 10_000;

/// How the types of Blender's own nodes begin. What nodes of extensions do with nothing behind them,
/// nobody knows.
const OF_BLENDER: [&str; 6] =
    ["ShaderNode", "CompositorNode", "GeometryNode", "FunctionNode", "TextureNode", "Node"];

/// The ends of zones. The first leads to the last without a link, and neither can be muted.
const ZONES: [&str; 4] = [
    "GeometryNodeSimulation",
    "GeometryNodeRepeat",
    "GeometryNodeForeachGeometryElement",
    "NodeClosure",
];

/// Groups of geometry have no outputs of their own. Those of other trees may: AOVs, files, the surface
/// itself.
const OF_GEOMETRY: &str = "GeometryNode";

/// What is there for whoever edits.
const FRAME: &str = "NodeFrame";
const VIEWERS: [&str; 3] =
    ["CompositorNodeViewer", "CompositorNodeSplitViewer", "GeometryNodeViewer"];

/// What no frame shows of the nodes of one datablock.
#[derive(Debug, Default)]
pub(super) struct IdleNodes {
    /// The addresses of such nodes, of their storage and of the values of their inputs.
    addresses: HashSet<u64>,
}

impl IdleNodes {
    /// Of a datablock's nodes and the links between them.
    pub(super) fn of(
        owner: &mut Owner<'_>,
        nodes: &[StructView],
        links: impl Iterator<Item = (u64, u64)>,
    ) -> Result<Self> {
        let mut addresses = HashSet::new();
        let live = live_nodes(nodes, links);
        for node in nodes {
            let address = node.block().old_address;
            let is_live = live.contains(&address);
            if is_live && !is_muted(node) {
                continue;
            }
            addresses.extend([address].into_iter().chain(node.pointer("storage")));
            // A muted node hands on what goes in, where something of the same type comes out.
            let outputs = if is_live { sockets(owner, node, "outputs.first")? } else { Vec::new() };
            for input in sockets(owner, node, "inputs.first")? {
                if !outputs.iter().any(|output| output.integer("type") == input.integer("type")) {
                    addresses.extend(input.pointer("default_value"));
                }
            }
        }
        addresses.remove(&0);
        Ok(Self { addresses })
    }

    /// Whether a struct is such a node, or belongs to one.
    pub(super) fn hold(&self, view: &StructView) -> bool {
        self.addresses.contains(&view.block().old_address)
    }
}

/// The nodes from which links lead to one that makes something of them.
fn live_nodes(nodes: &[StructView], links: impl Iterator<Item = (u64, u64)>) -> HashSet<u64> {
    let mut sources: HashMap<u64, Vec<u64>> = HashMap::new();
    for (from, to) in links {
        sources.entry(to).or_default().push(from);
    }
    let (viewers, ends): (Vec<_>, Vec<_>) =
        nodes.iter().filter_map(end).partition(|(_, kind)| *kind == End::Viewer);
    // Where a tree has nothing else, its viewer may be what is seen.
    let has_output = ends.iter().any(|(_, kind)| *kind == End::Output);
    let mut steps: Vec<u64> =
        ends.iter().chain(viewers.iter().filter(|_| !has_output)).map(|(node, _)| *node).collect();
    let mut live: HashSet<u64> = steps.iter().copied().collect();
    while let Some(node) = steps.pop() {
        let sources = sources.get(&node).map(Vec::as_slice).unwrap_or_default();
        steps.extend(sources.iter().filter(|source| live.insert(**source)));
    }
    live
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Output,
    Viewer,
    /// It may do something, or lead somewhere that no link tells of.
    Unknown,
}

/// What becomes of what leads to a node, where that is not for its links to tell.
fn end(node: &StructView) -> Option<(u64, End)> {
    let kind = String::from_utf8(node.string("idname").unwrap_or_default()).unwrap_or_default();
    let is_known = OF_BLENDER.iter().any(|prefix| kind.starts_with(prefix));
    let is_group = node.integer("type").is_some_and(|kind| GROUPS.contains(&kind));
    let may_have_own_outputs = is_group && !kind.starts_with(OF_GEOMETRY) && !is_muted(node);
    let has_outputs = node.pointer("outputs.first").is_some_and(|first| first != 0);
    let end = match kind.as_str() {
        FRAME => return None,
        kind if VIEWERS.contains(&kind) => End::Viewer,
        kind if !is_known || may_have_own_outputs || is_zone_input(kind) => End::Unknown,
        _ if has_outputs => return None,
        _ => End::Output,
    };
    Some((node.block().old_address, end))
}

fn is_zone_input(kind: &str) -> bool {
    kind.strip_suffix("Input").is_some_and(|zone| ZONES.contains(&zone))
}

fn is_muted(node: &StructView) -> bool {
    let kind = String::from_utf8(node.string("idname").unwrap_or_default()).unwrap_or_default();
    let zone = kind.strip_suffix("Input").or_else(|| kind.strip_suffix("Output"));
    node.integer("flag").is_some_and(|flag| flag & NODE_IS_MUTED != 0)
        && !zone.is_some_and(|zone| ZONES.contains(&zone))
}

/// The sockets of a node, from the first of its inputs or outputs on.
fn sockets(owner: &mut Owner<'_>, node: &StructView, first: &str) -> Result<Vec<StructView>> {
    let mut found = Vec::new();
    each_in_list(owner, node.pointer(first).unwrap_or(0), MOST_SOCKETS, |socket| {
        found.push(socket);
        true
    })?;
    Ok(found)
}
