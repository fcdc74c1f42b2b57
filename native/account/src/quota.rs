//! How many functions the account may run at once, and how more are asked for
//! (<https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/Welcome.html>).

use farm::{AccountLimits, Attempt, AwsConfig, FarmSettings};

use crate::error::Result;

/// Lambda's concurrent executions.
const SERVICE: &str = "lambda";
const CONCURRENT_EXECUTIONS: &str = "L-B99A9384";

/// The quota of concurrent executions in a region.
#[derive(Debug, Clone, PartialEq)]
pub struct Quota {
    /// How many the account has.
    pub concurrent_executions: u32,
    /// What the newest request asks for.
    pub requested: Option<f64>,
    /// What AWS calls the state of that request, such as "PENDING", "`CASE_OPENED`" or "APPROVED".
    pub request_status: Option<String>,
}

/// Looks at the quota, and at the newest request for more.
///
/// # Errors
/// [`crate::AccountError::Farm`] of a call.
pub async fn quota(settings: &FarmSettings) -> Result<Quota> {
    let config = AwsConfig::of(settings).await?;
    let limits = AccountLimits::of(settings).await?;
    let client = aws_sdk_servicequotas::Client::new(&config.sdk);
    let answer = client
        .list_requested_service_quota_change_history_by_quota()
        .service_code(SERVICE)
        .quota_code(CONCURRENT_EXECUTIONS)
        .send()
        .await
        .map_err(|error| attempt(&config, "look at the requests for a quota").error(error))?;
    let newest = answer.requested_quotas().iter().max_by_key(|one| one.created().copied());
    Ok(Quota {
        concurrent_executions: limits.concurrent_executions,
        requested: newest
            .and_then(aws_sdk_servicequotas::types::RequestedServiceQuotaChange::desired_value),
        request_status: newest.and_then(|one| Some(one.status()?.as_str().to_owned())),
    })
}

/// Asks AWS for so many concurrent executions; the state of the request.
///
/// # Errors
/// [`crate::AccountError::Farm`] of the call: one that is open already is told so by AWS.
pub async fn request_quota(settings: &FarmSettings, executions: u32) -> Result<String> {
    let config = AwsConfig::of(settings).await?;
    let client = aws_sdk_servicequotas::Client::new(&config.sdk);
    let answer = client
        .request_service_quota_increase()
        .service_code(SERVICE)
        .quota_code(CONCURRENT_EXECUTIONS)
        .desired_value(f64::from(executions))
        .send()
        .await
        .map_err(|error| attempt(&config, "ask for a larger quota").error(error))?;
    let status = answer.requested_quota().and_then(|request| request.status());
    Ok(status.map_or("PENDING", |status| status.as_str()).to_owned())
}

fn attempt<'a>(config: &'a AwsConfig, action: &'a str) -> Attempt<'a> {
    Attempt { action, profile: config.profile.as_deref(), ..Attempt::default() }
}
