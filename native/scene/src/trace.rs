use std::collections::{HashMap, HashSet, VecDeque};
use std::path::{Path, PathBuf};

use blendfile::{BlendFile, Block};

use crate::blend_path::BlendPath;
use crate::datablock::{DatablockType, readers};
use crate::dependency::{Dependency, DependencyKind};
use crate::error::{Result, SceneError};
use crate::expand;

/// Most `.blend` files that one scene may lead to.
const MAX_BLEND_FILES: usize = 100_000;

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
    pub(crate) block: Block,
    pub(crate) field: &'static str,
    pub(crate) dependency: usize,
}

impl Trace {
    /// Every dependency, in the order of the files that ask for them.
    #[must_use]
    pub fn dependencies(&self) -> &[Dependency] {
        &self.dependencies
    }

    /// The dependencies of which no file is there.
    pub fn missing(&self) -> impl Iterator<Item = &Dependency> {
        self.dependencies.iter().filter(|dependency| dependency.is_missing())
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
    let mut expanded = HashMap::new();
    while let Some(mut blend) = waiting.pop_front() {
        on_file(&blend.as_path);
        let mut chain = blend.chain.clone();
        chain.push(blend.as_path.clone());
        for (path_use, dependency) in read_uses(&blend, &chain, &mut expanded)? {
            if dependency.kind == DependencyKind::Library
                && !dependency.is_missing()
                && seen.insert(dependency.resolved.clone())
            {
                if seen.len() > MAX_BLEND_FILES {
                    return Err(SceneError::TooManyLibraries {
                        path: source.as_path.clone(),
                        limit: MAX_BLEND_FILES,
                    });
                }
                waiting.push_back(TracedBlendFile {
                    file: dependency.resolved.clone(),
                    as_path: dependency.resolved.clone(),
                    uses: Vec::new(),
                    chain: chain.clone(),
                });
            }
            blend.uses.push(PathUse { dependency: trace.dependencies.len(), ..path_use });
            trace.dependencies.push(dependency);
        }
        trace.blend_files.push(blend);
    }
    Ok(trace)
}

type Expanded = HashMap<(DependencyKind, bool, PathBuf), Vec<PathBuf>>;

fn read_uses(
    blend: &TracedBlendFile,
    chain: &[PathBuf],
    expanded: &mut Expanded,
) -> Result<Vec<(PathUse, Dependency)>> {
    let mut file = BlendFile::open(&blend.file)?;
    let folder = blend.as_path.parent().unwrap_or(&blend.as_path).to_owned();
    let mut uses = Vec::new();
    for datablock_type in readers() {
        let blocks: Vec<Block> = file.blocks_of(datablock_type.code).collect();
        for block in blocks {
            for (field, name, kind, is_sequence, written) in
                paths_of(&mut file, &block, &datablock_type)?
            {
                let resolved = written.resolve(&folder);
                let files = expanded
                    .entry((kind, is_sequence, resolved.clone()))
                    .or_insert_with(|| expand::files(kind, is_sequence, &resolved))
                    .clone();
                uses.push((
                    PathUse { block, field, dependency: 0 },
                    Dependency {
                        kind,
                        datablock_type: datablock_type.name,
                        datablock: name,
                        library_chain: chain.to_vec(),
                        written,
                        resolved,
                        files,
                    },
                ));
            }
        }
    }
    Ok(uses)
}

type FoundPath = (&'static str, String, DependencyKind, bool, BlendPath);

fn paths_of(
    file: &mut BlendFile,
    block: &Block,
    datablock_type: &DatablockType,
) -> Result<Vec<FoundPath>> {
    let Some(view) = file.view(block)? else { return Ok(Vec::new()) };
    // The first two letters of a datablock's name are its type.
    let name = view.string("id.name").unwrap_or_default();
    let name = String::from_utf8_lossy(name.get(2..).unwrap_or_default()).into_owned();
    Ok((datablock_type.reader)(&view)
        .into_iter()
        .filter_map(|found| {
            let written = BlendPath::new(view.string(found.field)?);
            (!written.is_empty())
                .then(|| (found.field, name.clone(), found.kind, found.is_sequence, written))
        })
        .collect())
}
