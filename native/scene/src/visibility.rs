//! What of a scene its frames evaluate: objects and collections may be there for the editors only.

use std::collections::HashSet;

use blendfile::StructView;

/// `OB_HIDE_RENDER`, `DNA_object_types.h`; `COLLECTION_HIDE_RENDER`, `DNA_collection_types.h`;
/// `LAYER_COLLECTION_EXCLUDE`, `VIEW_LAYER_RENDER` and `VIEW_LAYER_FREESTYLE`, `DNA_layer_types.h`;
/// `R_DOSEQ`, `R_DOCOMP` and `R_EDGE_FRS`, `DNA_scene_types.h`; `FREESTYLE_CONTROL_SCRIPT_MODE`, `DNA_freestyle_types.h`;
/// Blender 5.2.
const OBJECT_HIDDEN: i64 = 1 << 2;
const COLLECTION_HIDDEN: i64 = 1 << 3;
const LAYER_EXCLUDES: i64 = 1 << 4;
const LAYER_RENDERS: i64 = 1;
const LAYER_HAS_FREESTYLE: i64 = 1 << 2;
const WORKBENCH: &[u8] = b"BLENDER_WORKBENCH";
const SCENE_SHOWS_STRIPS: i64 = 1;
const SCENE_IS_COMPOSITED: i64 = 1 << 6;
const SCENE_HAS_FREESTYLE: i64 = 1 << 25;
const FREESTYLE_BY_SCRIPTS: i64 = 1;

/// The structs that say something of it.
pub(crate) const VISIBILITY_STRUCTS: [&str; 10] = [
    "Sequence",
    "Object",
    "Collection",
    "Scene",
    "CollectionObject",
    "CollectionChild",
    "TimeMarker",
    "ViewLayer",
    "LayerCollection",
    "FreestyleModuleConfig",
];

/// What one datablock says of it.
#[derive(Debug, Default)]
pub(crate) struct Visibility {
    /// Whether it is an object or a collection that frames leave out.
    pub(crate) is_hidden: bool,
    /// Whether it is a scene whose frames leave out its strips.
    pub(crate) has_no_strips: bool,
    /// Whether it is a scene whose frames go through no nodes of its own: its compositor is off, and it
    /// has no strips, which may have some.
    pub(crate) is_not_composited: bool,
    /// What its frames show, where it is a scene.
    of_scene: Option<Box<OfScene>>,
}

/// What the frames of a scene show.
#[derive(Debug, Default)]
struct OfScene {
    /// Its cameras, hidden or not, by their places.
    cameras: HashSet<usize>,
    /// The collections that no view layer of it takes, by their places.
    excluded: HashSet<usize>,
    /// The objects and collections at its root, by their places. Before 2.80 there is none: a scene
    /// holds all its objects itself.
    root: HashSet<usize>,
    engine: Vec<u8>,
    has_freestyle: bool,
    has_style_modules: bool,
    shows_style_module: bool,
    camera_addresses: Vec<u64>,
    root_addresses: Vec<u64>,
    excluded_addresses: Vec<u64>,
    included_addresses: HashSet<u64>,
}

impl Visibility {
    /// Of a datablock with these two letters.
    pub(crate) fn of(code: [u8; 2]) -> Self {
        Self { of_scene: (code == *b"SC").then(Box::default), ..Self::default() }
    }

    /// Looks at one struct of the datablock.
    pub(crate) fn note(&mut self, view: &StructView) {
        let flag = |field: &str, bit: i64| view.integer(field).is_some_and(|flag| flag & bit != 0);
        match view.struct_name() {
            "Object" => {
                // Another name before 2.91.
                self.is_hidden =
                    flag("visibility_flag", OBJECT_HIDDEN) || flag("restrictflag", OBJECT_HIDDEN);
            }
            "Collection" => self.is_hidden |= flag("flag", COLLECTION_HIDDEN),
            "Scene" => {
                self.has_no_strips = !flag("r.scemode", SCENE_SHOWS_STRIPS);
                self.is_not_composited = !flag("r.scemode", SCENE_IS_COMPOSITED);
            }
            // They stand behind the scene's own struct, and before its nodes.
            "Sequence" => self.is_not_composited = false,
            _ => {}
        }
        if let Some(scene) = &mut self.of_scene {
            scene.note(view);
        }
    }

    /// Whether lines of a scene are drawn by Python of its own.
    pub(crate) fn needs_style_modules(&self) -> bool {
        self.of_scene.as_ref().is_some_and(|scene| {
            scene.has_freestyle && scene.has_style_modules && scene.shows_style_module
        })
    }

    /// Whether it is a scene that is rendered by Workbench, which shows the active image node of a
    /// material, muted or not, wherever it leads.
    pub(crate) fn is_workbench(&self) -> bool {
        self.of_scene.as_ref().is_some_and(|scene| scene.engine == WORKBENCH)
    }

    /// Turns addresses into places.
    pub(crate) fn resolve(&mut self, place_at: impl Fn(u64) -> Option<usize>) {
        if let Some(scene) = &mut self.of_scene {
            scene.resolve(place_at);
        }
    }

    /// Whether the frames of a scene leave out an object or a collection that it, or a collection of
    /// it, holds at a place; `is_hidden` is what that one says itself.
    pub(crate) fn leaves_out(&self, place: usize, is_hidden: bool, is_at_root: bool) -> bool {
        let Some(scene) = &self.of_scene else { return is_hidden };
        let is_below = is_at_root && !scene.root.is_empty() && !scene.root.contains(&place);
        let is_hidden = is_hidden || scene.excluded.contains(&place);
        (is_below || is_hidden) && !(is_at_root && scene.cameras.contains(&place))
    }
}

impl OfScene {
    fn note(&mut self, view: &StructView) {
        let flag = |field: &str, bit: i64| view.integer(field).is_some_and(|flag| flag & bit != 0);
        match view.struct_name() {
            "Scene" => {
                self.camera_addresses.extend(view.pointer("camera"));
                self.engine = view.string("r.engine").unwrap_or_default();
                self.has_freestyle = flag("r.mode", SCENE_HAS_FREESTYLE);
            }
            // Those of a scene: of the collection in it.
            "CollectionObject" => self.root_addresses.extend(view.pointer("ob")),
            "CollectionChild" => self.root_addresses.extend(view.pointer("collection")),
            "TimeMarker" => self.camera_addresses.extend(view.pointer("camera")),
            "ViewLayer" => {
                self.has_style_modules |= flag("flag", LAYER_RENDERS)
                    && flag("flag", LAYER_HAS_FREESTYLE)
                    && view.integer("freestyle_config.mode") == Some(FREESTYLE_BY_SCRIPTS)
                    && view
                        .pointer("freestyle_config.modules.first")
                        .is_some_and(|first| first != 0);
            }
            // One without a text, or that is switched off, draws nothing.
            "FreestyleModuleConfig" => {
                self.shows_style_module |= view.pointer("script").is_some_and(|text| text != 0)
                    && view.integer("is_displayed") != Some(0);
            }
            "LayerCollection" => {
                let collection = view.pointer("collection").unwrap_or(0);
                if flag("flag", LAYER_EXCLUDES) {
                    self.excluded_addresses.push(collection);
                } else {
                    self.included_addresses.insert(collection);
                }
            }
            _ => {}
        }
    }

    fn resolve(&mut self, place_at: impl Fn(u64) -> Option<usize>) {
        let included = std::mem::take(&mut self.included_addresses);
        let excluded = std::mem::take(&mut self.excluded_addresses);
        let excluded = excluded.into_iter().filter(|address| !included.contains(address));
        self.excluded = excluded.filter_map(&place_at).collect();
        let places = |addresses: &mut Vec<u64>| {
            std::mem::take(addresses).into_iter().filter_map(&place_at).collect()
        };
        self.cameras = places(&mut self.camera_addresses);
        self.root = places(&mut self.root_addresses);
    }
}
