//! The stack, as CloudFormation has it: what state it is in, and how it is changed.

use std::collections::BTreeMap;

use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_cloudformation::types::{Capability, Parameter, Tag};
use farm::{Attempt, AwsConfig};

use crate::error::{AccountError, Result};

/// The one definition of everything that a farm is.
const TEMPLATE: &str = include_str!("../../../infra/template.yaml");

/// The tag on a farm and on all that belongs to it; its value is the stack's name.
pub(crate) const TAG: &str = "render-on-lambda";

const MOST_NAME_LETTERS: usize = 20;

/// A stack by its name, there or not.
#[derive(Debug, Clone)]
pub(crate) struct Stack {
    pub(crate) client: Client,
    pub(crate) name: String,
    profile: Option<String>,
    region: String,
}

/// A stack that is there.
#[derive(Debug, Clone, Default)]
pub(crate) struct StackState {
    /// Its name with what tells it from others of the name before and after it.
    pub(crate) id: String,
    /// As CloudFormation calls it, such as `CREATE_COMPLETE`.
    pub(crate) status: String,
    pub(crate) parameters: BTreeMap<String, String>,
    pub(crate) outputs: BTreeMap<String, String>,
    has_tag: bool,
}

impl StackState {
    /// Whether what was asked for is done.
    pub(crate) fn is_at_rest(&self) -> bool {
        // The stack is as it was asked for; what it no longer needs is being deleted.
        self.is_quiet() || self.status == "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
    }

    /// Whether nothing is under way, not even tidying up.
    pub(crate) fn is_quiet(&self) -> bool {
        !self.status.ends_with("_IN_PROGRESS")
    }

    /// Whether an update may begin.
    pub(crate) fn can_be_updated(&self) -> bool {
        matches!(
            self.status.as_str(),
            "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "UPDATE_ROLLBACK_COMPLETE" | "IMPORT_COMPLETE"
        )
    }

    /// Whether it was never whole, so that it can only be deleted.
    pub(crate) fn is_a_ruin(&self) -> bool {
        matches!(
            self.status.as_str(),
            "ROLLBACK_COMPLETE" | "ROLLBACK_FAILED" | "CREATE_FAILED" | "DELETE_FAILED"
        )
    }

    /// Whether it is a farm: one of this template has the tag, or tells its protocol.
    pub(crate) fn is_ours(&self) -> bool {
        self.has_tag || self.outputs.contains_key("Protocol")
    }
}

impl Stack {
    /// The stack that the settings name.
    ///
    /// # Errors
    /// [`AccountError::Name`] where no stack can have that name.
    pub(crate) fn of(config: &AwsConfig, name: &str) -> Result<Self> {
        let is_letter = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
        let begins_well = name.starts_with(|letter: char| letter.is_ascii_alphabetic());
        // What is named after it, with what CloudFormation adds, may have 64 letters, and the
        // administrator's policy, which names it often, 6144.
        if !begins_well || !name.chars().all(is_letter) || name.len() > MOST_NAME_LETTERS {
            return Err(AccountError::Name { name: name.to_owned() });
        }
        Ok(Self {
            client: Client::new(&config.sdk),
            name: name.to_owned(),
            profile: config.profile.clone(),
            region: config.region_name(),
        })
    }

    pub(crate) fn attempt<'a>(&'a self, action: &'a str) -> Attempt<'a> {
        Attempt { action, profile: self.profile.as_deref(), ..Attempt::default() }
    }

    /// The error of a farm that is not there.
    pub(crate) fn no_farm(&self) -> AccountError {
        AccountError::NoFarm { stack: self.name.clone(), region: self.region.clone() }
    }

    /// Looks at it; none where there is no stack of the name.
    ///
    /// # Errors
    /// [`AccountError::Farm`] of the call, [`AccountError::SomeoneElses`].
    pub(crate) async fn state(&self) -> Result<Option<StackState>> {
        let answer = self.client.describe_stacks().stack_name(&self.name).send().await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) if says(&error, "does not exist") => return Ok(None),
            Err(error) => return Err(self.attempt("look at the stack").error(error).into()),
        };
        let Some(found) = answer.stacks().first() else { return Ok(None) };
        let state = StackState {
            id: found.stack_id().unwrap_or(&self.name).to_owned(),
            status: found.stack_status().map_or("unknown", |status| status.as_str()).to_owned(),
            parameters: found
                .parameters()
                .iter()
                .filter_map(|one| {
                    Some((one.parameter_key()?.to_owned(), one.parameter_value()?.to_owned()))
                })
                .collect(),
            outputs: found
                .outputs()
                .iter()
                .filter_map(|one| {
                    Some((one.output_key()?.to_owned(), one.output_value()?.to_owned()))
                })
                .collect(),
            has_tag: found.tags().iter().any(|tag| tag.key() == Some(TAG)),
        };
        if state.status == "DELETE_COMPLETE" {
            return Ok(None);
        }
        if !state.is_ours() {
            let (stack, region) = (self.name.clone(), self.region.clone());
            return Err(AccountError::SomeoneElses { stack, region });
        }
        Ok(Some(state))
    }

    /// Begins to create it.
    ///
    /// # Errors
    /// [`AccountError::Farm`] of the call.
    pub(crate) async fn create(&self, values: &BTreeMap<String, String>) -> Result<()> {
        self.client
            .create_stack()
            .stack_name(&self.name)
            .template_body(template(values))
            .capabilities(Capability::CapabilityIam)
            .set_parameters(Some(parameters(values)))
            .tags(Tag::builder().key(TAG).value(&self.name).build())
            .send()
            .await
            .map(drop)
            .map_err(|error| self.attempt("create the stack").error(error).into())
    }

    /// Begins to update it; false where it is so already.
    ///
    /// # Errors
    /// [`AccountError::Farm`] of the call.
    pub(crate) async fn update(&self, values: &BTreeMap<String, String>) -> Result<bool> {
        let answer = self
            .client
            .update_stack()
            .stack_name(&self.name)
            .template_body(template(values))
            .capabilities(Capability::CapabilityIam)
            .set_parameters(Some(parameters(values)))
            .tags(Tag::builder().key(TAG).value(&self.name).build())
            .send()
            .await;
        match answer {
            Ok(_) => Ok(true),
            Err(error) if says(&error, "No updates are to be performed") => Ok(false),
            Err(error) => Err(self.attempt("update the stack").error(error).into()),
        }
    }

    /// Begins to delete it.
    ///
    /// # Errors
    /// [`AccountError::Farm`] of the call.
    pub(crate) async fn delete(&self) -> Result<()> {
        let answer = self.client.delete_stack().stack_name(&self.name).send().await;
        answer.map(drop).map_err(|error| self.attempt("delete the stack").error(error).into())
    }

    /// Has an update undone that could not be undone before.
    ///
    /// # Errors
    /// [`AccountError::Farm`] of the call.
    pub(crate) async fn continue_rollback(&self) -> Result<()> {
        let answer = self.client.continue_update_rollback().stack_name(&self.name).send().await;
        answer.map(drop).map_err(|error| self.attempt("undo the update").error(error).into())
    }
}

/// The template as it is deployed with these parameters: many regions know no budgets in CloudFormation,
/// and refuse a template that names one, whatever its condition says
/// (<https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/2177>).
fn template(values: &BTreeMap<String, String>) -> String {
    if values.get("MonthlyBudget").is_some_and(|dollars| dollars != "0") {
        return TEMPLATE.to_owned();
    }
    let Some((before, rest)) = TEMPLATE.split_once("\n  Budget:\n") else {
        return TEMPLATE.to_owned();
    };
    // The resource behind it, or the section.
    let end = rest.match_indices('\n').map(|(at, _)| at).find(|at| {
        rest.get(at + 1..).is_some_and(|line| !line.starts_with(['\n', ' ']) || is_name(line))
    });
    let after = end.and_then(|at| rest.get(at..)).unwrap_or_default();
    format!("{before}\n{after}")
}

/// Whether a line begins a resource: its name stands two columns in.
fn is_name(line: &str) -> bool {
    line.strip_prefix("  ").is_some_and(|rest| !rest.starts_with([' ', '\n', '#']))
}

/// The names of all the template's parameters.
pub(crate) fn parameter_names() -> impl Iterator<Item = &'static str> {
    let section = TEMPLATE.split("\nParameters:\n").nth(1).unwrap_or_default();
    let section = section.split("\nConditions:\n").next().unwrap_or_default();
    section.lines().filter_map(|line| {
        let name = line.strip_prefix("  ")?.strip_suffix(':')?;
        (!name.starts_with(' ')).then_some(name)
    })
}

fn parameters(values: &BTreeMap<String, String>) -> Vec<Parameter> {
    values
        .iter()
        .map(|(key, value)| Parameter::builder().parameter_key(key).parameter_value(value).build())
        .collect()
}

/// CloudFormation has one code, `ValidationError`, for many things.
fn says<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>, words: &str) -> bool {
    error.as_service_error().is_some_and(|service| {
        service.code() == Some("ValidationError")
            && service.message().is_some_and(|message| message.contains(words))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html>
    const MOST_TEMPLATE_BYTES: usize = 51_200;

    #[test]
    fn the_template_fits_into_a_call() {
        assert!(TEMPLATE.len() < MOST_TEMPLATE_BYTES, "{}", TEMPLATE.len());
        let names: Vec<_> = parameter_names().collect();
        assert!(names.contains(&"SetUpCodeKey") && names.contains(&"Dashboard"), "{names:?}");
        assert!(names.len() > 15 && !names.contains(&"HasFunctions"), "{names:?}");
    }

    #[test]
    fn a_template_without_a_budget_names_none() {
        let without = template(&BTreeMap::new());
        assert!(!without.contains("AWS::Budgets") && without.contains("\n  FarmDashboard:\n"));
        assert_eq!(
            without.matches("\n    Type: ").count() + 1,
            TEMPLATE.matches("\n    Type: ").count()
        );
        let values = BTreeMap::from([("MonthlyBudget".to_owned(), "20".to_owned())]);
        assert_eq!(template(&values), TEMPLATE);
    }

    #[test]
    fn a_stack_can_be_updated_deleted_or_waited_for() {
        use aws_sdk_cloudformation::types::StackStatus;
        let states = StackStatus::values()
            .iter()
            .map(|status| StackState { status: (*status).to_owned(), ..StackState::default() });
        let stuck: Vec<_> = states
            .filter(|state| state.is_quiet() && !state.can_be_updated() && !state.is_a_ruin())
            .map(|state| state.status)
            .collect();
        assert_eq!(
            stuck.join(" "),
            "DELETE_COMPLETE IMPORT_ROLLBACK_COMPLETE IMPORT_ROLLBACK_FAILED \
             UPDATE_FAILED UPDATE_ROLLBACK_FAILED"
        );
    }
}
