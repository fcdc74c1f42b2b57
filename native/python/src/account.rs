use farm::AccountLimits;
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
