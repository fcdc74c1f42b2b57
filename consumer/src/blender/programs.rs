//! The Blenders of this machine, of which a scene gets its own.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use protocol::{BlenderVersion, Job};

use crate::error::{ConsumerError, Result};

/// The programs of Blender that there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Programs {
    /// The newest: Blender's executable, or a Python that has the `bpy` module.
    newest: PathBuf,
    /// Older ones, by major and minor version; the oldest first.
    older: Vec<((u16, u16), PathBuf)>,
    /// What each has told of its version, once it has.
    told: HashMap<PathBuf, (u16, u16)>,
}

impl Programs {
    /// The newest, and older ones as in "4.2=/opt/4.2/blender 4.5=/usr/bin/python3.11".
    ///
    /// None where the text is another one.
    pub(crate) fn new(newest: PathBuf, older: &str) -> Option<Self> {
        let older = older.split_whitespace().map(|entry| {
            let (version, program) = entry.split_once('=')?;
            let (major, minor) = version.split_once('.')?;
            Some(((major.parse().ok()?, minor.parse().ok()?), PathBuf::from(program)))
        });
        let mut older = older.collect::<Option<Vec<_>>>()?;
        older.sort_unstable();
        Some(Self { newest, older, told: HashMap::new() })
    }

    /// The one that renders a job, or would if it were of the job's version, which nobody knows of
    /// the newest before it has started: see [`Self::lack`].
    pub(crate) fn of(&self, job: &Job) -> &Path {
        let wanted = wanted(job);
        let found = self.older.iter().find(|(version, _)| match job.render_version {
            Some(_) => *version == wanted,
            None => *version >= wanted,
        });
        found.filter(|_| wanted != (0, 0)).map_or(&self.newest, |(_, program)| program)
    }

    /// Takes note of the version that a program has told, and whether it may render a job.
    pub(crate) fn check(
        &mut self,
        job: &Job,
        program: &Path,
        version: BlenderVersion,
    ) -> Result<()> {
        let has = (version.0, version.1);
        self.told.insert(program.to_owned(), has);
        lack_of(job, has).map_or(Ok(()), Err)
    }

    /// Why none of these renders a job, as far as is known.
    pub(crate) fn lack(&self, job: &Job) -> Option<ConsumerError> {
        lack_of(job, *self.told.get(self.of(job))?)
    }
}

/// Why a Blender may not render a job.
fn lack_of(job: &Job, has: (u16, u16)) -> Option<ConsumerError> {
    let wanted = wanted(job);
    let suits = if job.render_version.is_some() { wanted == has } else { wanted <= has };
    (!suits).then_some(ConsumerError::LacksBlender { wanted, has })
}

/// What was promised, else the scene's own.
fn wanted(job: &Job) -> (u16, u16) {
    job.render_version.unwrap_or((job.blender_version.0, job.blender_version.1))
}

#[cfg(test)]
mod tests {
    use protocol::{FrameRange, JobId, OutputNaming, Versioned};

    use super::*;

    fn job(scene: (u16, u16), render_version: Option<(u16, u16)>) -> Job {
        Job {
            version: Job::VERSION,
            id: JobId::now(),
            name: "shot".into(),
            pack: "ab".repeat(32).parse().unwrap(),
            scene: None,
            frames: FrameRange { first: 1, last: 2, step: 1 }.into(),
            is_still: false,
            output: OutputNaming::new(String::new()),
            blender_version: BlenderVersion(scene.0, scene.1, 3),
            render_version,
            slices: None,
            allow_other_noise: false,
            allow_scripts: false,
        }
    }

    #[test]
    fn a_job_is_rendered_by_the_blender_that_was_promised() {
        let mut programs = Programs::new("new".into(), "4.5=/b 4.2=/a").unwrap();
        let lack = |programs: &Programs, promised| {
            let lack = programs.lack(&job((4, 2), Some(promised)))?;
            Some(lack.to_string())
        };
        assert_eq!(programs.of(&job((4, 2), Some((4, 5)))), Path::new("/b"));
        // Whether it is the newest, that one has to tell.
        assert_eq!(programs.of(&job((4, 2), Some((5, 0)))), Path::new("new"));
        assert_eq!(lack(&programs, (5, 0)), None);
        let wrong =
            programs.check(&job((4, 2), Some((5, 0))), Path::new("new"), BlenderVersion(5, 2, 3));
        assert!(wrong.is_err());
        // A program that is another one than the list says.
        let promised = job((4, 5), Some((4, 5)));
        assert!(programs.check(&promised, Path::new("/b"), BlenderVersion(4, 5, 9)).is_ok());
        assert!(programs.check(&promised, Path::new("/b"), BlenderVersion(4, 4, 0)).is_err());
        assert!(programs.lack(&promised).is_some());
        assert!(programs.check(&promised, Path::new("/b"), BlenderVersion(4, 5, 9)).is_ok());
        insta::assert_snapshot!(
            lack(&programs, (5, 0)).unwrap(),
            @"the job is to be rendered with Blender 5.0, which this worker lacks (it would be 5.2 here); give the farm one with it, or send the job again"
        );
        for promised in [(4, 2), (4, 5), (5, 2)] {
            assert_eq!(lack(&programs, promised), None);
        }
    }

    #[test]
    fn where_nothing_was_promised_a_scene_gets_its_own_blender_or_the_next_newer_one() {
        let mut programs = Programs::new("new".into(), "4.5=/b 4.2=/a").unwrap();
        let newest = programs.check(&job((5, 2), None), Path::new("new"), BlenderVersion(5, 2, 3));
        assert!(newest.is_ok());
        for (scene, program) in [
            ((4, 5), "/b"),
            ((4, 2), "/a"),
            ((4, 3), "/b"),
            ((3, 6), "/a"),
            ((5, 0), "new"),
            ((5, 2), "new"),
            ((0, 0), "new"),
        ] {
            let job = job(scene, None);
            assert_eq!(programs.of(&job), Path::new(program), "{scene:?}");
            assert!(programs.lack(&job).is_none(), "{scene:?}");
        }
        assert!(programs.lack(&job((5, 3), None)).is_some());
    }

    #[test]
    fn a_list_of_programs_that_cannot_be_is_none() {
        for wrong in ["4.5", "4=/a", "a.b=/a", "4.5.1=/a"] {
            assert_eq!(Programs::new("new".into(), wrong), None, "{wrong}");
        }
    }
}
