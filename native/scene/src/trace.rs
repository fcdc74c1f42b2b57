use std::collections::{HashMap, HashSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use blendfile::{BlendFile, Block, BlockCode, DnaCache, StructView};

use crate::blend_path::BlendPath;
use crate::datablock::{Owner, Place, Reader, reader};
use crate::datablock_type::datablock_type;
use crate::dependency::{Dependency, DependencyKind, MissingFile};
use crate::error::{Result, SceneError};
use crate::expand::Expansion;

/// Most `.blend` files that one scene may lead to.
const MAX_BLEND_FILES: usize = 100_000;

/// How many `.blend` files are handed to the processors at once: enough to keep them busy, few
/// enough that what is shown of the progress is true.
const FILES_IN_BATCH: usize = 32;

/// Most structs of one block that are asked for paths; bakes of a modifier are the only arrays.
const MAX_STRUCTS: usize = 10_000;

/// The scene to trace.
#[derive(Debug, Clone)]
pub struct TraceSource {
    /// The file to read: often a copy that was saved for this render.
    pub file: PathBuf,
    /// Where the scene lives as the artist sees it; `//` paths start at this path's folder.
    pub as_path: PathBuf,
}

/// Everything that a scene asks for.
#[derive(Debug)]
pub struct Trace {
    /// The scene first, then every linked `.blend` file that is there, each once.
    pub(crate) blend_files: Vec<TracedBlendFile>,
    dependencies: Vec<Dependency>,
}

/// A `.blend` file with the paths that it holds.
#[derive(Debug)]
pub(crate) struct TracedBlendFile {
    pub(crate) file: PathBuf,
    pub(crate) as_path: PathBuf,
    pub(crate) uses: Vec<PathUse>,
    chain: Vec<PathBuf>,
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

impl TracedBlendFile {
    /// The files that lead to it, and itself.
    fn whole_chain(&self) -> Vec<PathBuf> {
        self.chain.iter().chain([&self.as_path]).cloned().collect()
    }
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

    /// What is missing, a file at a time, with who asks for it.
    #[must_use]
    pub fn missing_files(&self) -> Vec<MissingFile> {
        let files = |dependency: &'_ Dependency| {
            let missing = |path: &PathBuf| MissingFile {
                kind: dependency.kind.as_str(),
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
/// `on_file` is called with each `.blend` file before it is read.
///
/// # Errors
/// [`SceneError`] where the scene or a library that is there cannot be read. What is missing is
/// not an error: it is in the result.
pub fn trace(source: &TraceSource, mut on_file: impl FnMut(&Path)) -> Result<Trace> {
    if !source.as_path.is_absolute() {
        return Err(SceneError::NotAbsolute { path: source.as_path.clone() });
    }
    let mut trace = Trace { blend_files: Vec::new(), dependencies: Vec::new() };
    let mut waiting = VecDeque::from([TracedBlendFile {
        file: source.file.clone(),
        as_path: source.as_path.clone(),
        uses: Vec::new(),
        chain: Vec::new(),
    }]);
    let mut seen = HashSet::from([source.as_path.clone()]);
    let (known, expanded) = (DnaCache::default(), Expanded::default());
    while !waiting.is_empty() {
        let batch: Vec<TracedBlendFile> =
            waiting.drain(..waiting.len().min(FILES_IN_BATCH)).collect();
        for blend in &batch {
            on_file(&blend.as_path);
        }
        let read = read_batch(&batch, &known, &expanded);
        for (blend, uses) in batch.into_iter().zip(read) {
            follow(&mut trace, &mut waiting, &mut seen, blend, uses?)?;
        }
    }
    Ok(trace)
}

/// Adds what a `.blend` file asks for to the trace, and the libraries among it to what waits.
fn follow(
    trace: &mut Trace,
    waiting: &mut VecDeque<TracedBlendFile>,
    seen: &mut HashSet<PathBuf>,
    mut blend: TracedBlendFile,
    uses: Vec<(PathUse, Dependency)>,
) -> Result<()> {
    for (path_use, dependency) in uses {
        if dependency.kind == DependencyKind::Library
            && !dependency.is_missing()
            && seen.insert(dependency.resolved.clone())
        {
            if seen.len() > MAX_BLEND_FILES {
                return Err(SceneError::TooManyLibraries {
                    path: blend.as_path,
                    limit: MAX_BLEND_FILES,
                });
            }
            waiting.push_back(TracedBlendFile {
                file: dependency.resolved.clone(),
                as_path: dependency.resolved.clone(),
                uses: Vec::new(),
                chain: blend.whole_chain(),
            });
        }
        blend.uses.push(PathUse { dependency: trace.dependencies.len(), ..path_use });
        trace.dependencies.push(dependency);
    }
    trace.blend_files.push(blend);
    Ok(())
}

/// Reads several `.blend` files on all processors; the results are in the order of the files.
fn read_batch(
    batch: &[TracedBlendFile],
    known: &DnaCache,
    expanded: &Expanded,
) -> Vec<Result<Vec<(PathUse, Dependency)>>> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(batch.len());
    let next = AtomicUsize::new(0);
    let read: Mutex<Vec<(usize, Result<_>)>> = Mutex::new(Vec::with_capacity(batch.len()));
    let work = || {
        while let index = next.fetch_add(1, Ordering::Relaxed)
            && let Some(blend) = batch.get(index)
        {
            let uses = read_uses(blend, known, expanded);
            read.lock().unwrap_or_else(PoisonError::into_inner).push((index, uses));
        }
    };
    if threads <= 1 {
        work();
    } else {
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(work);
            }
        });
    }
    let mut read = read.into_inner().unwrap_or_else(PoisonError::into_inner);
    read.sort_unstable_by_key(|(index, _)| *index);
    read.into_iter().map(|(_, uses)| uses).collect()
}

/// What was found on disk, so that a folder named by a hundred libraries is listed once.
type Expanded = Mutex<HashMap<(Expansion, PathBuf), (Vec<PathBuf>, Vec<PathBuf>)>>;

fn read_uses(
    blend: &TracedBlendFile,
    known: &DnaCache,
    expanded: &Expanded,
) -> Result<Vec<(PathUse, Dependency)>> {
    let chain = blend.whole_chain();
    let mut file = BlendFile::open_with(&blend.file, known)?;
    let readers: Vec<Option<Reader>> =
        file.dna().structs().iter().map(|structure| reader(&structure.name)).collect();
    let packed_libraries = packed_libraries(&mut file, &blend.as_path)?;
    let mut uses = Vec::new();
    let mut owner = Owner::new(&mut file);
    let mut owner_index = 0;
    for index in 0..owner.file.blocks().len() {
        let Some(block) = owner.file.blocks().get(index).copied() else { break };
        if block.code != BlockCode::DATA {
            owner_index = index;
        }
        let struct_index = usize::try_from(block.struct_index).unwrap_or(usize::MAX);
        let Some(Some(reader)) = readers.get(struct_index) else { continue };
        owner.enter(owner_index)?;
        let base = packed_libraries.get(&owner.library).unwrap_or(&blend.as_path);
        let payload = Arc::new(owner.file.payload(&block)?);
        let views: Vec<StructView> = owner.file.views(&block, &payload).take(MAX_STRUCTS).collect();
        for view in views {
            for found in reader(&mut owner, &view)? {
                let resolved = found.expansion.resolve(&found.written, base);
                let (files, absent_files) = expanded
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .entry((found.expansion.clone(), resolved.clone()))
                    .or_insert_with(|| found.expansion.files(&resolved))
                    .clone();
                uses.push((
                    PathUse { place: found.place, base: base.clone(), dependency: 0 },
                    Dependency {
                        kind: found.kind,
                        datablock_type: datablock_type(owner.code),
                        datablock: String::from_utf8_lossy(&owner.name).into_owned(),
                        library_chain: chain.clone(),
                        written: found.written,
                        resolved,
                        files,
                        absent_files,
                        is_required: found.is_required,
                    },
                ));
            }
        }
    }
    Ok(uses)
}

/// Where the libraries whose datablocks are packed into a file (Blender 5.0) came from, by address:
/// paths of those datablocks begin there still.
fn packed_libraries(file: &mut BlendFile, blend: &Path) -> Result<HashMap<u64, PathBuf>> {
    let blocks: Vec<Block> = file.blocks_of(BlockCode::datablock(*b"LI")).collect();
    let mut libraries = HashMap::new();
    for block in blocks {
        let Some(view) = file.view(&block)? else { continue };
        if view.pointer("archive_parent_library").is_some_and(|address| address != 0) {
            let written = BlendPath::new(view.string("name").unwrap_or_default());
            let folder = blend.parent().unwrap_or(blend);
            libraries.insert(block.old_address, written.resolve(folder));
        }
    }
    Ok(libraries)
}
