//! What there is of a farm.

use std::collections::BTreeMap;

use farm::{AwsConfig, FarmSettings};

use crate::error::Result;
use crate::identity::Identity;
use crate::stack::Stack;

/// A farm, as AWS shows it.
#[derive(Debug, Clone)]
pub struct FarmStatus {
    /// Whose credentials these are.
    pub identity: Identity,
    /// As CloudFormation calls its state; none where there is no stack of the name.
    pub stack_status: Option<String>,
    /// The version that the stack was made by.
    pub version: Option<String>,
    /// Whether its functions are there.
    pub has_functions: bool,
    /// Whether it is of this build's version.
    pub is_current: bool,
    /// Its parameters, by name.
    pub parameters: BTreeMap<String, String>,
    /// Its outputs, by name.
    pub outputs: BTreeMap<String, String>,
}

/// Looks at the farm that the settings name.
///
/// # Errors
/// [`crate::AccountError::Farm`] of a call, [`crate::AccountError::SomeoneElses`],
/// [`crate::AccountError::Name`].
pub async fn status(settings: &FarmSettings) -> Result<FarmStatus> {
    let config = AwsConfig::of(settings).await?;
    let identity = Identity::of(&config).await?;
    let state = Stack::of(&config, &settings.stack)?.state().await?;
    let output = |name: &str| state.as_ref().and_then(|state| state.outputs.get(name).cloned());
    let version = output("Version");
    Ok(FarmStatus {
        identity,
        has_functions: output("ConsumerName").is_some(),
        is_current: version.as_deref() == Some(env!("CARGO_PKG_VERSION")),
        version,
        stack_status: state.as_ref().map(|state| state.status.clone()),
        parameters: state.as_ref().map(|state| state.parameters.clone()).unwrap_or_default(),
        outputs: state.map(|state| state.outputs).unwrap_or_default(),
    })
}
