use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use blendfile::DnaCache;
use protocol::{BlenderVersion, FrameRange};

use crate::color_config::{self, is_of_the_artist};
use crate::datablock::{FoundPath, InvalidDriver, Place};
use crate::datablock_type::datablock_type;
use crate::dependency::{Dependency, DependencyKind, MissingFile};
use crate::disabled_script::DisabledScript;
use crate::error::{Result, SceneError};
use crate::expand::{Expanded, Expansion, numbered};
use crate::packed_library::{PackedLibrary, UnpackedLibraries};
use crate::parallel::in_parallel;
use crate::private_place::PrivatePlaces;
use crate::rendered::Idle;
use crate::sequence_use::{SequenceUse, needed_numbers, shown_numbers};
use crate::splitting::SplitObstacle;
use crate::texture_cache::shown_instead;
use crate::trace_source::TraceSource;
use crate::unbaked::UnbakedSimulation;
use crate::walk::{DatablockPlace, Reach, Walk, WalkedFile};

/// Everything that a scene asks for.
#[derive(Debug)]
pub struct Trace {
    /// The scene first, then every linked `.blend` file that is there and used, each once.
    pub(crate) blend_files: Vec<TracedBlendFile>,
    dependencies: Vec<Dependency>,
    /// The colour configuration, where there is one of the artist's own.
    pub(crate) color_config: Option<PathBuf>,
    /// The frames that sequences were limited to, where any was.
    pub(crate) limited_to: Option<FrameRange>,
    /// Where the libraries are that were packed into files.
    pub(crate) unpacked: UnpackedLibraries,
    disabled_scripts: Vec<DisabledScript>,
    unbaked: Vec<UnbakedSimulation>,
    split_obstacle: Option<SplitObstacle>,
    /// The files that no Blender since 5.0 opens.
    big_endian: Vec<PathBuf>,
}

/// A `.blend` file with the paths that it holds.
#[derive(Debug)]
pub(crate) struct TracedBlendFile {
    pub(crate) file: PathBuf,
    pub(crate) as_path: PathBuf,
    pub(crate) uses: Vec<PathUse>,
    /// What it holds and shall be read from beside it.
    pub(crate) packed: Vec<PackedLibrary>,
    /// The drivers that shall stay given up.
    pub(crate) invalid_drivers: Vec<InvalidDriver>,
}

/// A path in a `.blend` file: where it stands, and which dependency it is.
#[derive(Debug)]
pub(crate) struct PathUse {
    /// `None` where Blender derives the path from names.
    pub(crate) place: Option<Place>,
    /// The `.blend` file at whose folder `//` begins.
    pub(crate) base: PathBuf,
    pub(crate) dependency: usize,
}

impl Trace {
    /// Every dependency, in the order of the files that ask for them.
    #[must_use]
    pub fn dependencies(&self) -> &[Dependency] {
        &self.dependencies
    }

    /// The dependencies that a render needs and that are not there, or not all of them.
    pub fn missing(&self) -> impl Iterator<Item = &Dependency> {
        self.dependencies
            .iter()
            .filter(|dependency| dependency.is_required && dependency.is_missing())
    }

    /// The scripts that the frames need, where scripts may not run.
    #[must_use]
    pub fn disabled_scripts(&self) -> &[DisabledScript] {
        &self.disabled_scripts
    }

    /// The simulations that the frames evaluate and that are not baked: on the farm each frame shows
    /// them as if it was the first.
    #[must_use]
    pub fn unbaked_simulations(&self) -> &[UnbakedSimulation] {
        &self.unbaked
    }

    /// Why the frames are not rendered in parts by many workers, as far as the files tell; the worker
    /// may find more.
    #[must_use]
    pub const fn split_obstacle(&self) -> Option<SplitObstacle> {
        self.split_obstacle
    }

    /// Refuses files that the Blender of the farm cannot open.
    ///
    /// # Errors
    /// [`SceneError::BigEndian`].
    pub fn check_byte_order(&self, blender: BlenderVersion) -> Result<()> {
        match self.big_endian.first().filter(|_| blender >= BlenderVersion(5, 0, 0)) {
            Some(path) => Err(SceneError::BigEndian { path: path.clone() }),
            None => Ok(()),
        }
    }

    /// Refuses frames that need scripts where these may not run.
    ///
    /// # Errors
    /// [`SceneError::NeedsScripts`].
    pub fn check_scripts(&self) -> Result<()> {
        if self.disabled_scripts.is_empty() {
            return Ok(());
        }
        Err(SceneError::NeedsScripts { scripts: self.disabled_scripts.clone() })
    }

    /// What is missing, a file at a time, with who asks for it.
    #[must_use]
    pub fn missing_files(&self) -> Vec<MissingFile> {
        let private = PrivatePlaces::of_this_computer();
        let files = |dependency: &'_ Dependency| {
            let missing = |path: &PathBuf| MissingFile {
                kind: match path.is_file() {
                    true if private.hold(path) => "private file",
                    true => "file by an absolute path",
                    false => dependency.kind.as_str(),
                },
                datablock_type: dependency.datablock_type,
                datablock: dependency.datablock.clone(),
                path: path.clone(),
                blend_file: dependency.library_chain.last().cloned().unwrap_or_default(),
            };
            dependency.missing_paths().iter().map(missing).collect::<Vec<_>>()
        };
        self.missing().flat_map(files).collect()
    }

    pub(crate) fn dependency(&self, path_use: &PathUse) -> Option<&Dependency> {
        self.dependencies.get(path_use.dependency)
    }
}

/// Lists every external file that a scene asks for, recursively through linked libraries.
///
/// Of a library only what is linked counts, and what that uses in turn, as Blender loads it. What
/// the file holds and no scene leads to is listed as not used.
///
/// `on_file` is called with each `.blend` file before it is read.
///
/// # Errors
/// [`SceneError`] where the scene or a library that is there cannot be read. What is missing is
/// not an error: it is in the result.
pub fn trace(source: &TraceSource, on_file: impl FnMut(&Path)) -> Result<Trace> {
    if !source.as_path.is_absolute() {
        return Err(SceneError::NotAbsolute { path: source.as_path.clone() });
    }
    let mut walk = Walk::new(source);
    walk.run(&DnaCache::default(), source, on_file)?;
    let expanded = ExpandedOnce::default();
    let places: Vec<usize> = (0..walk.files.len()).collect();
    let shown = source.frames.and_then(|frames| {
        Some(Shown {
            frames,
            limit_from_bytes: source.limit_from_bytes,
            uses: walk.sequence_uses()?,
            has_limited: AtomicBool::new(false),
        })
    });
    let scene = source.scene.as_deref();
    let rendered = walk.rendered(scene, Idle::Evaluated);
    let idle = if walk.has_workbench() { Idle::Evaluated } else { Idle::LeftOut };
    let datablocks = Uses {
        // A script may read anything as soon as the scene is open, and have frames show it.
        evaluated: (!source.allow_scripts).then(|| walk.evaluated_images()),
        idle: if idle == Idle::LeftOut && !source.allow_scripts {
            walk.idle_images()
        } else {
            HashSet::new()
        },
        shown: (!source.allow_scripts).then(|| walk.rendered(scene, idle).into_iter().collect()),
    };
    let private = PrivatePlaces::of_this_computer();
    let uses = in_parallel(&places, |place| {
        uses_of(&walk, *place, shown.as_ref(), (&expanded, &private), &datablocks)
    });
    let limited = shown.as_ref().filter(|shown| shown.has_limited.load(Ordering::Relaxed));
    let mut trace = Trace {
        blend_files: Vec::new(),
        dependencies: Vec::new(),
        color_config: None,
        limited_to: limited.map(|shown| shown.frames),
        unpacked: walk.unpacked.clone(),
        disabled_scripts: if source.allow_scripts {
            Vec::new()
        } else {
            walk.disabled_scripts(&rendered)
        },
        unbaked: walk.unbaked_simulations(&rendered),
        split_obstacle: walk.split_obstacle(scene, &rendered),
        big_endian: Vec::new(),
    };
    if let Some(config) = source.color_config.as_ref().filter(|path| is_of_the_artist(path)) {
        trace.dependencies.push(color_config::dependency(config, &source.as_path)?);
        trace.color_config = Some(config.clone());
    }
    for (number, (file, found)) in walk.files.iter().zip(uses).enumerate() {
        let mut blend = TracedBlendFile {
            file: file.file.clone(),
            as_path: file.as_path.clone(),
            uses: Vec::with_capacity(found.len()),
            packed: walk.packed_pointers(file),
            invalid_drivers: file
                .datablocks()
                .iter()
                .filter(|_| source.is_session && number == 0)
                .flat_map(|datablock| datablock.invalid_drivers.iter().copied())
                .collect(),
        };
        for (path_use, dependency) in found {
            blend.uses.push(PathUse { dependency: trace.dependencies.len(), ..path_use });
            trace.dependencies.push(dependency);
        }
        if number == 0 || file.is_used() {
            trace.big_endian.extend(file.is_big_endian().then(|| file.as_path.clone()));
            trace.blend_files.push(blend);
        }
    }
    Ok(trace)
}

/// The files of a path that are there. Those in private places are named as missing, and not sent.
fn on_disk(found: &FoundPath, resolved: &Path, private: &PrivatePlaces) -> Expanded {
    let mut there = found.expansion.files(resolved);
    if found.kind.is_image() {
        let cached = shown_instead(&there.files);
        there.files.extend(cached);
        there.files.sort();
    }
    let withheld = there.files.extract_if(.., |file| private.hold(&file.path));
    there.absent.extend(withheld.map(|file| file.path).collect::<Vec<_>>());
    there
}

/// How datablocks are used, by their places.
struct Uses {
    /// The images that may be read when the scene is opened; all where nobody can tell.
    evaluated: Option<HashSet<DatablockPlace>>,
    /// The images that no frame shows.
    idle: HashSet<DatablockPlace>,
    /// What frames show; all where nobody can tell.
    shown: Option<HashSet<DatablockPlace>>,
}

impl Uses {
    fn opens_without(&self, image: DatablockPlace) -> bool {
        self.evaluated.as_ref().is_some_and(|images| !images.contains(&image))
    }

    /// Whether a frame may need what a datablock names.
    fn matter(&self, datablock: DatablockPlace) -> bool {
        let is_shown = self.shown.as_ref().is_none_or(|all| all.contains(&datablock));
        is_shown && !self.idle.contains(&datablock)
    }
}

/// What was found on disk, so that a folder named by a hundred libraries is listed once.
type ExpandedOnce = Mutex<HashMap<(Expansion, PathBuf), Expanded>>;

/// The paths of one file's datablocks that are reached, in the order of the file.
fn uses_of(
    walk: &Walk,
    place: usize,
    shown: Option<&Shown>,
    (expanded, private): (&ExpandedOnce, &PrivatePlaces),
    datablocks: &Uses,
) -> Vec<(PathUse, Dependency)> {
    let Some(file) = walk.files.get(place) else { return Vec::new() };
    let mut uses = Vec::new();
    for (number, datablock) in file.datablocks().iter().enumerate() {
        let reach = file.reach_of(number);
        if reach == Reach::Unreached {
            continue;
        }
        for found in &datablock.paths {
            let scene = walk.files.first().filter(|_| found.is_of_scene);
            let base = scene.map_or(&*datablock.base, |scene| &scene.as_path);
            let resolved = found.expansion.resolve(&found.written, base);
            let mut files_there = expanded
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .entry((found.expansion.clone(), resolved.clone()))
                .or_insert_with(|| on_disk(found, &resolved, private))
                .clone();
            if let Some(shown) = shown
                && found.kind == DependencyKind::ImageSequence
                && datablock.code == *b"IM"
            {
                shown.find_holes(&mut files_there, &resolved, (place, number));
                shown.limit(&mut files_there, (place, number));
            }
            let mut found = found.clone();
            if found.kind == DependencyKind::Library && walk.is_unpacked(&resolved) {
                (found.kind, found.is_required) = (DependencyKind::PackedLibrary, false);
            }
            let path_use = PathUse { place: found.place, base: base.to_owned(), dependency: 0 };
            let owner = (datablock_type(datablock.code), datablock.name.as_slice());
            let mut dependency = dependency(file, owner, &found, resolved, files_there, reach);
            dependency.opens_without = dependency.is_used
                && found.kind.is_image()
                && datablock.code == *b"IM"
                && datablocks.opens_without((place, number));
            dependency.is_required &= datablocks.matter((place, number))
                && (datablocks.shown.is_none() || walk.shows_path((place, number), found.shown_by));
            uses.push((path_use, dependency));
        }
    }
    uses
}

fn dependency(
    file: &WalkedFile,
    (datablock_type, name): (&'static str, &[u8]),
    found: &FoundPath,
    resolved: PathBuf,
    on_disk: Expanded,
    reach: Reach,
) -> Dependency {
    let is_used = reach == Reach::Used;
    Dependency {
        kind: found.kind,
        datablock_type,
        datablock: String::from_utf8_lossy(name).into_owned(),
        library_chain: file.whole_chain(),
        written: found.written.clone(),
        resolved,
        files: on_disk.files,
        absent_files: on_disk.absent,
        is_used,
        is_required: (found.is_required || on_disk.is_unreadable) && is_used,
        opens_without: false,
    }
}

/// What a job's frames show of image sequences.
struct Shown {
    frames: FrameRange,
    limit_from_bytes: u64,
    uses: HashMap<(usize, usize), Vec<SequenceUse>>,
    has_limited: AtomicBool,
}

impl Shown {
    /// Names the files that frames of the job show and that are not there, between others that are.
    fn find_holes(&self, on_disk: &mut Expanded, resolved: &Path, image: DatablockPlace) {
        let uses = self.uses.get(&image).map(Vec::as_slice).unwrap_or_default();
        let there: BTreeSet<i64> = on_disk.files.iter().filter_map(|file| file.frame).collect();
        let (Some(first), Some(last)) = (there.first(), there.last()) else { return };
        let needed = needed_numbers(uses, &self.frames).into_iter();
        let holes =
            needed.filter(|number| (first..=last).contains(&number) && !there.contains(number));
        on_disk.absent.extend(holes.filter_map(|number| numbered(resolved, number)));
    }

    /// Leaves out the files of a sequence that no frame of the job shows.
    fn limit(&self, on_disk: &mut Expanded, image: (usize, usize)) {
        let uses = self.uses.get(&image).map(Vec::as_slice).unwrap_or_default();
        let Some(shown) = shown_numbers(uses, &self.frames) else { return };
        let is_shown = |frame: Option<i64>| frame.is_none_or(|frame| shown.contains(&frame));
        let left_out = on_disk.files.iter().filter(|file| !is_shown(file.frame));
        let left_out_bytes: u64 = left_out.map(|file| file.size_bytes).sum();
        // A sequence that shows none of its files is more likely misread here than empty.
        if left_out_bytes > 0
            && left_out_bytes >= self.limit_from_bytes
            && on_disk.files.iter().any(|file| is_shown(file.frame))
        {
            on_disk.files.retain(|file| is_shown(file.frame));
            self.has_limited.store(true, Ordering::Relaxed);
        }
    }
}
