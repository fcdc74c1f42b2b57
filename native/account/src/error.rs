use farm::FarmError;

/// What can go wrong between an administrator and AWS.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// A call that failed.
    #[error("{}{}", error, advice(&error.to_string()))]
    Farm {
        /// What the service said.
        #[source]
        error: FarmError,
    },
    /// A stack of that name that is not a farm.
    #[error(
        "there is a stack \"{stack}\" in {region}, and it is none of Render on Lambda's; choose another name for the farm"
    )]
    SomeoneElses {
        /// The stack's name.
        stack: String,
        /// The region.
        region: String,
    },
    /// No farm of that name.
    #[error("there is no farm \"{stack}\" in {region}")]
    NoFarm {
        /// The stack's name.
        stack: String,
        /// The region.
        region: String,
    },
    /// A stack in a state that needs a person.
    #[error(
        "the stack \"{stack}\" is {status}: look at its events in AWS's console, under CloudFormation, and press again when it is done"
    )]
    Stuck {
        /// The stack's name.
        stack: String,
        /// What CloudFormation calls its state.
        status: String,
    },
    /// A resource that AWS could not make, change or delete.
    #[error("AWS could not {action} {resource}: {reason}{}", advice(reason))]
    Resource {
        /// "make", "change" or "delete".
        action: &'static str,
        /// The resource, as in "Queue (`AWS::SQS::Queue`)".
        resource: String,
        /// AWS's own words.
        reason: String,
    },
    /// A policy of the farm that somebody has: CloudFormation detaches none.
    #[error(
        "the farm's policy {policy} is attached to {who}; detach it first, and press again: nothing was removed"
    )]
    Attached {
        /// The policy's name.
        policy: String,
        /// Users, groups and roles.
        who: String,
    },
    /// A name that a stack cannot have.
    #[error(
        "\"{name}\" cannot be a farm's name: letters, digits and hyphens, a letter first, 20 at the most"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// The functions that came with the add-on cannot be read.
    #[error("cannot read the farm's functions in {folder}: {reason}; install the add-on again")]
    Code {
        /// The folder.
        folder: String,
        /// Why not.
        reason: String,
    },
    /// Something is there after the removal.
    #[error(
        "AWS still has of the farm \"{stack}\": {left}; remove it again in a minute, or in AWS's console"
    )]
    Left {
        /// The stack's name.
        stack: String,
        /// What is there.
        left: String,
    },
}

/// What may be done about a reason, as the end of a sentence.
fn advice(reason: &str) -> String {
    crate::advice::advice(reason).map(|advice| format!("; {advice}")).unwrap_or_default()
}

impl From<FarmError> for AccountError {
    fn from(error: FarmError) -> Self {
        Self::Farm { error }
    }
}

/// What most functions here give.
pub type Result<T> = std::result::Result<T, AccountError>;
