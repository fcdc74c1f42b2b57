//! From datablock to datablock and from file to file: what a scene leads to.

use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};

use blendfile::DnaCache;

use crate::contents::{Contents, Datablock};
use crate::error::{Result, SceneError};
use crate::parallel::in_parallel;
use crate::sequence_use::SequenceUse;
use crate::trace::TraceSource;

/// Most `.blend` files that one scene may lead to.
const MAX_BLEND_FILES: usize = 100_000;

/// How many `.blend` files are handed to the processors at once: enough to keep them busy, few
/// enough that what is shown of the progress is true.
const FILES_IN_BATCH: usize = 32;

/// Most libraries that stand in for one another before a datablock is found.
const MAX_STAND_INS: usize = 64;

/// Windows, screens, workspaces and brushes: what they show and paint with is not rendered.
const EDITING: [[u8; 2]; 4] = [*b"WM", *b"SR", *b"WS", *b"BR"];

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

/// The files that a scene leads to, and how far each of their datablocks is reached.
#[derive(Debug)]
pub(crate) struct Walk {
    /// The scene first, then in the order in which they were found.
    pub(crate) files: Vec<WalkedFile>,
    by_path: HashMap<PathBuf, usize>,
    unread: VecDeque<usize>,
    steps: Vec<(usize, usize)>,
}

/// One file on the way.
#[derive(Debug)]
pub(crate) struct WalkedFile {
    pub(crate) file: PathBuf,
    pub(crate) as_path: PathBuf,
    chain: Vec<PathBuf>,
    contents: Option<Contents>,
    reach: Vec<Reach>,
    /// What is linked from it, until it is read.
    wanted: Vec<([u8; 2], Vec<u8>, Reach)>,
}

impl WalkedFile {
    pub(crate) fn datablocks(&self) -> &[Datablock] {
        self.contents.as_ref().map_or(&[], |contents| &contents.datablocks)
    }

    pub(crate) fn reach_of(&self, datablock: usize) -> Reach {
        self.reach.get(datablock).copied().unwrap_or(Reach::Unreached)
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
            chain: Vec::new(),
            contents: None,
            reach: Vec::new(),
            wanted: Vec::new(),
        };
        Self {
            files: vec![scene],
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
            let paths: Vec<(PathBuf, PathBuf)> = batch
                .iter()
                .filter_map(|place| self.files.get(*place))
                .map(|file| (file.file.clone(), file.as_path.clone()))
                .collect();
            for (_, as_path) in &paths {
                on_file(as_path);
            }
            let read = in_parallel(&paths, |(file, as_path)| {
                Contents::read(file, as_path, known, with_sequences)
            });
            for (place, contents) in batch.into_iter().zip(read) {
                self.take(place, contents?, source.takes_unused);
            }
            self.spread()?;
        }
        Ok(())
    }

    /// How the datablocks that are rendered show images, by the image's file and place.
    pub(crate) fn sequence_uses(&self) -> HashMap<(usize, usize), Vec<SequenceUse>> {
        let mut uses: HashMap<(usize, usize), Vec<SequenceUse>> = HashMap::new();
        for (place, file) in self.files.iter().enumerate() {
            for (number, datablock) in file.datablocks().iter().enumerate() {
                if file.reach_of(number) != Reach::Used {
                    continue;
                }
                for (image, one) in datablock.sequence_uses.iter() {
                    if let Some(image) = self.behind((place, image)) {
                        uses.entry(image).or_default().push(one);
                    }
                }
            }
        }
        uses
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
            let reach = if EDITING.contains(&datablock.code) {
                Reach::Listed
            } else {
                file.reach_of(number)
            };
            let link = datablock.library.and_then(|library| {
                Some((library_path(file, library)?, datablock.code, datablock.name.clone()))
            });
            for used in datablock.uses.clone() {
                self.mark(place, used, reach);
            }
            if let Some((path, code, name)) = link {
                self.link(place, path, code, name, reach)?;
            }
        }
        Ok(())
    }

    /// Marks a datablock of another file, now or when that file is read.
    fn link(
        &mut self,
        from: usize,
        path: PathBuf,
        code: [u8; 2],
        name: Vec<u8>,
        reach: Reach,
    ) -> Result<()> {
        let place = match self.by_path.get(&path) {
            Some(place) => *place,
            None if !path.is_file() => return Ok(()),
            None => self.add(from, path)?,
        };
        let Some(file) = self.files.get_mut(place) else { return Ok(()) };
        match &file.contents {
            None => file.wanted.push((code, name, reach)),
            Some(contents) => {
                if let Some(number) = contents.find(code, &name) {
                    self.mark(place, number, reach);
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, from: usize, path: PathBuf) -> Result<usize> {
        let place = self.files.len();
        let chain = self.files.get(from).map(WalkedFile::whole_chain).unwrap_or_default();
        if place == MAX_BLEND_FILES {
            let path = chain.last().cloned().unwrap_or_default();
            return Err(SceneError::TooManyLibraries { path, limit: MAX_BLEND_FILES });
        }
        self.by_path.insert(path.clone(), place);
        self.unread.push_back(place);
        self.files.push(WalkedFile {
            file: path.clone(),
            as_path: path,
            chain,
            contents: None,
            reach: Vec::new(),
            wanted: Vec::new(),
        });
        Ok(place)
    }

    /// The datablock itself, for one that only stands in for it.
    fn behind(&self, (mut place, mut number): (usize, usize)) -> Option<(usize, usize)> {
        for _ in 0..MAX_STAND_INS {
            let file = self.files.get(place)?;
            let datablock = file.datablocks().get(number)?;
            let Some(library) = datablock.library else { return Some((place, number)) };
            place = *self.by_path.get(&library_path(file, library)?)?;
            let contents = self.files.get(place)?.contents.as_ref()?;
            number = contents.find(datablock.code, &datablock.name)?;
        }
        None
    }
}

/// Where a library of a file is; `None` where it is packed into the file.
fn library_path(file: &WalkedFile, library: usize) -> Option<PathBuf> {
    let library = file.datablocks().get(library)?;
    let found = library.paths.first()?;
    Some(found.expansion.resolve(&found.written, &library.base))
}
