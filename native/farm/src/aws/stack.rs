use std::cmp::Ordering;
use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_cloudformation::error::ProvideErrorMetadata;
use protocol::PROTOCOL_VERSION;

use super::burst::Burst;
use super::connection::{AwsConfig, FarmSettings};
use super::function::WorkerFunction;
use super::queue::Queue;
use super::service_error::Attempt;
use super::storage::Storage;
use crate::blenders::Blenders;
use crate::error::{FarmError, Result};

/// A deployed stack, found by its name: its bucket, its queue, and what its function is like.
#[derive(Debug, Clone)]
pub struct Farm {
    /// The bucket.
    pub storage: Storage,
    /// The queue of tasks.
    pub queue: Queue,
    /// The messages of tasks that were given up.
    pub dead_letters: Queue,
    /// The function that renders.
    pub function: WorkerFunction,
    /// The memory of the consumer function, in MiB.
    pub consumer_memory_mib: u32,
    /// After how many tries a task is given up.
    pub max_tries: u32,
    /// How many workers the queue's mapping calls at once at most.
    pub maximum_concurrency: u32,
    /// How many workers a client may call beside them.
    pub burst_workers: u32,
    /// After how long the bucket deletes an object.
    pub retention: Duration,
    /// The Blenders that render.
    pub blenders: Blenders,
}

impl Farm {
    /// Finds the stack and reads its outputs.
    ///
    /// # Errors
    /// [`FarmError::Credentials`], [`FarmError::NoStack`], [`FarmError::StackNotReady`],
    /// [`FarmError::NotOurStack`], [`FarmError::OlderFarm`], [`FarmError::NewerFarm`],
    /// [`FarmError::Unreachable`].
    pub async fn connect(settings: &FarmSettings) -> Result<Self> {
        let config = AwsConfig::of(settings).await?;
        let outputs = outputs(&config, &settings.stack).await?;
        let text = |name: &'static str| {
            outputs.get(name).cloned().ok_or_else(|| FarmError::NotOurStack {
                stack: settings.stack.clone(),
                output: name,
            })
        };
        let not_ours = |output| FarmError::NotOurStack { stack: settings.stack.clone(), output };
        let number = |name: &'static str| text(name)?.parse().map_err(|_| not_ours(name));
        let bucket = text("BucketName")?;
        check_protocol(&settings.stack, &outputs)?;
        let blenders =
            text("BlenderVersions")?.parse().map_err(|()| not_ours("BlenderVersions"))?;
        Ok(Self {
            storage: Storage::new(&config, bucket),
            queue: Queue::new(&config, text("QueueUrl")?),
            dead_letters: Queue::new(&config, text("DeadLetterQueueUrl")?),
            function: WorkerFunction::new(&config, text("ConsumerName")?),
            consumer_memory_mib: number("ConsumerMemory")?,
            max_tries: number("MaximumTries")?,
            maximum_concurrency: number("MaximumConcurrency")?,
            burst_workers: number("BurstWorkers")?,
            retention: Duration::from_secs(u64::from(number("RetentionDays")?) * 86_400),
            blenders,
        })
    }

    /// How the first workers of a job are called.
    #[must_use]
    pub fn burst(&self) -> Burst {
        Burst { workers: self.burst_workers, mapping: self.maximum_concurrency }
    }
}

/// Whether the stack and this build mean the same by what they write: a stack tells the version of
/// its protocol since 2.
fn check_protocol(stack: &str, outputs: &HashMap<String, String>) -> Result<()> {
    let theirs = outputs.get("Protocol").and_then(|text| text.parse::<u32>().ok()).unwrap_or(1);
    let version = outputs.get("Version").map_or("earlier than 0.1.0", String::as_str);
    let farm = format!("{version} (protocol {theirs})");
    let ours = format!("{} (protocol {PROTOCOL_VERSION})", env!("CARGO_PKG_VERSION"));
    let stack = stack.to_owned();
    match theirs.cmp(&PROTOCOL_VERSION) {
        Ordering::Equal => Ok(()),
        Ordering::Less => Err(FarmError::OlderFarm { stack, farm, ours }),
        Ordering::Greater => Err(FarmError::NewerFarm { stack, farm, ours }),
    }
}

/// The states in which what the stack describes is there and whole: an update that is under way, was
/// given up or has just ended changes one function after the other
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html>).
fn is_healthy(status: &str) -> bool {
    matches!(
        status,
        "CREATE_COMPLETE"
            | "IMPORT_COMPLETE"
            | "IMPORT_IN_PROGRESS"
            | "IMPORT_ROLLBACK_COMPLETE"
            | "IMPORT_ROLLBACK_IN_PROGRESS"
            | "UPDATE_COMPLETE"
            | "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
            | "UPDATE_IN_PROGRESS"
            | "UPDATE_ROLLBACK_COMPLETE"
            | "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"
            | "UPDATE_ROLLBACK_IN_PROGRESS"
    )
}

async fn outputs(config: &AwsConfig, stack: &str) -> Result<HashMap<String, String>> {
    let client = aws_sdk_cloudformation::Client::new(&config.sdk);
    let attempt = Attempt {
        action: "find the stack",
        profile: config.profile.as_deref(),
        ..Attempt::default()
    };
    let answer = client.describe_stacks().stack_name(stack).send().await.map_err(|error| {
        // CloudFormation has no code of its own for this: ValidationError, "… does not exist".
        let no_stack = error.as_service_error().is_some_and(|service| {
            service.code() == Some("ValidationError")
                && service.message().is_some_and(|message| message.contains("does not exist"))
        });
        if no_stack {
            return FarmError::NoStack { stack: stack.to_owned(), region: config.region_name() };
        }
        match attempt.error(error) {
            // An artist's policy names the stack: of any other one nothing is told, not even
            // whether it is there.
            FarmError::NotAllowed { action, reason } => FarmError::NotAllowed {
                action: format!("{action} \"{stack}\" in {}", config.region_name()),
                reason: format!("{reason}; check the stack name and the region"),
            },
            error => error,
        }
    })?;
    let Some(found) = answer.stacks().first() else {
        return Err(FarmError::NoStack { stack: stack.to_owned(), region: config.region_name() });
    };
    let status = found.stack_status().map_or("unknown", |status| status.as_str());
    if !is_healthy(status) {
        return Err(FarmError::StackNotReady {
            stack: stack.to_owned(),
            status: status.to_owned(),
        });
    }
    Ok(found
        .outputs()
        .iter()
        .filter_map(|output| {
            Some((output.output_key()?.to_owned(), output.output_value()?.to_owned()))
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_farm_of_another_protocol_is_told_by_who_has_to_be_upgraded() {
        let outputs = |protocol: &str| {
            let outputs = [("Version", "0.9.0"), ("Protocol", protocol)];
            outputs.map(|(name, text)| (name.to_owned(), text.to_owned())).into()
        };
        let ours = PROTOCOL_VERSION.to_string();
        let newer = (PROTOCOL_VERSION + 1).to_string();
        assert!(check_protocol("farm", &outputs(&ours)).is_ok());
        let older = check_protocol("farm", &HashMap::new()).unwrap_err();
        assert!(matches!(older, FarmError::OlderFarm { .. }), "{older}");
        let newer = check_protocol("farm", &outputs(&newer)).unwrap_err();
        assert!(matches!(newer, FarmError::NewerFarm { .. }), "{newer}");
    }

    #[test]
    fn every_state_of_a_stack_is_healthy_or_not() {
        use aws_sdk_cloudformation::types::StackStatus;
        let refused: Vec<&str> =
            StackStatus::values().iter().copied().filter(|status| !is_healthy(status)).collect();
        insta::assert_snapshot!(
            refused.join(" "),
            @"CREATE_FAILED CREATE_IN_PROGRESS DELETE_COMPLETE DELETE_FAILED DELETE_IN_PROGRESS IMPORT_ROLLBACK_FAILED REVIEW_IN_PROGRESS ROLLBACK_COMPLETE ROLLBACK_FAILED ROLLBACK_IN_PROGRESS UPDATE_FAILED UPDATE_ROLLBACK_FAILED"
        );
    }
}
