//! Whether many workers can render a frame in parts, as far as its file says at a glance.
//!
//! The worker that renders has the last word (`consumer/worker/render_worker/splitting.py`): what is
//! found here it finds too, and more.

use std::collections::HashSet;
use std::fmt;

use blendfile::StructView;

use crate::datablock::{Owner, each_in_list, numbers_of};
use crate::error::Result;

/// `R_DOSEQ`, `R_SINGLE_LAYER`, `SCE_RENDER_TEXTURE_CACHE` and what generates it, `R_EDGE_FRS`,
/// `DNA_scene_types.h`; `R_IMF_COLOR_MANAGEMENT_OVERRIDE`, `DNA_imformat_types.h`; `VIEW_LAYER_RENDER`
/// and `VIEW_LAYER_FREESTYLE`, `DNA_layer_types.h`; `OB_GPENCIL_LEGACY` and `OB_GREASE_PENCIL`,
/// `DNA_object_types.h`; Blender 5.2. Those of the texture cache were found by files that differ in it.
const SHOWS_STRIPS: i64 = 1;
const ONLY_ONE_LAYER: i64 = 1 << 9;
const MAKES_TEXTURE_CACHE: i64 = (1 << 22) | (1 << 23);
const HAS_FREESTYLE: i64 = 1 << 25;
const OWN_COLORS: i64 = 1;
const LAYER_DRAWS_LINES: i64 = 1 | (1 << 2);
const GREASE_PENCILS: [i64; 2] = [26, 30];

/// `IMA_SRC_FILE`, `IMA_SRC_SEQUENCE` and `IMA_SRC_TILED`, `DNA_image_types.h`, Blender 5.2.
const OF_FILES: [i64; 3] = [1, 2, 6];

/// Since which Blender there is a texture cache, as in the header of a file.
const TEXTURE_CACHE_SINCE: u16 = 502;

const CYCLES: &[u8] = b"CYCLES";

/// How the types of nodes begin that end a shader, and the identifier of their input for volumes.
const SHADER_OUTPUT: &[u8] = b"ShaderNodeOutput";
const VOLUME: &[u8] = b"Volume";

/// Why a frame is not rendered in parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SplitObstacle {
    /// Another engine than Cycles draws what is around a pixel into it.
    Engine,
    /// The picture depends on how fast a worker is.
    TimeLimit,
    /// The frames are those of the Video Sequencer.
    Sequencer,
    /// Lines are drawn across the picture.
    Freestyle,
    /// Strokes are drawn across the picture.
    GreasePencil,
    /// One view layer of several is rendered.
    SingleLayer,
    /// The files have colours of their own.
    OwnColors,
    /// Each part would learn anew: other noise.
    PathGuiding,
    /// Volumes are sampled anew in each part: other noise.
    Volumes,
    /// Each part would see other details of textures: another picture, as good.
    TextureCache,
}

impl SplitObstacle {
    /// Whether the parts would be as good, with other noise: the artist may agree to that.
    #[must_use]
    pub const fn is_noise(self) -> bool {
        matches!(self, Self::PathGuiding | Self::Volumes | Self::TextureCache)
    }

    /// Its name, for whoever tells of it in another language.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Engine => "engine",
            Self::TimeLimit => "time limit",
            Self::Sequencer => "sequencer",
            Self::Freestyle => "freestyle",
            Self::GreasePencil => "grease pencil",
            Self::SingleLayer => "single layer",
            Self::OwnColors => "own colors",
            Self::PathGuiding => "path guiding",
            Self::Volumes => "volumes",
            Self::TextureCache => "texture cache",
        }
    }
}

impl fmt::Display for SplitObstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Engine => "EEVEE and Workbench draw what is around a pixel into it",
            Self::TimeLimit => "a time limit makes the picture depend on how fast a worker is",
            Self::Sequencer => "the sequencer makes the picture",
            Self::Freestyle => "Freestyle draws lines across the picture",
            Self::GreasePencil => "Grease Pencil is drawn across the picture",
            Self::SingleLayer => "only one of its view layers is rendered",
            Self::OwnColors => "the files have colours of their own",
            Self::PathGuiding => "path guiding learns in each part anew",
            Self::Volumes => "volumes are sampled in each part anew",
            Self::TextureCache => {
                "the texture cache gives other details where less of the picture is seen"
            }
        })
    }
}

/// Whether anything leads into the volume of a material or a world, by its nodes and their links.
pub(crate) fn has_volume(
    owner: &mut Owner<'_>,
    nodes: &[StructView],
    links: &[StructView],
) -> Result<bool> {
    let is_output = |node: &&StructView| {
        node.string("idname").is_some_and(|name| name.starts_with(SHADER_OUTPUT))
    };
    let outputs: HashSet<u64> =
        nodes.iter().filter(is_output).map(|node| node.block().old_address).collect();
    let leads_out =
        |link: &&StructView| link.pointer("tonode").is_some_and(|node| outputs.contains(&node));
    let sockets: HashSet<u64> =
        links.iter().filter(leads_out).filter_map(|link| link.pointer("tosock")).collect();
    let mut is_volume = false;
    for socket in sockets {
        each_in_list(owner, socket, 1, |socket| {
            is_volume |= socket.string("identifier").is_some_and(|name| name == VOLUME);
            false
        })?;
    }
    Ok(is_volume)
}

/// What one datablock says of it.
#[derive(Debug, Default)]
pub(crate) struct Splitting {
    obstacle: Option<SplitObstacle>,
    /// Whether it is an image whose pixels are in files, and no movie.
    is_file: bool,
    of_scene: Option<Box<OfScene>>,
}

/// What is known of a scene, until all of it was looked at.
#[derive(Debug, Default)]
struct OfScene {
    /// `r.mode` and `r.scemode`.
    mode: i64,
    scene_mode: i64,
    makes_texture_cache: bool,
    layers: usize,
}

impl Splitting {
    /// Why frames that show it are not rendered in parts.
    pub(crate) const fn obstacle(&self) -> Option<SplitObstacle> {
        self.obstacle
    }

    /// Whether it is a scene whose frames are made with a texture cache, where they show images.
    pub(crate) fn makes_texture_cache(&self) -> bool {
        self.of_scene.as_ref().is_some_and(|scene| scene.makes_texture_cache)
    }

    /// Whether it is an image that a texture cache would be made of.
    pub(crate) const fn is_file(&self) -> bool {
        self.is_file
    }

    /// Takes note of a reason; the first of those that there are counts.
    pub(crate) fn note(&mut self, found: SplitObstacle) {
        self.obstacle = Some(self.obstacle.map_or(found, |known| known.min(found)));
    }

    /// Looks at one struct of the datablock that the file stands at.
    pub(crate) fn look(&mut self, owner: &mut Owner<'_>, view: &StructView) -> Result<()> {
        let flag =
            |field: &str, bits: i64| view.integer(field).is_some_and(|flag| flag & bits == bits);
        match view.struct_name() {
            "Object" if view.integer("type").is_some_and(|kind| GREASE_PENCILS.contains(&kind)) => {
                self.note(SplitObstacle::GreasePencil);
            }
            "Image" => {
                self.is_file = view.integer("source").is_some_and(|one| OF_FILES.contains(&one));
            }
            "Volume" => self.note(SplitObstacle::Volumes),
            "Scene" => self.scene(owner, view)?,
            _ => {}
        }
        // They stand behind the scene's own struct.
        let Some(scene) = &mut self.of_scene else { return Ok(()) };
        let found = match view.struct_name() {
            "Sequence" if scene.scene_mode & SHOWS_STRIPS != 0 => SplitObstacle::Sequencer,
            "ViewLayer" => {
                scene.layers += 1;
                let draws_lines = scene.mode & HAS_FREESTYLE != 0;
                if draws_lines && flag("flag", LAYER_DRAWS_LINES) {
                    SplitObstacle::Freestyle
                } else if scene.layers > 1 && scene.scene_mode & ONLY_ONE_LAYER != 0 {
                    SplitObstacle::SingleLayer
                } else {
                    return Ok(());
                }
            }
            _ => return Ok(()),
        };
        self.note(found);
        Ok(())
    }

    fn scene(&mut self, owner: &mut Owner<'_>, view: &StructView) -> Result<()> {
        let (mode, scene_mode) = (view.integer("r.mode"), view.integer("r.scemode").unwrap_or(0));
        self.of_scene = Some(Box::new(OfScene {
            mode: mode.unwrap_or(0),
            scene_mode,
            makes_texture_cache: scene_mode & MAKES_TEXTURE_CACHE == MAKES_TEXTURE_CACHE
                && owner.file.header().blender_version >= TEXTURE_CACHE_SINCE,
            layers: 0,
        }));
        if view.string("r.engine").unwrap_or_default() != CYCLES {
            self.note(SplitObstacle::Engine);
        }
        if view.integer("r.im_format.color_management") == Some(OWN_COLORS) {
            self.note(SplitObstacle::OwnColors);
        }
        let cycles = numbers_of(owner, view, "cycles", &["time_limit", "use_guiding"])?;
        for (name, obstacle) in
            [("time_limit", SplitObstacle::TimeLimit), ("use_guiding", SplitObstacle::PathGuiding)]
        {
            if cycles.get(name).is_some_and(|value| *value > 0.0) {
                self.note(obstacle);
            }
        }
        Ok(())
    }
}
