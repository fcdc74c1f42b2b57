use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{ProtocolError, Result};
use crate::id::{Digest, JobId};
use crate::job::Job;
use crate::keys::SliceName;
use crate::pack_path::PackPath;
use crate::version::Versioned;

/// One task on the queue: the body of an SQS message. It names nothing that can go stale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TaskMessage {
    /// [`TaskMessage::VERSION`].
    pub version: u32,
    /// The job.
    pub job: JobId,
    /// The frame to render.
    pub frame: i32,
    /// The slice of it, from 0; absent where it is the whole frame, or its end: putting the slices
    /// together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slice: Option<u32>,
    /// Whether a second worker may render it beside the one that has it: for a frame that lies far
    /// behind the others of its job. The first result counts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub second: bool,
    /// How the frame was split of which this is a slice, where a worker has done so; absent where its
    /// job says into how many slices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<FrameSplit>,
}

/// How a worker has split a frame that takes too long for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FrameSplit {
    /// Into how many slices: 2 to [`crate::Job::MAX_SLICES`].
    pub slices: u32,
    /// After how many tries of the frame.
    pub after_tries: u32,
}

impl TaskMessage {
    /// A message for one frame.
    #[must_use]
    pub const fn new(job: JobId, frame: i32) -> Self {
        Self { version: Self::VERSION, job, frame, slice: None, second: false, split: None }
    }

    /// A message for a slice of a frame.
    #[must_use]
    pub const fn of_slice(job: JobId, frame: i32, slice: u32) -> Self {
        Self { slice: Some(slice), ..Self::new(job, frame) }
    }

    /// A message for a slice of a frame that a worker has split.
    #[must_use]
    pub const fn of_split(job: JobId, frame: i32, slice: u32, split: FrameSplit) -> Self {
        Self { split: Some(split), ..Self::of_slice(job, frame, slice) }
    }

    /// A message for a frame that a worker has already, and is slow with.
    #[must_use]
    pub const fn second(job: JobId, frame: i32) -> Self {
        Self { second: true, ..Self::new(job, frame) }
    }
}

impl TaskMessage {
    /// Into how many slices its frame is split, by its job or by a worker.
    #[must_use]
    pub fn slices(&self, job: &Job) -> Option<u32> {
        job.slices_of_each().or_else(|| self.split.map(|split| split.slices))
    }

    /// What a slice of its frame is called.
    #[must_use]
    pub fn slice_name(&self, slice: u32) -> SliceName {
        SliceName { slice, of: self.split.map(|split| split.slices) }
    }
}

impl Versioned for TaskMessage {
    const DOCUMENT: &'static str = "task message";
    const VERSION: u32 = 3;
    const OLDEST: u32 = 1;

    fn validate(&self) -> Result<()> {
        let Some(split) = self.split else { return Ok(()) };
        let is_slice = self.slice.is_some_and(|slice| slice < split.slices);
        if is_slice && split.is_valid() {
            return Ok(());
        }
        let expected = "a slice of 2 to 1000";
        let got = format!("{:?} of {}", self.slice, split.slices);
        Err(ProtocolError::Invalid { field: "split", expected, got })
    }
}

impl FrameSplit {
    fn is_valid(self) -> bool {
        (2..=Job::MAX_SLICES).contains(&self.slices)
    }
}

/// What became of a task: `jobs/<job id>/tasks/<frame>.json`, rewritten as it goes on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TaskRecord {
    /// [`TaskRecord::VERSION`].
    pub version: u32,
    /// The frame.
    pub frame: i32,
    /// How many workers have begun it. What the queue delivers and nobody begins is no try: a
    /// throttled function, a frozen one or one that never woke.
    #[serde(alias = "attempt")]
    pub tries: u32,
    /// After how many tries it is given up.
    #[serde(alias = "max_attempts")]
    pub max_tries: u32,
    /// Why the last try failed, where one did: what fails alike twice is not tried a third time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_cause: Option<FailureCause>,
    /// How a worker has split the frame, where one has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<RecordedSplit>,
    /// Where the task stands.
    #[serde(flatten)]
    pub state: TaskState,
    /// Which worker has it: a Lambda log stream, or host and process.
    pub worker: String,
    /// When this try began, in milliseconds since 1970 (UTC).
    pub started_ms: u64,
    /// When this record was written, in milliseconds since 1970 (UTC).
    pub updated_ms: u64,
}

/// How a worker has split a frame, and how far it has come with that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordedSplit {
    /// Into what.
    pub split: FrameSplit,
    /// Whether all of its slices are on the queue.
    pub is_enqueued: bool,
}

/// Where a task stands; no record at all means that nobody has begun it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum TaskState {
    /// Enqueued again after it had failed or was lost.
    Queued,
    /// Being worked on. A record that stays so without being updated belongs to a dead worker.
    Running {
        /// How much of the frame is done, 0 to 1, where the engine says so.
        progress: Option<f32>,
    },
    /// Rendered; its files are in the bucket.
    Done {
        /// Every file that the frame made.
        files: Vec<ResultFile>,
        /// Where its time went.
        times: TaskTimes,
        /// The most memory that Blender held, in bytes.
        peak_memory_bytes: u64,
    },
    /// This try failed and the queue will deliver the task again.
    Retrying {
        /// What went wrong.
        failure: TaskFailure,
    },
    /// Failed for good.
    Failed {
        /// What went wrong.
        failure: TaskFailure,
    },
    /// Dropped because the job was cancelled.
    Cancelled,
}

/// One file of a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResultFile {
    /// Its path below `jobs/<job id>/frames/` and below the artist's output folder.
    pub path: PackPath,
    /// The digest of its bytes.
    pub digest: Digest,
    /// Its size in bytes.
    pub size_bytes: u64,
}

/// Where a task's time went, in seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TaskTimes {
    /// Bringing the pack to the worker; near 0 where it was there.
    pub fetch_seconds: f64,
    /// Waiting for Blender to start, behind the arrival of what opens the scene; 0 on a warm worker.
    #[serde(default)]
    pub start_seconds: f64,
    /// Opening the scene; 0 where it is open. What only the rendering reads may come meanwhile: that
    /// time is counted here and as fetching.
    pub load_seconds: f64,
    /// Blender's own render of the frame.
    pub render_seconds: f64,
    /// Sending the files to the bucket.
    pub upload_seconds: f64,
    /// The whole task, from the message to its last file.
    pub total_seconds: f64,
}

/// Why a task failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TaskFailure {
    /// Whose fault it was.
    pub class: FailureClass,
    /// One sentence, with Blender's own words where there are any.
    pub message: String,
    /// The end of Blender's log, 4 KB at most.
    pub log_tail: String,
}

/// Whose fault a failure was. It decides whether the task is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FailureClass {
    /// The scene's: no camera, a missing file, an error in its Python. Would fail again.
    Scene,
    /// The worker's: a crash, no memory, no time, no network. May work elsewhere.
    Machine,
}

/// What made a try fail, of what cannot come out otherwise elsewhere: tried twice at the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FailureCause {
    /// The function's time ran out.
    Time,
    /// There was not enough memory.
    Memory,
    /// Blender did not move.
    Hang,
    /// Blender crashed.
    Crash,
    /// A document, a pack or a part of one is damaged or gone.
    Damage,
}

impl Versioned for TaskRecord {
    const DOCUMENT: &'static str = "task record";
    const VERSION: u32 = 3;
    const OLDEST: u32 = 1;

    fn validate(&self) -> Result<()> {
        match self.split {
            Some(recorded) if !recorded.split.is_valid() => Err(ProtocolError::Invalid {
                field: "split.slices",
                expected: "2 to 1000 slices",
                got: recorded.split.slices.to_string(),
            }),
            _ => Ok(()),
        }
    }
}

impl TaskRecord {
    /// Most bytes of the document.
    pub const MAX_SIZE_BYTES: u64 = 1 << 20;

    /// The version of a record: that of a split frame is newer, so that nobody rewrites it who does not
    /// know what that is.
    #[must_use]
    pub const fn version_of(split: Option<RecordedSplit>) -> u32 {
        match split {
            Some(_) => Self::VERSION,
            None => Self::VERSION - 1,
        }
    }

    /// How long the last try took, from its beginning to its last record.
    pub(crate) fn length_ms(&self) -> u64 {
        self.updated_ms.saturating_sub(self.started_ms)
    }

    /// Whether the task has come to its end: only someone who enqueues it again changes it then.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(
            self.state,
            TaskState::Done { .. } | TaskState::Failed { .. } | TaskState::Cancelled
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::version::parse;

    #[test]
    fn messages_that_are_not_tasks_are_refused_in_words() {
        let messages = [
            r#"{"version":4,"job":"x","frame":1,"tile":3}"#,
            r#"{"version":1,"job":"x","frame":1}"#,
            r#"{"version":1,"job":"0190a5d4-7c6e-7000-8000-000000000000"}"#,
            r#"{"version":3,"job":"0190a5d4-7c6e-7000-8000-000000000000","frame":1,"slice":7,
                "split":{"slices":7,"after_tries":1}}"#,
            "hello",
            r#"{"frame":1}"#,
        ]
        .map(|body| crate::sentence(&parse::<TaskMessage>(body.as_bytes()).unwrap_err()));
        insta::assert_snapshot!(messages.join("\n"));
    }

    #[test]
    fn a_record_of_the_version_before_is_read() {
        let document = r#"{"version":1,"frame":7,"attempt":2,"max_attempts":5,"state":"running",
            "progress":null,"worker":"w","started_ms":1,"updated_ms":2}"#;
        let record: TaskRecord = parse(document.as_bytes()).unwrap();
        assert_eq!((record.tries, record.max_tries, record.split), (2, 5, None));
        let written = serde_json::to_value(&record).unwrap();
        assert_eq!(written["version"], 1, "a reader changes nothing");
        assert_eq!(written["tries"], 2);
        assert_eq!(TaskRecord::version_of(record.split), 2, "others of that version read it");
    }

    #[test]
    fn a_split_into_more_than_there_can_be_is_refused() {
        let record = |slices: u32| {
            let document = format!(
                r#"{{"version":3,"frame":7,"tries":1,"max_tries":6,"state":"queued",
                "split":{{"split":{{"slices":{slices},"after_tries":1}},"is_enqueued":true}},
                "worker":"w","started_ms":1,"updated_ms":2}}"#
            );
            parse::<TaskRecord>(document.as_bytes())
        };
        assert_eq!(TaskRecord::version_of(record(1000).unwrap().split), 3);
        for slices in [0, 1, 1001] {
            assert!(record(slices).unwrap_err().to_string().starts_with("split.slices: "));
        }
    }
}
