use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_cloudformation::error::ProvideErrorMetadata;

use crate::aws::connection::{AwsConfig, FarmSettings};
use crate::aws::queue::Queue;
use crate::aws::service_error::Attempt;
use crate::aws::storage::Storage;
use crate::error::{FarmError, Result};

/// A deployed stack, found by its name: its bucket, its queue, and what its function is like.
#[derive(Debug, Clone)]
pub struct Farm {
    /// The bucket.
    pub storage: Storage,
    /// The queue of tasks.
    pub queue: Queue,
    /// The memory of the consumer function, in MiB.
    pub consumer_memory_mib: u32,
    /// How often the queue delivers a task before it gives up.
    pub max_attempts: u32,
    /// How many workers run at once.
    pub maximum_concurrency: u32,
    /// After how long the bucket deletes an object.
    pub retention: Duration,
}

impl Farm {
    /// Finds the stack and reads its outputs.
    ///
    /// # Errors
    /// [`FarmError::Credentials`], [`FarmError::NoStack`], [`FarmError::StackNotReady`],
    /// [`FarmError::NotOurStack`], [`FarmError::Unreachable`].
    pub async fn connect(settings: &FarmSettings) -> Result<Self> {
        let config = AwsConfig::load(
            settings.region.as_deref(),
            settings.profile.as_deref(),
            settings.endpoint.as_deref(),
        )
        .await?;
        let outputs = outputs(&config, &settings.stack).await?;
        let text = |name: &'static str| {
            outputs.get(name).cloned().ok_or_else(|| FarmError::NotOurStack {
                stack: settings.stack.clone(),
                output: name,
            })
        };
        let number = |name: &'static str| {
            text(name)?
                .parse()
                .map_err(|_| FarmError::NotOurStack { stack: settings.stack.clone(), output: name })
        };
        Ok(Self {
            storage: Storage::new(&config, text("BucketName")?),
            queue: Queue::new(&config, text("QueueUrl")?),
            consumer_memory_mib: number("ConsumerMemory")?,
            max_attempts: number("MaximumAttempts")?,
            maximum_concurrency: number("MaximumConcurrency")?,
            retention: Duration::from_secs(u64::from(number("RetentionDays")?) * 86_400),
        })
    }
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
            FarmError::NoStack { stack: stack.to_owned(), region: config.region_name() }
        } else {
            attempt.error(error)
        }
    })?;
    let Some(found) = answer.stacks().first() else {
        return Err(FarmError::NoStack { stack: stack.to_owned(), region: config.region_name() });
    };
    let status = found.stack_status().map_or("unknown", |status| status.as_str());
    let is_ready = matches!(
        status,
        "CREATE_COMPLETE"
            | "UPDATE_COMPLETE"
            | "UPDATE_ROLLBACK_COMPLETE"
            | "UPDATE_IN_PROGRESS"
            | "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
    );
    if !is_ready {
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
