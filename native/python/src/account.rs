use farm::{AccountLimits, ProfileState};
use protocol::pricing::{IMAGE_GB, REGISTRY_GB_MONTH_USD, tasks_usd};
use pyo3::prelude::*;

use crate::connection::PyFarmSettings;
use crate::runtime::wait;

#[pyclass(name = "AccountLimits", frozen, get_all)]
#[derive(Debug)]
pub(crate) struct PyAccountLimits {
    concurrent_executions: u32,
    unreserved_executions: u32,
    is_of_a_new_account: bool,
    consumer_memory_mib: u32,
    maximum_concurrency: u32,
    burst_workers: u32,
    idle_month_usd: f64,
    frame_minute_usd: f64,
}

#[pyclass(name = "KnownProfile", frozen, get_all)]
#[derive(Debug)]
pub(crate) struct PyKnownProfile {
    name: String,
    region: Option<String>,
    state: &'static str,
}

#[pyfunction]
pub(crate) fn known_profiles(py: Python<'_>) -> PyResult<Vec<PyKnownProfile>> {
    let found = wait(py, async { Ok::<_, farm::FarmError>(farm::profiles().await) })?;
    let converted = found.into_iter().map(|profile| PyKnownProfile {
        name: profile.name,
        region: profile.region,
        state: match profile.state {
            ProfileState::SignedIn => "signed in",
            ProfileState::MayHaveEnded => "may have ended",
            ProfileState::SignedOut => "signed out",
            ProfileState::Ready => "ready",
            ProfileState::NeedsCode => "needs code",
            ProfileState::Empty => "empty",
        },
    });
    Ok(converted.collect())
}

#[pyfunction]
pub(crate) fn account_limits(
    py: Python<'_>,
    settings: &PyFarmSettings,
) -> PyResult<PyAccountLimits> {
    let settings = settings.to_rust();
    let limits = wait(py, async move { AccountLimits::of(&settings).await })?;
    let parameters = limits.parameters();
    Ok(PyAccountLimits {
        concurrent_executions: limits.concurrent_executions,
        unreserved_executions: limits.unreserved_executions,
        is_of_a_new_account: limits.is_of_a_new_account(),
        consumer_memory_mib: parameters.consumer_memory_mib,
        maximum_concurrency: parameters.maximum_concurrency,
        burst_workers: parameters.burst_workers,
        idle_month_usd: IMAGE_GB * REGISTRY_GB_MONTH_USD,
        frame_minute_usd: tasks_usd(1, 60.0, parameters.consumer_memory_mib),
    })
}
