//! The function that renders: whether it can, and how it is woken.

use std::time::{Duration, Instant};

use aws_sdk_lambda::Client;
use aws_sdk_lambda::error::ProvideErrorMetadata;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{InvocationType, State};
use protocol::{BurstRequest, JobId};

use super::connection::AwsConfig;
use super::service_error::Attempt;
use crate::error::{FarmError, Result};

/// How long a function may take to be made, or to come back.
const LIMIT: Duration = Duration::from_secs(600);

/// How often it is looked at meanwhile.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// An event without messages: the consumer has nothing to do.
const NO_MESSAGES: &[u8] = br#"{"Records": []}"#;

/// The stack's function that renders.
#[derive(Debug, Clone)]
pub struct WorkerFunction {
    client: Client,
    name: String,
    profile: Option<String>,
}

impl WorkerFunction {
    /// That of a name.
    #[must_use]
    pub fn new(config: &AwsConfig, name: String) -> Self {
        Self { client: Client::new(&config.sdk), name, profile: config.profile.clone() }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Waits until the function can be invoked; one that Lambda has put away after weeks without
    /// use is woken by an invocation with nothing to do, which Lambda refuses
    /// (<https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html>). `on_wait` is told
    /// once why it takes time.
    ///
    /// # Errors
    /// [`FarmError::Function`] where it cannot run or does not come back within ten minutes, else
    /// [`FarmError`] of a call.
    pub async fn make_ready(&self, on_wait: impl Fn(String)) -> Result<()> {
        let since = Instant::now();
        let mut told = None;
        loop {
            let (state, reason) = match self.state().await {
                Err(error) if error.is_transient() && since.elapsed() < LIMIT => {
                    tokio::time::sleep(LOOK_EVERY).await;
                    continue;
                }
                found => found?,
            };
            let wait = match state {
                State::Pending => Some("is still being made; the first time takes minutes"),
                State::Inactive => {
                    match self.wake().await {
                        // It is asked again at the next look.
                        Err(error) if error.is_transient() => {}
                        woken => woken?,
                    }
                    Some("was put away by Lambda, as it was not used for weeks, and is woken")
                }
                State::Failed | State::Deleting => {
                    return Err(FarmError::Function { function: self.name.clone(), reason });
                }
                _ => None,
            };
            let Some(wait) = wait else { return Ok(()) };
            if since.elapsed() > LIMIT {
                let reason = format!("it {wait}, and is not ready after ten minutes ({reason})");
                return Err(FarmError::Function { function: self.name.clone(), reason });
            }
            if told.replace(wait) != Some(wait) {
                on_wait(format!("the farm's function {wait}"));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Wakes the function where Lambda has put it away, and waits for nothing: for those who have
    /// tasks on the queue in any case. What goes wrong is left to whoever looks at the tasks.
    pub async fn nudge(&self) {
        if matches!(self.state().await, Ok((State::Inactive, _))) {
            let _ = self.wake().await;
        }
    }

    /// Calls one worker that works the queue until it is empty; nobody waits for its end.
    ///
    /// # Errors
    /// [`FarmError`] of the call.
    pub async fn burst(&self, job: JobId) -> Result<()> {
        let payload = serde_json::json!({ "burst": BurstRequest::new(job) }).to_string();
        self.client
            .invoke()
            .function_name(&self.name)
            .invocation_type(InvocationType::Event)
            .payload(Blob::new(payload))
            .send()
            .await
            .map_err(|error| self.attempt("call a worker").error(error))?;
        Ok(())
    }

    /// Its state, and Lambda's words for it.
    async fn state(&self) -> Result<(State, String)> {
        let found = self
            .client
            .get_function_configuration()
            .function_name(&self.name)
            .send()
            .await
            .map_err(|error| self.attempt("look at the farm's function").error(error))?;
        let state = found.state().cloned().unwrap_or(State::Active);
        let words = found.state_reason().unwrap_or("no reason is given");
        let code = found.state_reason_code().map_or("no code", |code| code.as_str());
        Ok((state, format!("{words} ({code})")))
    }

    /// Invokes it with nothing to do.
    async fn wake(&self) -> Result<()> {
        let invoked = self
            .client
            .invoke()
            .function_name(&self.name)
            .payload(Blob::new(NO_MESSAGES))
            .send()
            .await;
        let Err(error) = invoked else { return Ok(()) };
        match error.as_service_error().and_then(|service| service.code()) {
            // Each of these says that it is on its way.
            Some(
                "CodeArtifactUserPendingException"
                | "ResourceConflictException"
                | "ResourceNotReadyException"
                | "TooManyRequestsException",
            ) => Ok(()),
            _ => Err(self.attempt("wake the farm's function").error(error)),
        }
    }

    fn attempt<'a>(&'a self, action: &'a str) -> Attempt<'a> {
        Attempt { action, profile: self.profile.as_deref(), ..Attempt::default() }
    }
}
