//! The HTTP front door: render jobs for clients that are not the add-on.
//!
//! `POST /render-jobs` checks a job and enqueues its frames; `GET /render-jobs/{id}` tells how far
//! it is. API Gateway has checked the caller's IAM signature before a request gets here.

mod answer;
mod request;

use farm::{AwsConfig, Blenders, Burst, FarmError, Queue, Storage, WorkerFunction};
use lambda_http::http::{Method, StatusCode};
use lambda_http::request::RequestContext;
use lambda_http::{Body, Error, Request, RequestExt, Response, run, service_fn};
use protocol::ClientToken;

use crate::answer::{error_answer, json_answer};
use crate::request::Submission;

/// What the function is told by its environment.
#[derive(Debug)]
struct FrontDoor {
    storage: Storage,
    queue: Queue,
    worker: WorkerFunction,
    burst: Burst,
    blenders: Blenders,
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    tracing_subscriber::fmt().json().with_target(false).with_writer(std::io::stderr).init();
    let variable = |name: &str| {
        std::env::var(name).map_err(|_| format!("the environment variable {name} is not set"))
    };
    let count = |name: &str| {
        variable(name)?.parse().map_err(|_| format!("the environment variable {name} is no count"))
    };
    let blenders = variable("BLENDER_VERSIONS")?
        .parse()
        .map_err(|()| "the environment variable BLENDER_VERSIONS names no versions".to_owned())?;
    let config = AwsConfig::from_environment().await?;
    let front_door = FrontDoor {
        storage: Storage::new(&config, variable("BUCKET_NAME")?),
        queue: Queue::new(&config, variable("QUEUE_URL")?),
        worker: WorkerFunction::new(&config, variable("CONSUMER_NAME")?),
        burst: Burst { workers: count("BURST_WORKERS")?, mapping: count("MAXIMUM_CONCURRENCY")? },
        blenders,
    };
    let front_door = &front_door;
    run(service_fn(move |request: Request| async move {
        Ok::<_, Error>(front_door.answer(&request).await)
    }))
    .await
}

impl FrontDoor {
    async fn answer(&self, request: &Request) -> Response<Body> {
        let path = request.uri().path().trim_matches('/');
        // A stage that is not $default stands before the route.
        let route = path.find("render-jobs").and_then(|at| path.get(at..)).unwrap_or(path);
        match (request.method(), route.split_once('/')) {
            (&Method::POST, None) if route == "render-jobs" => self.submit(request).await,
            (&Method::GET, Some(("render-jobs", id))) => self.progress(id).await,
            (method, _) => json_answer(
                StatusCode::NOT_FOUND,
                &serde_json::json!({
                    "error": format!("there is no {method} /{path}: use POST /render-jobs or GET /render-jobs/{{id}}"),
                }),
            ),
        }
    }

    async fn submit(&self, request: &Request) -> Response<Body> {
        let Submission { mut job, token } =
            match request::submission(request.body().as_ref(), &self.blenders) {
                Ok(submission) => submission,
                Err(message) => {
                    return json_answer(
                        StatusCode::BAD_REQUEST,
                        &serde_json::json!({ "error": message }),
                    );
                }
            };
        let submitting = async {
            farm::check_pack(&self.storage, &job).await?;
            if let Some(token) = &token {
                let digest = ClientToken::digest(&caller(request), token);
                job.id = farm::job_of_token(&self.storage, &digest, job.id).await?;
            }
            let (submitted, ()) = tokio::join!(
                farm::submit_job(&self.storage, &self.queue, &job, |_| {}),
                self.worker.nudge(),
            );
            if submitted? {
                let tasks = job.message_count();
                self.burst.call(&self.queue, &self.worker, job.id, tasks).await;
            }
            Ok::<_, FarmError>(())
        };
        match submitting.await {
            Ok(()) => {
                tracing::info!(job = %job.id, tasks = job.frames.count(), "submitted");
                json_answer(
                    StatusCode::ACCEPTED,
                    &serde_json::json!({ "id": job.id, "tasks": job.frames.count() }),
                )
            }
            Err(FarmError::OtherJob { .. }) => json_answer(
                StatusCode::CONFLICT,
                &serde_json::json!({
                    "error": "client_token: it was sent before, with other frames, files or settings",
                }),
            ),
            Err(error) => error_answer(&error),
        }
    }

    async fn progress(&self, id: &str) -> Response<Body> {
        let id = match id.parse() {
            Ok(id) => id,
            Err(error) => {
                let error = protocol::sentence(&error);
                return json_answer(
                    StatusCode::BAD_REQUEST,
                    &serde_json::json!({ "error": error }),
                );
            }
        };
        let (found, control) = tokio::join!(
            farm::job_progress(&self.storage, id, 0),
            farm::read_control(&self.storage, id),
        );
        match found {
            Ok((job, progress)) => json_answer(
                StatusCode::OK,
                &serde_json::json!({
                    "id": job.id,
                    "name": job.name,
                    "total": progress.total,
                    "done": progress.done,
                    "running": progress.running,
                    "failed": progress.failed,
                    "cancelled": progress.cancelled,
                    "is_cancelled": progress.is_cancelled,
                    "paused": control.ok().and_then(|control| control.paused),
                    "render_seconds": progress.render_seconds,
                }),
            ),
            Err(error) => error_answer(&error),
        }
    }
}

/// Who has signed a request, by the name that IAM gives; of a role whatever its session is called,
/// which changes with each process.
fn caller(request: &Request) -> String {
    let RequestContext::ApiGatewayV2(context) = request.request_context() else {
        return String::new();
    };
    let iam = context.authorizer.and_then(|authorizer| authorizer.iam);
    without_session(&iam.and_then(|iam| iam.user_arn).unwrap_or_default()).to_owned()
}

fn without_session(arn: &str) -> &str {
    match arn.rsplit_once('/') {
        Some((role, _session)) if arn.contains(":assumed-role/") => role,
        _ => arn,
    }
}

#[cfg(test)]
mod tests {
    use super::without_session;

    #[test]
    fn a_role_is_the_same_caller_in_each_session() {
        let role = "arn:aws:sts::123456789012:assumed-role/pipeline";
        for session in ["1764000000", "botocore-session-2"] {
            assert_eq!(without_session(&format!("{role}/{session}")), role);
        }
        let user = "arn:aws:iam::123456789012:user/artists/ann";
        assert_eq!(without_session(user), user);
    }
}
