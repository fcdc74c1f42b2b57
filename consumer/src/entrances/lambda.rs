//! The consumer inside Lambda: an SQS event in, a partial batch response out; or called to work the
//! queue by itself.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use farm::ReceivedMessage;
use lambda_runtime::{LambdaEvent, service_fn};
use protocol::BurstRequest;
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::entrances::burst;
use crate::error::{ConsumerError, Result};
use crate::task::attempt::Verdict;
use crate::worker::Worker;

/// What the function is invoked with.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Invocation {
    Burst { burst: BurstRequest },
    Messages(SqsEvent),
}

/// Serves invocations until Lambda ends the process. One at a time, as Lambda does.
pub(crate) async fn run(worker: Worker) -> Result<()> {
    let worker = Arc::new(Mutex::new(worker));
    let service = service_fn(move |event: LambdaEvent<Invocation>| {
        let worker = Arc::clone(&worker);
        async move {
            let deadline = event.context.deadline();
            let until = deadline.duration_since(SystemTime::now()).unwrap_or(Duration::ZERO);
            let deadline = Instant::now() + until;
            let mut worker = worker.lock().await;
            if let Some(reason) = &worker.unfit {
                // Lambda starts another environment, and the queue gives the task to it.
                tracing::error!(reason, "this environment ends");
                std::process::exit(1);
            }
            worker.full_time = worker.full_time.max(Some(until));
            let response = match event.payload {
                Invocation::Messages(messages) => handle(&mut worker, messages, deadline).await,
                Invocation::Burst { burst } => {
                    burst::run(&mut worker, &burst, deadline).await;
                    SqsBatchResponse::default()
                }
            };
            Ok::<_, lambda_runtime::Error>(response)
        }
    });
    lambda_runtime::run(service)
        .await
        .map_err(|error| ConsumerError::Runtime { reason: error.to_string() })
}

async fn handle(worker: &mut Worker, event: SqsEvent, deadline: Instant) -> SqsBatchResponse {
    let mut response = SqsBatchResponse::default();
    for record in event.records {
        let id = record.message_id.clone().unwrap_or_default();
        let message = received(record);
        if worker.process(&message, Some(deadline)).await == Verdict::GiveBack {
            let mut failure = BatchItemFailure::default();
            failure.item_identifier = id;
            response.batch_item_failures.push(failure);
        }
    }
    response
}

fn received(record: SqsMessage) -> ReceivedMessage {
    let deliveries = record.attributes.get("ApproximateReceiveCount");
    let deliveries = deliveries.and_then(|count| count.parse().ok()).unwrap_or(1);
    ReceivedMessage {
        deliveries,
        receipt_handle: record.receipt_handle.unwrap_or_default(),
        body: record.body.unwrap_or_default(),
    }
}
