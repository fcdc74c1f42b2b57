//! The price table, in one place, and what a job costs by it.
//!
//! Prices are those of us-east-1 in US dollars, without free tier:
//! <https://aws.amazon.com/lambda/pricing/>, <https://aws.amazon.com/s3/pricing/>,
//! <https://aws.amazon.com/sqs/pricing/>.

/// Lambda on x86, per GB-second.
pub const LAMBDA_GB_SECOND_USD: f64 = 0.000_016_666_7;

/// Lambda, per invocation.
pub const LAMBDA_REQUEST_USD: f64 = 0.20 / 1e6;

/// S3 PUT, COPY, POST and LIST, per request.
pub const S3_PUT_USD: f64 = 0.005 / 1e3;

/// S3 GET, per request.
pub const S3_GET_USD: f64 = 0.000_4 / 1e3;

/// SQS, per request.
pub const SQS_REQUEST_USD: f64 = 0.40 / 1e6;

/// ECR's storage, per GB and month (<https://aws.amazon.com/ecr/pricing/>).
pub const REGISTRY_GB_MONTH_USD: f64 = 0.10;

/// What the renderer's image takes there: 738 MB with Blender 4.5 and 5.2.
pub const IMAGE_GB: f64 = 0.75;

/// What tasks cost on Lambda, in US dollars.
///
/// `billed_seconds` is the sum over all tries, `memory_mib` the function's memory. Each task also
/// pays for its invocation, its record and its event twice, its result, its log, its job and the
/// artist's wish, and its queue requests.
#[must_use]
pub fn tasks_usd(tasks: u64, billed_seconds: f64, memory_mib: u32) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a count of tasks is far below 2^52")]
    let tasks = tasks as f64;
    let compute = billed_seconds.max(0.0) * f64::from(memory_mib) / 1024.0 * LAMBDA_GB_SECOND_USD;
    let per_task = LAMBDA_REQUEST_USD + 6.0 * S3_PUT_USD + 2.0 * S3_GET_USD + 4.0 * SQS_REQUEST_USD;
    compute + tasks * per_task
}

#[cfg(test)]
mod tests {
    use super::tasks_usd;

    #[test]
    fn an_hour_of_ten_gigabytes_costs_sixty_cents() {
        let dollars = tasks_usd(0, 3600.0, 10_240);
        assert!((dollars - 0.600_001_2).abs() < 1e-9, "{dollars}");
    }
}
