use std::collections::BTreeMap;
use std::path::PathBuf;

use account::{FarmStatus, Permission, Quota, RemovalEvent, Role, SetUpEvent, SetUpOptions, Step};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::connection::PyFarmSettings;
use crate::runtime::wait;
use crate::task::EventTask;

#[pyclass(name = "SetUpEvent", frozen, get_all)]
#[derive(Debug, Default)]
pub(crate) struct PySetUpEvent {
    /// "step", "resource", "image" or "objects".
    kind: &'static str,
    /// The step, the resource or the stage.
    name: String,
    /// As CloudFormation calls it.
    status: String,
    done: u64,
    total: u64,
}

#[pyclass(name = "FarmSetUp", frozen)]
#[derive(Debug)]
pub(crate) struct PyFarmSetUp(EventTask<PySetUpEvent>);

#[pymethods]
impl PyFarmSetUp {
    #[new]
    fn new(
        settings: &PyFarmSettings,
        functions: PathBuf,
        parameters: BTreeMap<String, String>,
    ) -> PyResult<Self> {
        let settings = settings.to_rust();
        let options = SetUpOptions { functions, parameters };
        let task = EventTask::spawn(move |sender| async move {
            // Nobody polls any more: then nobody wants to know.
            let told = |event| drop(sender.send(Ok(set_up_event(event))));
            account::set_up(&settings, &options, told).await
        })?;
        Ok(Self(task))
    }

    fn poll(&self) -> PyResult<Vec<PySetUpEvent>> {
        self.0.poll()
    }

    #[getter]
    fn is_over(&self) -> bool {
        self.0.is_over()
    }
}

#[pyclass(name = "FarmRemoval", frozen)]
#[derive(Debug)]
pub(crate) struct PyFarmRemoval(EventTask<PySetUpEvent>);

#[pymethods]
impl PyFarmRemoval {
    #[new]
    fn new(settings: &PyFarmSettings) -> PyResult<Self> {
        let settings = settings.to_rust();
        let task = EventTask::spawn(move |sender| async move {
            let told = |event| drop(sender.send(Ok(removal_event(event))));
            account::remove(&settings, told).await
        })?;
        Ok(Self(task))
    }

    fn poll(&self) -> PyResult<Vec<PySetUpEvent>> {
        self.0.poll()
    }

    #[getter]
    fn is_over(&self) -> bool {
        self.0.is_over()
    }
}

#[pyclass(name = "FarmStatus", frozen, get_all)]
#[derive(Debug)]
pub(crate) struct PyFarmStatus {
    account: String,
    identity: String,
    region: String,
    stack_status: Option<String>,
    version: Option<String>,
    has_functions: bool,
    is_current: bool,
    parameters: BTreeMap<String, String>,
    outputs: BTreeMap<String, String>,
}

#[pyclass(name = "Permission", frozen, get_all)]
#[derive(Debug)]
pub(crate) struct PyPermission {
    purpose: String,
    action: String,
    resource: String,
    is_allowed: bool,
}

#[pyclass(name = "Quota", frozen, get_all)]
#[derive(Debug)]
pub(crate) struct PyQuota {
    concurrent_executions: u32,
    requested: Option<f64>,
    request_status: Option<String>,
}

#[pyfunction]
pub(crate) fn farm_status(py: Python<'_>, settings: &PyFarmSettings) -> PyResult<PyFarmStatus> {
    let settings = settings.to_rust();
    let status = wait(py, async move { account::status(&settings).await })?;
    let FarmStatus { identity, parameters, outputs, .. } = status;
    Ok(PyFarmStatus {
        account: identity.account,
        identity: identity.arn,
        region: identity.region,
        stack_status: status.stack_status,
        version: status.version,
        has_functions: status.has_functions,
        is_current: status.is_current,
        parameters,
        outputs,
    })
}

#[pyfunction]
pub(crate) fn farm_policy(
    py: Python<'_>,
    settings: &PyFarmSettings,
    role: &str,
) -> PyResult<String> {
    let (settings, role) = (settings.to_rust(), role_named(role)?);
    wait(py, async move {
        let status = account::status(&settings).await?;
        Ok::<_, account::AccountError>(account::policy(role, &status.identity, &settings.stack))
    })
}

#[pyfunction]
pub(crate) fn farm_permissions(
    py: Python<'_>,
    settings: &PyFarmSettings,
    role: &str,
) -> PyResult<Vec<PyPermission>> {
    let (settings, role) = (settings.to_rust(), role_named(role)?);
    let found = wait(py, async move { account::permissions(&settings, role).await })?;
    let converted = found.into_iter().map(|permission| {
        let Permission { purpose, action, resource, is_allowed } = permission;
        PyPermission { purpose, action, resource, is_allowed }
    });
    Ok(converted.collect())
}

#[pyfunction]
pub(crate) fn quota(py: Python<'_>, settings: &PyFarmSettings) -> PyResult<PyQuota> {
    let settings = settings.to_rust();
    let found = wait(py, async move { account::quota(&settings).await })?;
    let Quota { concurrent_executions, requested, request_status } = found;
    Ok(PyQuota { concurrent_executions, requested, request_status })
}

#[pyfunction]
pub(crate) fn request_quota(
    py: Python<'_>,
    settings: &PyFarmSettings,
    executions: u32,
) -> PyResult<String> {
    let settings = settings.to_rust();
    wait(py, async move { account::request_quota(&settings, executions).await })
}

fn role_named(name: &str) -> PyResult<Role> {
    Role::named(name).ok_or_else(|| {
        PyValueError::new_err(format!(
            "{name:?} is no role: expected administrator, artist or consumer"
        ))
    })
}

fn set_up_event(event: SetUpEvent) -> PySetUpEvent {
    match event {
        SetUpEvent::Step(step) => PySetUpEvent {
            kind: "step",
            name: match step {
                Step::Look => "look",
                Step::Stack => "stack",
                Step::Code => "code",
                Step::Functions => "functions",
            }
            .to_owned(),
            done: step.number().into(),
            total: Step::COUNT.into(),
            ..PySetUpEvent::default()
        },
        SetUpEvent::Resource { name, status } => resource(name, status),
        SetUpEvent::Image { stage, done_bytes, total_bytes } => PySetUpEvent {
            kind: "image",
            name: stage,
            done: done_bytes,
            total: total_bytes,
            ..PySetUpEvent::default()
        },
    }
}

fn removal_event(event: RemovalEvent) -> PySetUpEvent {
    match event {
        RemovalEvent::Emptied(count) => {
            PySetUpEvent { kind: "objects", done: count, ..PySetUpEvent::default() }
        }
        RemovalEvent::Resource { name, status } => resource(name, status),
    }
}

fn resource(name: String, status: String) -> PySetUpEvent {
    PySetUpEvent { kind: "resource", name, status, ..PySetUpEvent::default() }
}
