//! A farm, removed: the bucket first, so that nothing is left that no stack knows any more.

use aws_sdk_ecr::operation::list_images::ListImagesError;
use aws_sdk_iam::operation::list_entities_for_policy::ListEntitiesForPolicyError;
use farm::{Attempt, AwsConfig, FarmSettings, Storage};

use crate::error::{AccountError, Result};
use crate::stack::{Stack, StackState};
use crate::stack_events::{Asked, Change, ResourceEvent};

/// What happens meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RemovalEvent {
    /// So many objects are deleted from the bucket.
    Emptied(u64),
    /// Something became of a resource of the stack.
    Resource {
        /// Its name in the template.
        name: String,
        /// As CloudFormation calls it, such as `DELETE_COMPLETE`.
        status: String,
    },
}

/// Deletes the farm that the settings name, with its bucket and every frame in it; then asks AWS whether
/// anything is left. Called again after it was interrupted, it goes on.
///
/// # Errors
/// [`AccountError::NoFarm`], [`AccountError::SomeoneElses`], [`AccountError::Attached`] before anything
/// is removed, [`AccountError::Farm`] of a call,
/// [`AccountError::Resource`] with AWS's own words, [`AccountError::Left`].
pub async fn remove(
    settings: &FarmSettings,
    told: impl Fn(RemovalEvent) + Send + Sync,
) -> Result<()> {
    let config = AwsConfig::of(settings).await?;
    let stack = Stack::of(&config, &settings.stack)?;
    let Some(mut state) = stack.state().await? else { return Err(stack.no_farm()) };
    if !state.is_quiet() {
        // A stack that is being made, or tidied up after an upgrade, cannot be deleted yet.
        let mut change = Change::under_way(&stack, &state);
        match watch(&mut change, &told).await? {
            Some(at_rest) => state = at_rest,
            None => return Ok(()),
        }
    }
    let resources = physical_resources(&stack, &state.id).await?;
    refuse_where_attached(&config, &resources).await?;
    let bucket = resources.iter().find(|one| one.name == "Bucket").map(|one| one.id.clone());
    if let Some(bucket) = &bucket {
        Storage::new(&config, bucket.clone())
            .delete_with_all_objects(|count| told(RemovalEvent::Emptied(count)))
            .await?;
    }
    let mut change = Change::begin(&stack, Some(&state), Asked::Deletion).await?;
    stack.delete().await?;
    if let Some(left) = watch(&mut change, &told).await? {
        return Err(change.failure("delete", &left));
    }
    let mut left = Vec::new();
    if let Some(bucket) = bucket {
        let storage = Storage::new(&config, bucket);
        if storage.exists().await? {
            left.push(format!("the bucket {}", storage.bucket()));
        }
    }
    if let Some(repository) = resources.iter().find(|one| one.name == "Repository")
        && repository_exists(&config, &repository.id).await?
    {
        left.push(format!("the repository {}", repository.id));
    }
    if left.is_empty() {
        return Ok(());
    }
    Err(AccountError::Left { stack: stack.name, left: left.join(", ") })
}

/// Waits until nothing is under way any more; the state then, none where the stack is gone.
async fn watch(
    change: &mut Change<'_>,
    told: &(impl Fn(RemovalEvent) + Send + Sync),
) -> Result<Option<StackState>> {
    loop {
        let look = change.look().await?;
        let is_the_last = look.is_the_last;
        for ResourceEvent { resource, status, .. } in look.events {
            told(RemovalEvent::Resource { name: resource, status });
        }
        if is_the_last {
            return Ok(look.state);
        }
    }
}

/// A resource of the stack.
struct PhysicalResource {
    /// In the template.
    name: String,
    /// In its service.
    id: String,
    kind: String,
}

async fn physical_resources(stack: &Stack, id: &str) -> Result<Vec<PhysicalResource>> {
    let answer = stack.client.describe_stack_resources().stack_name(id).send().await;
    let answer =
        answer.map_err(|error| stack.attempt("look at the stack's resources").error(error))?;
    let named = answer.stack_resources().iter().filter_map(|resource| {
        Some(PhysicalResource {
            name: resource.logical_resource_id()?.to_owned(),
            id: resource.physical_resource_id()?.to_owned(),
            kind: resource.resource_type()?.to_owned(),
        })
    });
    Ok(named.collect())
}

/// CloudFormation detaches no policy, and would stop in the middle.
async fn refuse_where_attached(config: &AwsConfig, resources: &[PhysicalResource]) -> Result<()> {
    let iam = aws_sdk_iam::Client::new(&config.sdk);
    let policies = resources.iter().filter(|one| one.kind == "AWS::IAM::ManagedPolicy");
    for policy in policies {
        let answer = match iam.list_entities_for_policy().policy_arn(&policy.id).send().await {
            Ok(answer) => answer,
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(ListEntitiesForPolicyError::is_no_such_entity_exception) =>
            {
                continue;
            }
            Err(error) => {
                let action = "see who has the farm's policies";
                return Err(Attempt { action, ..Attempt::default() }.error(error).into());
            }
        };
        let users = answer.policy_users().iter().filter_map(|one| one.user_name());
        let groups = answer.policy_groups().iter().filter_map(|one| one.group_name());
        let roles = answer.policy_roles().iter().filter_map(|one| one.role_name());
        let who = users.chain(groups).chain(roles).collect::<Vec<_>>().join(", ");
        if !who.is_empty() {
            let policy = policy.id.rsplit('/').next().unwrap_or(&policy.id).to_owned();
            return Err(AccountError::Attached { policy, who });
        }
    }
    Ok(())
}

async fn repository_exists(config: &AwsConfig, name: &str) -> Result<bool> {
    let client = aws_sdk_ecr::Client::new(&config.sdk);
    match client.list_images().repository_name(name).max_results(1).send().await {
        Ok(_) => Ok(true),
        Err(error) => {
            let service = error.as_service_error();
            if service.is_some_and(ListImagesError::is_repository_not_found_exception) {
                return Ok(false);
            }
            let attempt = Attempt { action: "look at the repository", ..Attempt::default() };
            Err(attempt.error(error).into())
        }
    }
}
