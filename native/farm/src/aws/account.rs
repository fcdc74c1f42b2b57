//! What the account allows a farm to be.

use super::connection::{AwsConfig, FarmSettings};
use super::service_error::Attempt;
use crate::error::{FarmError, Result};

/// Lambda's usual limit of concurrent executions; a new account has as few as 10, and then less
/// memory too (<https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>).
const USUAL_EXECUTIONS: u32 = 1000;

/// The most memory of a function, in MiB.
const MOST_MEMORY_MIB: u32 = 10_240;

/// That of a new account. No call tells it: `CreateFunction` refuses more.
const NEW_ACCOUNT_MEMORY_MIB: u32 = 3008;

/// What an event source mapping takes
/// (<https://docs.aws.amazon.com/lambda/latest/dg/API_ScalingConfig.html>).
const MAPPING_CONCURRENCY: std::ops::RangeInclusive<u32> = 2..=1000;

/// From how many workers on a client calls some of them itself.
const BURST_FROM: u32 = 15;

/// As many as the template takes.
const MOST_BURST: u32 = 1000;

/// The limits of an account in a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountLimits {
    /// How many functions may run at the same time.
    pub concurrent_executions: u32,
    /// Those of them that no function has reserved for itself.
    pub unreserved_executions: u32,
}

/// The parameters of a stack that suit an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StackParameters {
    /// `ConsumerMemory`, in MiB.
    pub consumer_memory_mib: u32,
    /// `MaximumConcurrency`.
    pub maximum_concurrency: u32,
    /// `BurstWorkers`.
    pub burst_workers: u32,
}

impl AccountLimits {
    /// Asks Lambda (`GetAccountSettings`).
    ///
    /// # Errors
    /// [`FarmError`] of the call.
    pub async fn of(settings: &FarmSettings) -> Result<Self> {
        let config = AwsConfig::of(settings).await?;
        let attempt = Attempt {
            action: "ask for the account's limits",
            profile: config.profile.as_deref(),
            ..Attempt::default()
        };
        let client = aws_sdk_lambda::Client::new(&config.sdk);
        let answer = client.get_account_settings().send().await;
        let answer = answer.map_err(|error| attempt.error(error))?;
        let limit = answer.account_limit().ok_or_else(|| FarmError::Service {
            action: attempt.action.to_owned(),
            reason: "the answer has no limits".to_owned(),
        })?;
        let count = |number: i32| u32::try_from(number).unwrap_or(0);
        let concurrent_executions = count(limit.concurrent_executions());
        let unreserved = limit.unreserved_concurrent_executions().map(count);
        let unreserved_executions = unreserved.unwrap_or(concurrent_executions);
        Ok(Self { concurrent_executions, unreserved_executions })
    }

    /// Whether the account still has the limits of a new one.
    #[must_use]
    pub const fn is_of_a_new_account(&self) -> bool {
        self.concurrent_executions < USUAL_EXECUTIONS
    }

    /// What a stack may ask for: a tenth of the executions, two at least, stays for the HTTP API and
    /// for functions that are not of the farm.
    #[must_use]
    pub fn parameters(&self) -> StackParameters {
        let others = (self.unreserved_executions / 10).max(2);
        let ours = self.unreserved_executions.saturating_sub(others);
        // Where a mapping begins with more than a third of them, it needs no help.
        let burst = if ours < BURST_FROM { 0 } else { ours / 3 };
        StackParameters {
            burst_workers: burst.min(MOST_BURST),
            consumer_memory_mib: if self.is_of_a_new_account() {
                NEW_ACCOUNT_MEMORY_MIB
            } else {
                MOST_MEMORY_MIB
            },
            maximum_concurrency: (ours - burst)
                .clamp(*MAPPING_CONCURRENCY.start(), *MAPPING_CONCURRENCY.end()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_asks_for_what_the_account_has() {
        for (concurrent, unreserved, memory, concurrency, burst) in [
            (10, 10, 3008, 8, 0),
            (20, 20, 3008, 12, 6),
            (50, 50, 3008, 30, 15),
            (1000, 1000, 10_240, 600, 300),
            (1000, 100, 10_240, 60, 30),
            (5000, 5000, 10_240, 1000, 1000),
            (1000, 0, 10_240, 2, 0),
        ] {
            let limits = AccountLimits {
                concurrent_executions: concurrent,
                unreserved_executions: unreserved,
            };
            let parameters = StackParameters {
                consumer_memory_mib: memory,
                maximum_concurrency: concurrency,
                burst_workers: burst,
            };
            assert_eq!(limits.parameters(), parameters);
        }
    }
}
