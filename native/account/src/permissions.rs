//! What the credentials may do of what a policy allows, by IAM's own simulator
//! (<https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html>).

use aws_sdk_iam::types::{ContextEntry, ContextKeyTypeEnum, PolicyEvaluationDecisionType};
use farm::{Attempt, AwsConfig, FarmSettings};

use crate::error::{AccountError, Result};
use crate::identity::Identity;
use crate::policy::{PolicyDocument, Role, policy};

/// An action that a role needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permission {
    /// What it is for: the statement of the policy, or the service where it has no name.
    pub purpose: String,
    /// Such as `sqs:SendMessage`.
    pub action: String,
    /// On what.
    pub resource: String,
    /// Whether it is allowed.
    pub is_allowed: bool,
}

/// Asks for every action of the role's policy whether the credentials may do it. The account's root user
/// may do everything, and is not asked for.
///
/// # Errors
/// [`AccountError::Farm`] of a call: whoever may not simulate their own policies is told so.
pub async fn permissions(settings: &FarmSettings, role: Role) -> Result<Vec<Permission>> {
    let config = AwsConfig::of(settings).await?;
    let identity = Identity::of(&config).await?;
    let text = policy(role, &identity, &settings.stack);
    let document: PolicyDocument = serde_json::from_str(&text).map_err(|error| {
        AccountError::Code { folder: "the policies".to_owned(), reason: error.to_string() }
    })?;
    let iam = aws_sdk_iam::Client::new(&config.sdk);
    let principal = principal(&iam, &identity).await;
    let attempt = Attempt {
        action: "ask what these credentials may do",
        profile: config.profile.as_deref(),
        ..Attempt::default()
    };
    let mut found = Vec::new();
    for statement in document.statement {
        let actions = statement.action.into_vec();
        let context: Vec<_> = statement
            .condition
            .string_equals
            .iter()
            .chain(&statement.condition.arn_like)
            .map(|(key, value)| {
                ContextEntry::builder()
                    .context_key_name(key)
                    .context_key_type(ContextKeyTypeEnum::String)
                    .context_key_values(value.replace('*', "x"))
                    .build()
            })
            .collect();
        for resource in statement.resource.into_vec() {
            // A name that is not known yet stands for any of its kind.
            let tried = if resource == "*" { "*".to_owned() } else { resource.replace('*', "x") };
            let denied = if identity.is_root() {
                Vec::new()
            } else {
                let answer = iam
                    .simulate_principal_policy()
                    .policy_source_arn(&principal)
                    .set_action_names(Some(actions.clone()))
                    .resource_arns(&tried)
                    .set_context_entries(Some(context.clone()))
                    .send()
                    .await
                    .map_err(|error| attempt.error(error))?;
                let results = answer.evaluation_results().iter();
                results
                    .filter(|one| one.eval_decision() != &PolicyEvaluationDecisionType::Allowed)
                    .map(|one| one.eval_action_name().to_owned())
                    .collect()
            };
            for action in &actions {
                found.push(Permission {
                    purpose: purpose(&statement.sid, action),
                    action: action.clone(),
                    resource: resource.clone(),
                    is_allowed: !denied.contains(action),
                });
            }
        }
    }
    Ok(found)
}

fn purpose(statement: &str, action: &str) -> String {
    let service = action.split(':').next().unwrap_or_default();
    if statement.is_empty() { service.to_owned() } else { statement.to_owned() }
}

/// The user or role whose policies count. The path of a role is not in the name of its session: IAM knows
/// it, where it may be asked.
async fn principal(iam: &aws_sdk_iam::Client, identity: &Identity) -> String {
    let Some(role) = identity.role_name() else { return identity.arn.clone() };
    let answer = iam.get_role().role_name(role).send().await.ok();
    let arn = answer.and_then(|answer| answer.role.map(|role| role.arn));
    arn.unwrap_or_else(|| identity.role_arn(role))
}
