//! From datablock to datablock and from file to file: what a scene leads to.

mod found;

use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};

use blendfile::DnaCache;

use crate::contents::{Contents, Datablock};
use crate::error::{Result, SceneError};
use crate::packed_library::{PackedLibrary, UnpackedLibraries};
use crate::parallel::in_parallel;
use crate::trace_source::TraceSource;

/// Most `.blend` files that one scene may lead to.
const MAX_BLEND_FILES: usize = 100_000;

/// How many `.blend` files are handed to the processors at once: enough to keep them busy, few
/// enough that what is shown of the progress is true.
const FILES_IN_BATCH: usize = 32;

/// How far a datablock is from being rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reach {
    /// Blender does not load it: nobody links it.
    Unreached,
    /// Blender loads it, and no scene leads to it.
    Listed,
    /// A scene leads to it.
    Used,
}

/// A datablock, by the place of its file and its own in it.
pub(crate) type DatablockPlace = (usize, usize);

/// The files that a scene leads to, and how far each of their datablocks is reached.
#[derive(Debug)]
pub(crate) struct Walk {
    /// The scene first, then in the order in which they were found.
    pub(crate) files: Vec<WalkedFile>,
    /// Where the libraries are that were packed into files.
    pub(crate) unpacked: UnpackedLibraries,
    /// The files that were found packed into others, by their path, with who holds them.
    packed: HashMap<PathBuf, Holder>,
    by_path: HashMap<PathBuf, usize>,
    unread: VecDeque<usize>,
    steps: Vec<DatablockPlace>,
}

/// One file on the way.
#[derive(Debug)]
pub(crate) struct WalkedFile {
    pub(crate) file: PathBuf,
    pub(crate) as_path: PathBuf,
    /// The file that holds it, where it has to be unpacked before it is read.
    packed_in: Option<Holder>,
    chain: Vec<PathBuf>,
    contents: Option<Contents>,
    reach: Vec<Reach>,
    /// What is linked from it, until it is read.
    wanted: Vec<([u8; 2], Vec<u8>, Reach)>,
}

/// A file that holds a library.
#[derive(Debug, Clone)]
struct Holder {
    file: PathBuf,
    as_path: PathBuf,
    library: PackedLibrary,
}

impl WalkedFile {
    pub(crate) fn datablocks(&self) -> &[Datablock] {
        self.contents.as_ref().map_or(&[], |contents| &contents.datablocks)
    }

    pub(crate) fn is_big_endian(&self) -> bool {
        self.contents.as_ref().is_some_and(|contents| contents.is_big_endian)
    }

    pub(crate) fn reach_of(&self, datablock: usize) -> Reach {
        self.reach.get(datablock).copied().unwrap_or(Reach::Unreached)
    }

    /// Those of some of its datablocks that are images, or stand in for images.
    fn images(&self, places: &[usize]) -> impl Iterator<Item = usize> {
        let is_image =
            |place: &usize| self.datablocks().get(*place).is_some_and(|one| one.code == *b"IM");
        places.iter().copied().filter(is_image)
    }

    /// Whether any of its datablocks is rendered.
    pub(crate) fn is_used(&self) -> bool {
        self.reach.contains(&Reach::Used)
    }

    /// The files that lead to it, and itself.
    pub(crate) fn whole_chain(&self) -> Vec<PathBuf> {
        self.chain.iter().chain([&self.as_path]).cloned().collect()
    }
}

impl Walk {
    pub(crate) fn new(source: &TraceSource) -> Self {
        let as_path = &source.as_path;
        let scene = WalkedFile {
            file: source.file.clone(),
            as_path: as_path.clone(),
            packed_in: None,
            chain: Vec::new(),
            contents: None,
            reach: Vec::new(),
            wanted: Vec::new(),
        };
        Self {
            files: vec![scene],
            unpacked: UnpackedLibraries::default(),
            packed: HashMap::new(),
            by_path: HashMap::from([(as_path.clone(), 0)]),
            unread: VecDeque::from([0]),
            steps: Vec::new(),
        }
    }

    /// Reads every file that is reached, and marks what is.
    pub(crate) fn run(
        &mut self,
        known: &DnaCache,
        source: &TraceSource,
        mut on_file: impl FnMut(&Path),
    ) -> Result<()> {
        let with_sequences = source.frames.is_some();
        while !self.unread.is_empty() {
            let count = self.unread.len().min(FILES_IN_BATCH);
            let batch: Vec<usize> = self.unread.drain(..count).collect();
            let files: Vec<&WalkedFile> =
                batch.iter().filter_map(|place| self.files.get(*place)).collect();
            for file in &files {
                on_file(&file.as_path);
            }
            let read = in_parallel(&files, |file| {
                let read = || Contents::read(&file.file, &file.as_path, known, with_sequences);
                let Some(holder) = &file.packed_in else { return read() };
                let unpacked = holder.library.unpack(&holder.file, known, &file.file);
                unpacked.and_then(|()| read()).map_err(|source| SceneError::PackedLibrary {
                    library: file.as_path.clone(),
                    holder: holder.as_path.clone(),
                    source: Box::new(source),
                })
            });
            for (place, contents) in batch.into_iter().zip(read) {
                self.take(place, contents?, source.allow_scripts);
            }
            self.spread()?;
        }
        Ok(())
    }

    fn take(&mut self, place: usize, contents: Contents, takes_unused: bool) {
        let Some(file) = self.files.get_mut(place) else { return };
        file.reach = vec![Reach::Unreached; contents.datablocks.len()];
        let mut marks = Vec::new();
        if place == 0 {
            // Any of its scenes may be the one that is rendered.
            marks.extend(contents.datablocks.iter().enumerate().map(|(number, datablock)| {
                let is_used = takes_unused || datablock.code == *b"SC";
                (number, if is_used { Reach::Used } else { Reach::Listed })
            }));
        }
        for (code, name, reach) in std::mem::take(&mut file.wanted) {
            marks.extend(contents.find(code, &name).map(|number| (number, reach)));
        }
        file.contents = Some(contents);
        let packed = file.datablocks().iter().enumerate().filter_map(|(number, datablock)| {
            let (holder, as_path) = (file.file.clone(), file.as_path.clone());
            let holder = Holder { file: holder, as_path, library: **datablock.packed.as_ref()? };
            Some((library_path(file, number)?, holder))
        });
        for (path, packed) in packed {
            self.packed.entry(path).or_insert(packed);
        }
        for (number, reach) in marks {
            self.mark(place, number, reach);
        }
    }

    fn mark(&mut self, place: usize, number: usize, reach: Reach) {
        let Some(file) = self.files.get_mut(place) else { return };
        if let Some(known) = file.reach.get_mut(number)
            && *known < reach
        {
            *known = reach;
            self.steps.push((place, number));
        }
    }

    /// Follows what was marked until there is nothing new in the files that are read.
    fn spread(&mut self) -> Result<()> {
        while let Some((place, number)) = self.steps.pop() {
            let Some(file) = self.files.get(place) else { continue };
            let Some(datablock) = file.datablocks().get(number) else { continue };
            let reach =
                if datablock.is_of_editors() { Reach::Listed } else { file.reach_of(number) };
            let link = datablock
                .library
                .and_then(|library| Some((library_path(file, library)?, datablock.name.clone())));
            let code = datablock.code;
            // A library names the one that it was packed from, and needs it no more.
            if datablock.code != *b"LI" {
                for used in datablock.uses.clone() {
                    self.mark(place, used, reach);
                }
            }
            if let Some((path, name)) = link
                && let Some(linked) = self.linked_file(place, path)?
            {
                self.link(linked, code, name, reach);
            }
        }
        Ok(())
    }

    /// Marks a datablock of another file, now or when that file is read.
    fn link(&mut self, place: usize, code: [u8; 2], name: Vec<u8>, reach: Reach) {
        let Some(file) = self.files.get_mut(place) else { return };
        match &file.contents {
            None => file.wanted.push((code, name, reach)),
            Some(contents) => {
                if let Some(number) = contents.find(code, &name) {
                    self.mark(place, number, reach);
                }
            }
        }
    }

    /// The file of a library that a file links; `None` where it is not there. One that was packed
    /// comes before one on disk, wherever it is packed: a file holds those of its libraries too.
    fn linked_file(&mut self, from: usize, path: PathBuf) -> Result<Option<usize>> {
        if let Some(place) = self.by_path.get(&path) {
            return Ok(Some(*place));
        }
        let packed = self.packed.get(&path).cloned();
        if packed.is_none() && !path.is_file() {
            return Ok(None);
        }
        let chain = self.files.get(from).map(WalkedFile::whole_chain).unwrap_or_default();
        let place = self.files.len();
        if place == MAX_BLEND_FILES {
            let path = chain.last().cloned().unwrap_or_default();
            return Err(SceneError::TooManyLibraries { path, limit: MAX_BLEND_FILES });
        }
        let file = match &packed {
            Some(holder) => self.unpacked.place(&holder.library, &path, &holder.as_path)?,
            None => path.clone(),
        };
        self.by_path.insert(path.clone(), place);
        self.unread.push_back(place);
        self.files.push(WalkedFile {
            file,
            as_path: path,
            packed_in: packed,
            chain,
            contents: None,
            reach: Vec::new(),
            wanted: Vec::new(),
        });
        Ok(Some(place))
    }
}

/// Where a library of a file is, or was before it was packed into the file.
fn library_path(file: &WalkedFile, library: usize) -> Option<PathBuf> {
    let library = file.datablocks().get(library)?;
    let found = library.paths.first()?;
    Some(found.expansion.resolve(&found.written, &library.base))
}
