use aws_credential_types::provider::SharedCredentialsProvider;
use farm::{Farm, FarmSettings};
use pyo3::prelude::*;
use sign_in::SignIn;

use crate::error::Failure;
use crate::runtime::wait;
use crate::task::EventTask;

#[pyclass(name = "FarmSettings", frozen, from_py_object)]
#[derive(Debug, Clone)]
pub(crate) struct PyFarmSettings {
    #[pyo3(get)]
    stack: String,
    #[pyo3(get)]
    region: Option<String>,
    #[pyo3(get)]
    profile: Option<String>,
    #[pyo3(get)]
    endpoint: Option<String>,
    /// Of a profile whose key the keychain has; Python never sees it.
    credentials: Option<SharedCredentialsProvider>,
}

#[pymethods]
impl PyFarmSettings {
    #[new]
    #[pyo3(signature = (stack, *, region=None, profile=None, endpoint=None))]
    fn new(
        py: Python<'_>,
        stack: String,
        region: Option<String>,
        profile: Option<String>,
        endpoint: Option<String>,
    ) -> PyResult<Self> {
        let named = profile.clone();
        let credentials = wait(py, async move {
            Ok::<_, Failure>(sign_in::keychain_credentials(named.as_deref()).await)
        })?;
        Ok(Self { stack, region, profile, endpoint, credentials })
    }
}

impl PyFarmSettings {
    pub(crate) fn to_rust(&self) -> FarmSettings {
        FarmSettings {
            stack: self.stack.clone(),
            region: self.region.clone(),
            profile: self.profile.clone(),
            endpoint: self.endpoint.clone(),
            credentials: self.credentials.clone(),
        }
    }

    /// The profile that somebody signs in to.
    pub(crate) fn to_sign_in(&self) -> SignIn {
        SignIn {
            profile: self.profile.clone(),
            region: self.region.clone(),
            endpoint: self.endpoint.clone(),
        }
    }
}

#[pyclass(name = "StackInfo", frozen, get_all)]
#[derive(Debug)]
pub(crate) struct PyStackInfo {
    bucket: String,
    consumer_memory_mib: u32,
    maximum_concurrency: u32,
    max_tries: u32,
    function: String,
    blenders: Vec<(u16, u16)>,
}

#[pyclass(name = "StackCheck", frozen)]
#[derive(Debug)]
pub(crate) struct PyStackCheck(EventTask<PyStackInfo>);

#[pymethods]
impl PyStackCheck {
    #[new]
    fn new(settings: &PyFarmSettings) -> PyResult<Self> {
        let settings = settings.to_rust();
        let task = EventTask::spawn(move |sender| async move {
            let farm = Farm::connect(&settings).await?;
            let _ = sender.send(Ok(PyStackInfo {
                bucket: farm.storage.bucket().to_owned(),
                consumer_memory_mib: farm.consumer_memory_mib,
                maximum_concurrency: farm.maximum_concurrency + farm.burst_workers,
                max_tries: farm.max_tries,
                function: farm.function.name().to_owned(),
                blenders: farm.blenders.versions().to_vec(),
            }));
            Ok::<(), farm::FarmError>(())
        })?;
        Ok(Self(task))
    }

    fn poll(&self) -> PyResult<Option<PyStackInfo>> {
        Ok(self.0.poll()?.into_iter().next())
    }
}
