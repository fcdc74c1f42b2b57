//! Who presses the button, and in whose account.

use farm::{Attempt, AwsConfig, FarmError};

use crate::error::Result;

/// Who the credentials belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The account's twelve digits.
    pub account: String,
    /// The user or the session of a role.
    pub arn: String,
    /// "aws", "aws-cn" or "aws-us-gov".
    pub partition: String,
    /// The region that is asked.
    pub region: String,
}

impl Identity {
    /// Asks AWS (`GetCallerIdentity`, which nobody can be denied).
    ///
    /// # Errors
    /// [`crate::AccountError::Farm`] of the call.
    pub async fn of(config: &AwsConfig) -> Result<Self> {
        let attempt = Attempt {
            action: "ask whose credentials these are",
            profile: config.profile.as_deref(),
            ..Attempt::default()
        };
        let client = aws_sdk_sts::Client::new(&config.sdk);
        let answer = client.get_caller_identity().send().await;
        let answer = answer.map_err(|error| attempt.error(error))?;
        let (Some(account), Some(arn)) = (answer.account(), answer.arn()) else {
            return Err(FarmError::Service {
                action: attempt.action.to_owned(),
                reason: "the answer names nobody".to_owned(),
            }
            .into());
        };
        let partition = arn.split(':').nth(1).unwrap_or("aws").to_owned();
        let (account, arn) = (account.to_owned(), arn.to_owned());
        Ok(Self { account, arn, partition, region: config.region_name() })
    }

    /// Whether it is the account's root user, who may do everything.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.arn.ends_with(":root")
    }

    /// The role that a session has taken; none of a user.
    pub(crate) fn role_name(&self) -> Option<&str> {
        let (_, session) = self.arn.split_once(":assumed-role/")?;
        session.split('/').next()
    }

    /// The ARN of a role, as far as its name tells: those of IAM Identity Center have the region in their
    /// path, but in us-east-1
    /// (<https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html>).
    pub(crate) fn role_arn(&self, role: &str) -> String {
        let path = if !role.starts_with("AWSReservedSSO_") {
            String::new()
        } else if self.region == "us-east-1" {
            "aws-reserved/sso.amazonaws.com/".to_owned()
        } else {
            format!("aws-reserved/sso.amazonaws.com/{}/", self.region)
        };
        format!("arn:{}:iam::{}:role/{path}{role}", self.partition, self.account)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn principal(arn: &str) -> Option<String> {
        let [account, partition, region] = ["1", "aws", "eu-west-1"].map(str::to_owned);
        let identity = Identity { account, arn: arn.to_owned(), partition, region };
        identity.role_name().map(|role| identity.role_arn(role))
    }

    #[test]
    fn the_policies_of_a_session_are_those_of_its_role() {
        assert_eq!(principal("arn:aws:iam::1:user/anna"), None);
        let build = principal("arn:aws:sts::1:assumed-role/Build/i-7");
        assert_eq!(build.as_deref(), Some("arn:aws:iam::1:role/Build"));
        let admin = principal("arn:aws:sts::1:assumed-role/AWSReservedSSO_Admin_1/anna");
        let path = "role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Admin_1";
        assert_eq!(admin, Some(format!("arn:aws:iam::1:{path}")));
    }
}
