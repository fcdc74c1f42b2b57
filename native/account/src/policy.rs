//! The three policies: what setting up needs, what an artist needs, what the renderer needs.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::identity::Identity;

/// Who needs a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Who sets up, upgrades and removes the farm.
    Administrator,
    /// Who renders on it.
    Artist,
    /// A worker that is not in Lambda.
    Consumer,
}

impl Role {
    /// All of them, by the names that the command line has for them.
    pub const ALL: [(&'static str, Self); 3] = [
        ("administrator", Self::Administrator),
        ("artist", Self::Artist),
        ("consumer", Self::Consumer),
    ];

    /// The role of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(known, _)| *known == name).map(|(_, role)| role)
    }
}

/// The policy of a role for the farm of that name, as JSON. It is the template's, with what the stack makes
/// named as CloudFormation will name it.
#[must_use]
pub fn policy(role: Role, identity: &Identity, stack: &str) -> String {
    let text = match role {
        Role::Administrator => include_str!("../../../infra/policies/administrator.json"),
        Role::Artist => include_str!("../../../infra/policies/artist.json"),
        Role::Consumer => include_str!("../../../infra/policies/consumer.json"),
    };
    text.replace("${AWS::Partition}", &identity.partition)
        .replace("${AWS::Region}", &identity.region)
        .replace("${AWS::AccountId}", &identity.account)
        .replace("${AWS::StackName}", stack)
        .replace("${StackNameInSmallLetters}", &stack.to_lowercase())
}

/// A policy, as it is read back.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PolicyDocument {
    pub(crate) statement: Vec<Statement>,
}

/// A statement that allows something.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Statement {
    #[serde(default)]
    pub(crate) sid: String,
    pub(crate) action: OneOrMore,
    pub(crate) resource: OneOrMore,
    #[serde(default)]
    pub(crate) condition: Condition,
}

/// What has to be so.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Condition {
    #[serde(default)]
    pub(crate) string_equals: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) arn_like: BTreeMap<String, String>,
}

/// IAM writes a list of one without brackets.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl OneOrMore {
    pub(crate) fn into_vec(self) -> Vec<String> {
        match self {
            Self::One(one) => vec![one],
            Self::More(more) => more,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// IAM's limit of a managed policy, without white space
    /// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>).
    const MOST_LETTERS: usize = 6144;

    #[test]
    fn every_policy_is_one_that_iam_takes() {
        let [account, partition, region] =
            ["123456789012", "aws-us-gov", "us-gov-west-1"].map(str::to_owned);
        let identity = Identity { account, arn: String::new(), partition, region };
        for (name, role) in Role::ALL {
            let longest = "A".repeat(20);
            let text = policy(role, &identity, &longest);
            let document: PolicyDocument = serde_json::from_str(&text).unwrap();
            assert!(!document.statement.is_empty(), "{name}");
            assert!(!text.contains("${"), "{name}");
            let letters = text.chars().filter(|letter| !letter.is_whitespace()).count();
            assert!(letters <= MOST_LETTERS, "{name} has {letters}");
            assert_eq!(Role::named(name), Some(role));
        }
        assert!(policy(Role::Artist, &identity, "A-farm").contains(":s3:::a-farm-bucket-*/jobs/*"));
    }
}
