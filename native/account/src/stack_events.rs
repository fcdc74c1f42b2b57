//! What happens to a stack's resources while it is changed.

use std::collections::HashSet;
use std::time::Duration;

use aws_sdk_cloudformation::types::StackEvent;

use crate::error::{AccountError, Result};
use crate::stack::{Stack, StackState};

/// What became of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ResourceEvent {
    /// Its name in the template.
    pub(crate) resource: String,
    /// Such as `AWS::SQS::Queue`.
    pub(crate) kind: String,
    /// Such as `CREATE_COMPLETE`.
    pub(crate) status: String,
    reason: String,
}

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    Creation,
    Update,
    Deletion,
    /// Nothing: somebody else's change is waited for.
    Nothing,
}

/// After so many looks without an event the state is believed.
const LOOKS_WITHOUT_EVENT: u32 = 12;

/// The events of one change: those that were there before it do not count.
#[derive(Debug)]
pub(crate) struct Change<'a> {
    asked: Asked,
    stack: &'a Stack,
    /// The stack's id, by which its events can be had after it is deleted.
    id: String,
    seen: HashSet<String>,
    failure: Option<ResourceEvent>,
    looked: u32,
    /// Whether an event of the change was seen.
    has_begun: bool,
}

/// What one look shows.
#[derive(Debug)]
pub(crate) struct Look {
    /// Whether nothing is under way any more.
    pub(crate) is_the_last: bool,
    /// What has happened since the look before, the oldest first.
    pub(crate) events: Vec<ResourceEvent>,
    /// None where the stack is gone.
    pub(crate) state: Option<StackState>,
}

impl<'a> Change<'a> {
    /// Begins to look, before the change is asked for.
    ///
    /// # Errors
    /// [`AccountError::Farm`] of the call.
    pub(crate) async fn begin(
        stack: &'a Stack,
        state: Option<&StackState>,
        asked: Asked,
    ) -> Result<Self> {
        let id = state.map_or_else(|| stack.name.clone(), |state| state.id.clone());
        let mut change = Self::new(stack, id, asked);
        if state.is_some() {
            change.new_events().await?;
            change.failure = None;
        }
        Ok(change)
    }

    /// Looks at a change that is under way already: all its events count.
    pub(crate) fn under_way(stack: &'a Stack, state: &StackState) -> Self {
        Self::new(stack, state.id.clone(), Asked::Nothing)
    }

    fn new(stack: &'a Stack, id: String, asked: Asked) -> Self {
        let (seen, failure) = (HashSet::new(), None);
        Self { asked, stack, id, seen, failure, looked: 0, has_begun: false }
    }

    /// Looks once, after a while: what has happened since, and what state the stack is in.
    ///
    /// # Errors
    /// [`AccountError::Farm`] of a call.
    pub(crate) async fn look(&mut self) -> Result<Look> {
        if self.looked > 0 {
            tokio::time::sleep(pause(self.looked)).await;
        }
        self.looked += 1;
        let state = self.stack.state().await?;
        let events = if state.is_some() { self.new_events().await? } else { Vec::new() };
        self.has_begun |= !events.is_empty();
        // For a moment CloudFormation may tell of the state before the change.
        let is_believed = self.has_begun
            || self.looked > LOOKS_WITHOUT_EVENT
            || self.asked == Asked::Nothing
            || (state.is_none() && self.asked == Asked::Deletion);
        let is_at_rest = match self.asked {
            // What an update no longer needs may be deleted meanwhile.
            Asked::Update => state.as_ref().is_none_or(StackState::is_at_rest),
            _ => state.as_ref().is_none_or(StackState::is_quiet),
        };
        Ok(Look { is_the_last: is_believed && is_at_rest, events, state })
    }

    /// The error of the first resource that failed.
    pub(crate) fn failure(&self, action: &'static str, state: &StackState) -> AccountError {
        if let Some(event) = &self.failure {
            let resource = format!("{} ({})", event.resource, event.kind);
            return AccountError::Resource { action, resource, reason: event.reason.clone() };
        }
        let (stack, status) = (self.stack.name.clone(), state.status.clone());
        AccountError::Stuck { stack, status }
    }

    /// Those that were not seen yet, the oldest first. The newest page suffices: it has a hundred.
    async fn new_events(&mut self) -> Result<Vec<ResourceEvent>> {
        let answer = self.stack.client.describe_stack_events().stack_name(&self.id).send().await;
        let answer = answer
            .map_err(|error| self.stack.attempt("look at the stack's events").error(error))?;
        let mut events = Vec::new();
        for event in answer.stack_events().iter().rev() {
            let id = event.event_id().unwrap_or_default();
            if !self.seen.insert(id.to_owned()) {
                continue;
            }
            let event = resource_event(event);
            // What is cancelled because something else has failed is no cause.
            let is_cause = event.status.ends_with("_FAILED") && !event.reason.contains("cancelled");
            if is_cause && event.kind != "AWS::CloudFormation::Stack" {
                self.failure.get_or_insert_with(|| event.clone());
            }
            events.push(event);
        }
        Ok(events)
    }
}

/// How long to wait until the stack is looked at again.
fn pause(looked: u32) -> Duration {
    Duration::from_millis(if looked < 10 { 500 } else { 3000 })
}

fn resource_event(event: &StackEvent) -> ResourceEvent {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    ResourceEvent {
        resource: text(event.logical_resource_id()),
        kind: text(event.resource_type()),
        status: event.resource_status().map_or("", |status| status.as_str()).to_owned(),
        reason: text(event.resource_status_reason()),
    }
}
