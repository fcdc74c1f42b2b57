//! What may be done about AWS's own words.

/// The way on after a reason that AWS gives, where one is known.
pub(crate) fn advice(reason: &str) -> Option<String> {
    if let Some(action) = denied_action(reason) {
        let resource = denied_resource(reason).unwrap_or("*");
        return Some(format!(
            "this line of a policy allows it: {{\"Effect\": \"Allow\", \"Action\": \"{action}\", \
             \"Resource\": \"{resource}\"}}; the whole policy is printed by: render-on-lambda farm \
             policy administrator"
        ));
    }
    let is_of_memory = reason.contains("MemorySize");
    let is_of_executions = reason.contains("UnreservedConcurrentExecution")
        || reason.contains("concurrent executions");
    if is_of_memory || is_of_executions {
        return Some(
            "the account is new and allows little; ask AWS for more with: render-on-lambda farm \
             quota --request 1000"
                .to_owned(),
        );
    }
    None
}

/// The action in "… is not authorized to perform: sqs:CreateQueue on resource: arn:… because …"
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html>).
pub(crate) fn denied_action(reason: &str) -> Option<&str> {
    let (_, rest) = reason.split_once("not authorized to perform: ")?;
    let action = rest.split(|letter: char| letter.is_whitespace() || letter == ',').next()?;
    action.contains(':').then_some(action)
}

fn denied_resource(reason: &str) -> Option<&str> {
    let (_, rest) = reason.split_once("on resource: ")?;
    let resource = rest.split_whitespace().next()?;
    Some(resource.trim_end_matches([',', ';', ')', '.']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denied_action_comes_with_the_line_that_grants_it() {
        let reason = "User: arn:aws:iam::123456789012:user/anna is not authorized to perform: \
                      sqs:CreateQueue on resource: arn:aws:sqs:eu-west-1:123456789012:farm-Queue-1 \
                      because no identity-based policy allows the sqs:CreateQueue action";
        insta::assert_snapshot!(advice(reason).unwrap(), @r#"this line of a policy allows it: {"Effect": "Allow", "Action": "sqs:CreateQueue", "Resource": "arn:aws:sqs:eu-west-1:123456789012:farm-Queue-1"}; the whole policy is printed by: render-on-lambda farm policy administrator"#);
    }

    #[test]
    fn a_new_account_is_told_how_to_ask_for_more() {
        let reason = "'MemorySize' value failed to satisfy constraint: Member must have value less \
                      than or equal to 3008";
        assert!(advice(reason).unwrap().contains("farm quota --request 1000"));
        assert_eq!(advice("the disk is full"), None);
    }
}
