//! A farm, made: a stack with a bucket, the functions' code in it, and then the functions and their image.
//!
//! Each step looks first whether it was done before: whatever ended this in the middle, the next call goes
//! on, and what CloudFormation was asked for goes on without anybody.

use std::collections::BTreeMap;
use std::path::PathBuf;

use farm::{AccountLimits, AwsConfig, FarmSettings, Storage};
use protocol::keys;
use serde::Deserialize;

use crate::code::{self, Zip};
use crate::error::{AccountError, Result};
use crate::stack::{Stack, StackState, parameter_names};
use crate::stack_events::{Asked, Change, ResourceEvent};

/// What is set up.
#[derive(Debug, Clone)]
pub struct SetUpOptions {
    /// The folder with the functions' zips, which comes with this build.
    pub functions: PathBuf,
    /// Parameters of the template that are not to be what the account suggests, or what they were.
    pub parameters: BTreeMap<String, String>,
}

/// A part of the set-up, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// What the account allows, and what is there.
    Look,
    /// The stack without functions, which has the bucket.
    Stack,
    /// The zips of the functions into the bucket.
    Code,
    /// The functions, and the image of the renderer.
    Functions,
}

impl Step {
    /// How many there are.
    pub const COUNT: u32 = 4;

    /// Its place, from 1.
    #[must_use]
    pub const fn number(self) -> u32 {
        self as u32 + 1
    }
}

/// What happens meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SetUpEvent {
    /// A step has begun.
    Step(Step),
    /// Something became of a resource of the stack.
    Resource {
        /// Its name in the template.
        name: String,
        /// As CloudFormation calls it, such as `CREATE_COMPLETE`.
        status: String,
    },
    /// How far the image of the renderer is.
    Image {
        /// "parts" while they are downloaded, "layers" while they are pushed.
        stage: String,
        /// Bytes that are done.
        done_bytes: u64,
        /// Of how many.
        total_bytes: u64,
    },
}

/// Sets the farm up that the settings name, or upgrades it to this build.
///
/// # Errors
/// [`AccountError::Farm`] of a call, [`AccountError::SomeoneElses`], [`AccountError::Name`],
/// [`AccountError::Code`], [`AccountError::Stuck`], and [`AccountError::Resource`] with AWS's own words.
pub async fn set_up(
    settings: &FarmSettings,
    options: &SetUpOptions,
    told: impl Fn(SetUpEvent) + Send + Sync,
) -> Result<()> {
    told(SetUpEvent::Step(Step::Look));
    let zips = code::zips(&options.functions)?;
    let config = AwsConfig::of(settings).await?;
    let stack = Stack::of(&config, &settings.stack)?;
    let state = at_rest(&stack, &told).await?;

    let state = if let Some(state) = state {
        state
    } else {
        told(SetUpEvent::Step(Step::Stack));
        let limits = AccountLimits::of(settings).await?.parameters();
        let mut values = BTreeMap::from([
            ("ConsumerMemory".to_owned(), limits.consumer_memory_mib.to_string()),
            ("MaximumConcurrency".to_owned(), limits.maximum_concurrency.to_string()),
            ("BurstWorkers".to_owned(), limits.burst_workers.to_string()),
        ]);
        values.extend(options.parameters.clone());
        let mut change = Change::begin(&stack, None, Asked::Creation).await?;
        stack.create(&values).await?;
        finished(&mut change, "make", None, &told).await?
    };

    let bucket = state.outputs.get("BucketName").cloned().unwrap_or_default();
    let storage = Storage::new(&config, bucket);
    told(SetUpEvent::Step(Step::Code));
    code::upload(&zips, &storage).await?;

    told(SetUpEvent::Step(Step::Functions));
    // What an earlier set-up has told of its image.
    storage.delete(keys::SET_UP_PROGRESS).await?;
    let values = values_of_update(&state, &zips, options);
    let mut change = Change::begin(&stack, Some(&state), Asked::Update).await?;
    if stack.update(&values).await? {
        finished(&mut change, "make", Some(&storage), &told).await?;
    }
    Ok(())
}

/// What the stack was told before, where it is not told otherwise now; its code is this build's.
fn values_of_update(
    state: &StackState,
    zips: &[Zip],
    options: &SetUpOptions,
) -> BTreeMap<String, String> {
    let known: Vec<_> = parameter_names().collect();
    let mut values = state.parameters.clone();
    // Which Blenders there are, the first stacks could leave open; the template's default is true of
    // what this build makes.
    let is_open = |name: &str, value: &str| name == "ConsumerBlenderVersions" && value.is_empty();
    values.retain(|name, value| known.contains(&name.as_str()) && !is_open(name, value));
    values.extend(options.parameters.clone());
    for name in ["SetUpCodeKey", "ConsumerCodeKey"] {
        values.insert(name.to_owned(), String::new());
    }
    values.extend(zips.iter().map(|zip| (zip.parameter.to_owned(), zip.key.clone())));
    values
}

/// Waits for what is under way, and clears away what was never whole; the stack, where there is one then.
async fn at_rest(
    stack: &Stack,
    told: &(impl Fn(SetUpEvent) + Send + Sync),
) -> Result<Option<StackState>> {
    let mut is_undone = false;
    loop {
        let Some(state) = stack.state().await? else { return Ok(None) };
        if !state.is_quiet() {
            told(SetUpEvent::Step(Step::Stack));
            let mut change = Change::under_way(stack, &state);
            watch(&mut change, None, told).await?;
        } else if state.can_be_updated() {
            return Ok(Some(state));
        } else if state.is_a_ruin() {
            told(SetUpEvent::Step(Step::Stack));
            let mut change = Change::begin(stack, Some(&state), Asked::Deletion).await?;
            stack.delete().await?;
            if let Some(left) = watch(&mut change, None, told).await? {
                return Err(change.failure("delete", &left));
            }
        } else if state.status == "UPDATE_ROLLBACK_FAILED" && !is_undone {
            is_undone = true;
            stack.continue_rollback().await?;
        } else {
            let (stack, status) = (stack.name.clone(), state.status);
            return Err(AccountError::Stuck { stack, status });
        }
    }
}

/// Waits for the end of a change; the state then, where it is as it was asked for.
async fn finished(
    change: &mut Change<'_>,
    action: &'static str,
    storage: Option<&Storage>,
    told: &(impl Fn(SetUpEvent) + Send + Sync),
) -> Result<StackState> {
    let state = watch(change, storage, told).await?.unwrap_or_default();
    let is_whole = matches!(
        state.status.as_str(),
        "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
    );
    if is_whole { Ok(state) } else { Err(change.failure(action, &state)) }
}

/// How far the set-up function says that the image is.
#[derive(Debug, Deserialize)]
struct ImageProgress {
    name: String,
    done_bytes: u64,
    total_bytes: u64,
}

/// Waits until nothing is under way any more, and tells what happens; the state then, none where the stack is
/// gone.
async fn watch(
    change: &mut Change<'_>,
    storage: Option<&Storage>,
    told: &(impl Fn(SetUpEvent) + Send + Sync),
) -> Result<Option<StackState>> {
    let mut makes_image = false;
    loop {
        let look = change.look().await?;
        let is_the_last = look.is_the_last;
        for ResourceEvent { resource, status, .. } in look.events {
            if resource == "Image" {
                makes_image = status.ends_with("_IN_PROGRESS");
            }
            told(SetUpEvent::Resource { name: resource, status });
        }
        if is_the_last {
            return Ok(look.state);
        }
        if let (true, Some(storage)) = (makes_image, storage) {
            // Told by the way: where it cannot be read, the image is made all the same.
            let document = storage.get(keys::SET_UP_PROGRESS, 1 << 16).await.ok().flatten();
            let progress = document.and_then(|text| serde_json::from_slice(&text).ok());
            if let Some(ImageProgress { name, done_bytes, total_bytes }) = progress {
                told(SetUpEvent::Image { stage: name, done_bytes, total_bytes });
            }
        }
    }
}
