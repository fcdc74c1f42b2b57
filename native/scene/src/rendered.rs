//! What the frames of a scene evaluate: what only the editors show, they leave out.

use foldhash::{HashSet, HashSetExt};

use crate::animates::Animates;
use crate::contents::Datablock;
use crate::datablock::ShownBy;
use crate::datablock_type::datablock_type;
use crate::disabled_script::DisabledScript;
use crate::splitting::SplitObstacle;
use crate::walk::{DatablockPlace, Walk, WalkedFile};

/// A datablock on the way. A collection comes with the scene whose layers show it, as long as it is
/// not an object that instances it: that takes its hidden objects along.
type Step = (DatablockPlace, Option<DatablockPlace>);

/// What becomes of what Blender evaluates and no frame shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Idle {
    Evaluated,
    LeftOut,
}

impl Walk {
    /// The datablocks that the frames of a scene evaluate; of any scene where none is named. Blender
    /// evaluates also what is `idle`: what its frames do not show, as a node that is muted.
    pub(crate) fn rendered(&self, scene: Option<&str>, idle: Idle) -> Vec<DatablockPlace> {
        let is_rendered = |name: &[u8]| scene.is_none_or(|scene| scene.as_bytes() == name);
        let scenes = self.files.first().map_or(&[][..], WalkedFile::datablocks).iter().enumerate();
        let mut steps: Vec<Step> = scenes
            .filter(|(_, one)| one.code == *b"SC" && is_rendered(&one.name))
            .map(|(number, _)| ((0, number), None))
            .collect();
        let mut seen: HashSet<Step> = steps.iter().copied().collect();
        let mut found = HashSet::new();
        let mut rendered = Vec::new();
        while let Some((at, scene)) = steps.pop() {
            let Some(datablock) = self.datablock(at) else { continue };
            if found.insert(at) {
                rendered.push(at);
            }
            let is_scene = datablock.code == *b"SC";
            let shown_by = if is_scene { Some(at) } else { scene };
            let layers = shown_by.and_then(|scene| self.datablock(scene));
            let leaves_out = self.idle_uses(at, datablock, idle);
            for used in datablock.uses.iter().filter(|used| !leaves_out(**used)) {
                let here = (at.0, *used);
                // Where its library is not there, what is known of it is its name.
                let behind = self.behind(here).unwrap_or(here);
                let Some(one) = self.datablock(behind) else { continue };
                let is_held = is_scene || datablock.code == *b"GR";
                let is_left_out = match (&one.code, layers) {
                    (b"OB" | b"GR", Some(scene)) if is_held => {
                        let is_hidden =
                            one.visibility.is_hidden && !self.animated(behind.0, one).visibility;
                        scene.visibility.leaves_out(*used, is_hidden, is_scene)
                    }
                    _ => one.is_of_editors(),
                };
                let step = (behind, shown_by.filter(|_| is_held && one.code == *b"GR"));
                if !is_left_out {
                    let library = self.datablock(here).and_then(|one| one.library);
                    let library = library.map(|library| (at.0, library));
                    rendered.extend(library.filter(|library| found.insert(*library)));
                    steps.extend(seen.insert(step).then_some(step));
                }
            }
        }
        rendered
    }

    /// What of the datablocks that one uses its frames do not show, where that is asked.
    fn idle_uses<'a>(
        &'a self,
        (file, _): DatablockPlace,
        datablock: &'a Datablock,
        idle: Idle,
    ) -> impl Fn(usize) -> bool + 'a {
        let animated = if datablock.modifier_uses.is_empty() && datablock.strip_uses.is_empty() {
            Animates::default()
        } else {
            self.animated(file, datablock)
        };
        move |used| {
            let is_compositor = || {
                let used = self.datablock((file, used));
                used.is_some_and(|one| one.code == *b"NT") && datablock.visibility.is_not_composited
            };
            idle == Idle::LeftOut
                && (datablock.idle_uses.contains(&used)
                    || (!animated.modifiers && datablock.modifier_uses.contains(&used))
                    || (!animated.strips && datablock.strip_uses.contains(&used))
                    || is_compositor())
        }
    }

    /// Whether Workbench may render anything of it.
    pub(crate) fn has_workbench(&self) -> bool {
        let mut datablocks = self.files.iter().flat_map(WalkedFile::datablocks);
        datablocks.any(|one| one.visibility.is_workbench())
    }

    /// Whether a frame shows what a path of a datablock leads to.
    pub(crate) fn shows_path(&self, (file, number): DatablockPlace, shown_by: ShownBy) -> bool {
        let Some(datablock) = self.datablock((file, number)) else { return true };
        match shown_by {
            ShownBy::All => true,
            ShownBy::None => false,
            ShownBy::ModifierOff => self.animated(file, datablock).modifiers,
            ShownBy::Strip { is_muted } => {
                // Another scene may show the strips of this one, whatever this one's frames do.
                let scenes = self.files.iter().flat_map(WalkedFile::datablocks);
                let is_alone = scenes.filter(|one| one.code == *b"SC").nth(1).is_none();
                let is_muted = is_muted && !self.animated(file, datablock).strips;
                !(is_muted || (is_alone && datablock.visibility.has_no_strips))
            }
        }
    }

    /// What is animated of a datablock of a file, by itself and by the actions that it uses.
    pub(crate) fn animated(&self, file: usize, datablock: &Datablock) -> Animates {
        let used = datablock.uses.iter().filter_map(|used| self.behind((file, *used)));
        let actions = used.filter_map(|at| self.datablock(at)).filter(|one| one.code == *b"AC");
        actions.fold(datablock.animates, |animates, action| animates.or(action.animates))
    }

    /// The scripts among what frames evaluate that may not run.
    pub(crate) fn disabled_scripts(&self, rendered: &[DatablockPlace]) -> Vec<DisabledScript> {
        let datablocks = rendered.iter().filter_map(|at| self.datablock(*at));
        let mut found: Vec<_> = datablocks.flat_map(scripts_of).collect();
        found.sort();
        found.dedup();
        found
    }

    /// Why the frames of a scene are not rendered in parts, by what they evaluate.
    pub(crate) fn split_obstacle(
        &self,
        scene: Option<&str>,
        rendered: &[DatablockPlace],
    ) -> Option<SplitObstacle> {
        let is_scene = |(file, _): &DatablockPlace, name: &[u8]| {
            *file == 0 && scene.is_some_and(|scene| scene.as_bytes() == name)
        };
        let (mut found, mut makes_cache, mut has_images) = (None, false, false);
        for at in rendered {
            let Some(datablock) = self.datablock(*at) else { continue };
            // What other scenes are like that this one shows, the worker looks at.
            if datablock.code == *b"SC" && !is_scene(at, &datablock.name) {
                continue;
            }
            makes_cache |= datablock.splitting.makes_texture_cache();
            has_images |= datablock.splitting.is_file();
            found = found.into_iter().chain(datablock.splitting.obstacle()).min();
        }
        let cache = (makes_cache && has_images).then_some(SplitObstacle::TextureCache);
        found.into_iter().chain(cache).min()
    }
}

fn scripts_of(datablock: &Datablock) -> Vec<DisabledScript> {
    let script = |script: String| DisabledScript {
        datablock_type: datablock_type(datablock.code),
        datablock: String::from_utf8_lossy(&datablock.name).into_owned(),
        script,
    };
    let drivers = datablock.drivers.iter();
    let driven = drivers.map(|one| script(format!("{} = {}", one.property, one.expression)));
    let has_style = datablock.visibility.needs_style_modules();
    driven.chain(has_style.then(|| script("Freestyle style modules".to_owned()))).collect()
}
