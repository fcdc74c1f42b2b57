use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{
    MessageSystemAttributeName, QueueAttributeName, SendMessageBatchRequestEntry,
};

use crate::aws::connection::AwsConfig;
use crate::aws::service_error::Attempt;
use crate::error::{FarmError, Result};

/// How long a worker waits for a task before it asks again. SQS waits 20 s at most.
const LONG_POLL: Duration = Duration::from_secs(15);

/// The queue of tasks.
#[derive(Debug, Clone)]
pub struct Queue {
    client: Client,
    url: String,
    profile: Option<String>,
}

/// A message that was received and is hidden from others until its visibility runs out.
#[derive(Debug, Clone)]
pub struct ReceivedMessage {
    /// Names this delivery.
    pub receipt_handle: String,
    /// The text.
    pub body: String,
    /// How often the queue has delivered it, this time included: deliveries are no tries.
    pub deliveries: u32,
}

/// How many messages a queue holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueDepth {
    /// Those that the next worker can take.
    pub waiting: u64,
    /// Those that somebody has received: a worker, or one that was throttled or has died.
    pub hidden: u64,
}

impl QueueDepth {
    /// Whether there is nothing.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.waiting == 0 && self.hidden == 0
    }
}

impl Queue {
    /// SQS takes at most ten messages in one call.
    pub const BATCH: usize = 10;

    /// Opens a queue; nothing is sent yet.
    #[must_use]
    pub fn new(config: &AwsConfig, url: String) -> Self {
        Self { client: Client::new(&config.sdk), url, profile: config.profile.clone() }
    }

    /// Sends up to ten messages; those that the service could not take are tried again.
    ///
    /// Messages of one `group` wait for each other's turn, not those of other groups: a queue with
    /// groups is fair, so that ten thousand frames of one job do not hold up ten of another
    /// (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html>).
    ///
    /// # Errors
    /// [`FarmError`] of the call, or [`FarmError::Throttled`] where some are refused to the end.
    pub async fn send_batch(&self, bodies: &[String], group: &str) -> Result<()> {
        let mut waiting: Vec<usize> = (0..bodies.len()).collect();
        let mut reason = String::new();
        for pause_ms in [0, 200, 1000, 3000] {
            tokio::time::sleep(Duration::from_millis(pause_ms)).await;
            let entries = waiting
                .iter()
                .map(|index| {
                    SendMessageBatchRequestEntry::builder()
                        .id(index.to_string())
                        .message_group_id(group)
                        .message_body(bodies.get(*index).map(String::as_str).unwrap_or_default())
                        .build()
                })
                .collect::<std::result::Result<Vec<_>, _>>()
                .map_err(|error| FarmError::Service {
                    action: "enqueue frames".into(),
                    reason: error.to_string(),
                })?;
            let answer = self
                .client
                .send_message_batch()
                .queue_url(&self.url)
                .set_entries(Some(entries))
                .send()
                .await
                .map_err(|error| self.attempt("enqueue frames").error(error))?;
            waiting =
                answer.failed().iter().filter_map(|failed| failed.id().parse().ok()).collect();
            match answer.failed().first() {
                None => return Ok(()),
                Some(failed) => {
                    reason =
                        format!("{} ({})", failed.message().unwrap_or_default(), failed.code());
                }
            }
        }
        Err(FarmError::Throttled { action: "enqueue frames".into(), reason })
    }

    /// Sends one message.
    ///
    /// # Errors
    /// [`FarmError`] of the call.
    pub async fn send(&self, body: &str, group: &str) -> Result<()> {
        self.client
            .send_message()
            .queue_url(&self.url)
            .message_group_id(group)
            .message_body(body)
            .send()
            .await
            .map(drop)
            .map_err(|error| self.attempt("enqueue a task").error(error))
    }

    /// How many messages the queue holds, about: SQS may be a minute behind
    /// (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html>).
    ///
    /// # Errors
    /// [`FarmError`] of the call.
    pub async fn depth(&self) -> Result<QueueDepth> {
        let names = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesDelayed,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        ];
        let answer = self
            .client
            .get_queue_attributes()
            .queue_url(&self.url)
            .set_attribute_names(Some(names.to_vec()))
            .send()
            .await
            .map_err(|error| self.attempt("look at the queue").error(error))?;
        let [waiting, delayed, hidden] = names.map(|name| {
            let found = answer.attributes().and_then(|all| all.get(&name));
            found.and_then(|count| count.parse::<u64>().ok()).unwrap_or(0)
        });
        Ok(QueueDepth { waiting: waiting + delayed, hidden })
    }

    /// Waits up to 15 seconds for one message: less than an answer may take before it is asked for
    /// again.
    ///
    /// # Errors
    /// [`FarmError`] of the call.
    pub async fn receive(&self, visibility: Duration) -> Result<Option<ReceivedMessage>> {
        self.receive_within(LONG_POLL, visibility).await
    }

    /// The next task, waited for as long, up to 20 s; `None` where there is none by then. It is hidden
    /// from others for `visibility`.
    ///
    /// # Errors
    /// [`FarmError`] of the call.
    pub async fn receive_within(
        &self,
        wait: Duration,
        visibility: Duration,
    ) -> Result<Option<ReceivedMessage>> {
        let answer = self
            .client
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(1)
            .wait_time_seconds(seconds(wait))
            .visibility_timeout(seconds(visibility))
            .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount)
            .send()
            .await
            .map_err(|error| self.attempt("receive a task").error(error))?;
        let counted = MessageSystemAttributeName::ApproximateReceiveCount;
        Ok(answer.messages().first().map(|message| ReceivedMessage {
            receipt_handle: message.receipt_handle().unwrap_or_default().to_owned(),
            body: message.body().unwrap_or_default().to_owned(),
            deliveries: message
                .attributes()
                .and_then(|attributes| attributes.get(&counted)?.parse().ok())
                .unwrap_or(1),
        }))
    }

    /// Hides a message for that long from now; zero gives it back at once.
    ///
    /// # Errors
    /// [`FarmError`] of the call.
    pub async fn set_visibility(&self, receipt_handle: &str, visibility: Duration) -> Result<()> {
        self.client
            .change_message_visibility()
            .queue_url(&self.url)
            .receipt_handle(receipt_handle)
            .visibility_timeout(seconds(visibility))
            .send()
            .await
            .map(drop)
            .map_err(|error| self.attempt("renew the lease of a task").error(error))
    }

    /// Takes a finished message off the queue.
    ///
    /// # Errors
    /// [`FarmError`] of the call.
    pub async fn delete(&self, receipt_handle: &str) -> Result<()> {
        self.client
            .delete_message()
            .queue_url(&self.url)
            .receipt_handle(receipt_handle)
            .send()
            .await
            .map(drop)
            .map_err(|error| self.attempt("finish a task").error(error))
    }

    fn attempt<'a>(&'a self, action: &'a str) -> Attempt<'a> {
        Attempt {
            action,
            profile: self.profile.as_deref(),
            queue_url: Some(&self.url),
            ..Attempt::default()
        }
    }
}

/// SQS counts visibility in whole seconds, 12 hours at most.
fn seconds(duration: Duration) -> i32 {
    i32::try_from(duration.as_secs().min(43_200)).unwrap_or(43_200)
}
