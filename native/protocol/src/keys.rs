//! The S3 key layout, in one place.
//!
//! ```text
//! blobs/<aa>/<blake3>                     immutable content, put once
//! packs/<pack id>.json                    manifest
//! jobs/<job id>/job.json                  what to render, immutable
//! jobs/<job id>/control.json              cancel
//! jobs/<job id>/enqueued.json             put when every frame has been enqueued
//! jobs/<job id>/tasks/<frame>.json        what became of each task
//! jobs/<job id>/slices/<frame>/<slice>.json  what became of each slice of a frame that is split
//! jobs/<job id>/parts/<frame>/<slice>.exr    what was rendered of it; .whole, .empty, .failed where nothing was;
//!                                         both are <slice>-<of> where a worker has split the frame
//! jobs/<job id>/previews/<frame>/<slice>-<of>.exr  a small picture of it, for whoever watches
//! jobs/<job id>/events/<event>            an append-only log: the key tells all
//! jobs/<job id>/frames/<path>             results, named as Blender would name them
//! jobs/<job id>/logs/<frame>.<try>.log   Blender's own output
//! tokens/<blake3>.json                    the job that a client's token has made
//! code/<name>-<sha256>.zip                what the stack's functions are deployed from
//! set-up/progress.json                    how far the image is that the stack makes
//! ```

use std::fmt;

use crate::id::{Digest, JobId, PackId};
use crate::job::Job;
use crate::pack_path::PackPath;

/// The prefix of every blob.
pub const BLOBS: &str = "blobs/";

/// The prefix of every job.
pub const JOBS: &str = "jobs/";

/// How far the renderer's image is, while the stack makes it.
pub const SET_UP_PROGRESS: &str = "set-up/progress.json";

/// What a function of the stack is deployed from, by the SHA-256 of the zip: another zip is another
/// key, by which CloudFormation sees that the function has changed.
#[must_use]
pub fn code(function: &str, sha256: &str) -> String {
    format!("code/{function}-{sha256}.zip")
}

/// A blob, by the digest of its bytes.
#[must_use]
pub fn blob(digest: &Digest) -> String {
    let digest = digest.as_str();
    format!("{BLOBS}{}/{digest}", digest.get(..2).unwrap_or_default())
}

/// A pack's manifest.
#[must_use]
pub fn pack(pack: &PackId) -> String {
    format!("packs/{pack}.json")
}

/// The prefix of all that there is of a job.
#[must_use]
pub fn job_folder(job: JobId) -> String {
    format!("{JOBS}{job}/")
}

/// A job's description.
#[must_use]
pub fn job(job: JobId) -> String {
    format!("{JOBS}{job}/job.json")
}

/// What the artist wants of a running job.
#[must_use]
pub fn control(job: JobId) -> String {
    format!("{JOBS}{job}/control.json")
}

/// The mark that every frame of a job has been enqueued.
#[must_use]
pub fn enqueued(job: JobId) -> String {
    format!("{JOBS}{job}/enqueued.json")
}

/// The stretches of a job's frames that are on the queue while the others are not yet.
#[must_use]
pub fn enqueued_stretches(job: JobId) -> String {
    format!("{JOBS}{job}/enqueueing/")
}

/// The prefix of a job's task records.
#[must_use]
pub fn tasks(job: JobId) -> String {
    format!("{JOBS}{job}/tasks/")
}

/// A task's record.
#[must_use]
pub fn task(job: JobId, frame: i32) -> String {
    format!("{JOBS}{job}/tasks/{frame}.json")
}

/// The prefix of a job's log of events ([`crate::TaskEvent`]).
#[must_use]
pub fn events(job: JobId) -> String {
    format!("{JOBS}{job}/events/")
}

/// The frame that a task record's key names; `None` for any other key.
#[must_use]
pub fn frame_of_task(job: JobId, key: &str) -> Option<i32> {
    key.strip_prefix(&tasks(job))?.strip_suffix(".json")?.parse().ok()
}

/// All result files of a job, as a prefix.
#[must_use]
pub fn frames(job: JobId) -> String {
    format!("{JOBS}{job}/frames/")
}

/// A result file.
#[must_use]
pub fn frame_file(job: JobId, path: &PackPath) -> String {
    format!("{}{path}", frames(job))
}

/// The log of one try of a task.
#[must_use]
pub fn log(job: JobId, frame: i32, slice: Option<u32>, try_number: u32) -> String {
    let slice = slice.map(|slice| format!("{slice}.")).unwrap_or_default();
    format!("{JOBS}{job}/logs/{frame}.{slice}{try_number}.log")
}

/// What a slice of a frame is called: by its number and, where a worker has split the frame, by how
/// many there are: a frame that is split once more, into others, finds none of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SliceName {
    /// From 0.
    pub slice: u32,
    /// Of how many, where its job does not say so.
    pub of: Option<u32>,
}

impl fmt::Display for SliceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.of {
            Some(of) => write!(f, "{}-{of}", self.slice),
            None => write!(f, "{}", self.slice),
        }
    }
}

impl SliceName {
    fn parse(name: &str) -> Option<Self> {
        let (slice, of) = match name.split_once('-') {
            Some((slice, of)) => (slice, Some(of.parse().ok()?)),
            None => (name, None),
        };
        Some(Self { slice: slice.parse().ok()?, of })
    }
}

/// The record of a slice of a frame.
#[must_use]
pub fn slice(job: JobId, frame: i32, name: SliceName) -> String {
    format!("{JOBS}{job}/slices/{frame}/{name}.json")
}

/// The prefix of what was rendered of a frame that is split.
#[must_use]
pub fn parts(job: JobId, frame: i32) -> String {
    format!("{JOBS}{job}/parts/{frame}/")
}

/// What came of a slice.
#[must_use]
pub fn part(job: JobId, frame: i32, name: SliceName, kind: PartKind) -> String {
    format!("{}{name}.{}", parts(job, frame), kind.extension())
}

/// The slice and what came of it, as the key of a part names them; `None` for any other key.
#[must_use]
pub fn slice_of_part(job: JobId, frame: i32, key: &str) -> Option<(SliceName, PartKind)> {
    let (name, extension) = key.strip_prefix(&parts(job, frame))?.split_once('.')?;
    let kind = PartKind::ALL.into_iter().find(|kind| kind.extension() == extension)?;
    Some((SliceName::parse(name)?, kind))
}

/// The prefix of the small pictures of a frame's slices.
#[must_use]
pub fn previews(job: JobId, frame: i32) -> String {
    format!("{JOBS}{job}/previews/{frame}/")
}

/// The small picture of a slice of so many.
#[must_use]
pub fn preview(job: JobId, frame: i32, slice: u32, count: u32) -> String {
    format!("{}{slice}-{count}.exr", previews(job, frame))
}

/// The slice that a small picture shows, and of how many it is one; `None` for any other key.
#[must_use]
pub fn slice_of_preview(job: JobId, frame: i32, key: &str) -> Option<(u32, u32)> {
    let name = key.strip_prefix(&previews(job, frame))?.strip_suffix(".exr")?;
    let (slice, count) = name.split_once('-')?;
    let (slice, count) = (slice.parse().ok()?, count.parse().ok()?);
    (slice < count && count <= Job::MAX_SLICES).then_some((slice, count))
}

/// What came of a slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartKind {
    /// Pixels.
    Pixels,
    /// Nothing: the frame cannot be split, and is rendered as a whole.
    Whole,
    /// Nothing: the picture has fewer pixels than slices.
    Empty,
    /// Nothing: it failed for good.
    Failed,
}

impl PartKind {
    const ALL: [Self; 4] = [Self::Pixels, Self::Whole, Self::Empty, Self::Failed];

    const fn extension(self) -> &'static str {
        match self {
            Self::Pixels => "exr",
            Self::Whole => "whole",
            Self::Empty => "empty",
            Self::Failed => "failed",
        }
    }
}

/// Who renders a task beside the worker of a try: at most one.
#[must_use]
pub fn second(job: JobId, frame: i32, slice: Option<SliceName>, try_number: u32) -> String {
    let slice = slice.map(|slice| format!("{slice}.")).unwrap_or_default();
    format!("{JOBS}{job}/second/{frame}.{slice}{try_number}")
}

/// The job that a client's token has made, by the digest of the token and who sent it.
#[must_use]
pub fn token(digest: &Digest) -> String {
    format!("tokens/{digest}.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_key_gives_back_its_frame() {
        let id = JobId::now();
        for frame in [-7, 0, 1, 1_048_574] {
            assert_eq!(frame_of_task(id, &task(id, frame)), Some(frame));
        }
        assert_eq!(frame_of_task(id, &job(id)), None);
        assert_eq!(frame_of_task(JobId::now(), &task(id, 1)), None);
    }

    #[test]
    fn a_part_key_gives_back_its_slice_and_what_came_of_it() {
        let id = JobId::now();
        for of in [None, Some(16)] {
            let name = SliceName { slice: 3, of };
            let key = part(id, -7, name, PartKind::Whole);
            assert_eq!(slice_of_part(id, -7, &key), Some((name, PartKind::Whole)));
            assert_eq!(slice_of_part(id, 7, &key), None);
        }
        for wrong in ["3", "3.png", "3-.exr", "-3.exr", "3-4-5.exr", "x.exr"] {
            assert_eq!(slice_of_part(id, 1, &format!("{}{wrong}", parts(id, 1))), None, "{wrong}");
        }
    }

    #[test]
    fn a_preview_key_gives_back_its_slice() {
        let id = JobId::now();
        assert_eq!(slice_of_preview(id, -7, &preview(id, -7, 3, 16)), Some((3, 16)));
        for wrong in ["3-3.exr", "3-1001.exr", "3.exr", "x-y.exr", "3-16.png"] {
            let key = format!("{}{wrong}", previews(id, 1));
            assert_eq!(slice_of_preview(id, 1, &key), None, "{wrong}");
        }
    }
}
