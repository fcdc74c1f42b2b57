use pyo3::prelude::*;
use sign_in::{AccessKey, CompanyRole, CompanySession, SignInError, SignInEvent};

use crate::connection::PyFarmSettings;
use crate::error::Failure;
use crate::runtime::wait;
use crate::task::EventTask;

#[pyclass(name = "SignInEvent", frozen, get_all)]
#[derive(Debug, Default)]
pub(crate) struct PySignInEvent {
    /// "page", "role" or "signed in".
    kind: &'static str,
    address: String,
    code: Option<String>,
    identity: String,
    account_id: String,
    account_name: String,
    role: String,
}

#[pyclass(name = "SignIn", frozen)]
#[derive(Debug)]
pub(crate) struct PySignIn(EventTask<PySignInEvent>);

#[pymethods]
impl PySignIn {
    #[new]
    #[pyo3(signature = (settings, *, company=None))]
    fn new(settings: &PyFarmSettings, company: Option<(String, String)>) -> PyResult<Self> {
        let sign_in = settings.to_sign_in();
        let task = EventTask::spawn(move |sender| async move {
            // Nobody polls any more: then nobody wants to know.
            let told = |event| drop(sender.send(Ok(sign_in_event(event))));
            match session(sign_in.profile_name(), company).await? {
                Some(session) => sign_in::sign_in_by_company(&sign_in, &session, told).await,
                None => sign_in::sign_in_by_browser(&sign_in, told).await,
            }
        })?;
        Ok(Self(task))
    }

    fn poll(&self) -> PyResult<Vec<PySignInEvent>> {
        self.0.poll()
    }

    #[getter]
    fn is_over(&self) -> bool {
        self.0.is_over()
    }

    fn cancel(&self) {
        self.0.stop();
    }
}

#[pyfunction]
#[pyo3(signature = (settings, account_id, role, *, company=None))]
pub(crate) fn use_role(
    py: Python<'_>,
    settings: &PyFarmSettings,
    account_id: String,
    role: String,
    company: Option<(String, String)>,
) -> PyResult<()> {
    let sign_in = settings.to_sign_in();
    let role = CompanyRole { account_name: account_id.clone(), account_id, role };
    wait(py, async move {
        match session(sign_in.profile_name(), company).await? {
            Some(session) => sign_in::use_role(&sign_in, &session, &role),
            None => Ok(()),
        }
    })
}

#[pyfunction]
pub(crate) fn keep_access_key(
    py: Python<'_>,
    settings: &PyFarmSettings,
    access_key_id: &str,
    secret_access_key: &str,
) -> PyResult<()> {
    let sign_in = settings.to_sign_in();
    let key = AccessKey::typed(access_key_id, secret_access_key);
    let key = key.map_err(|error| Failure::from(error).to_exception())?;
    wait(py, async move { sign_in::keep_access_key(&sign_in, key).await })
}

#[pyfunction]
pub(crate) fn forget_access_key(py: Python<'_>, settings: &PyFarmSettings) -> PyResult<()> {
    let sign_in = settings.to_sign_in();
    wait(py, async move { sign_in::forget_access_key(sign_in.profile_name()).await })
}

/// The company that was typed, else the one that the profile names.
async fn session(
    profile: &str,
    typed: Option<(String, String)>,
) -> Result<Option<CompanySession>, SignInError> {
    match typed {
        Some((start_url, region)) => CompanySession::typed(&start_url, &region).map(Some),
        None => Ok(sign_in::company_session(profile).await),
    }
}

fn sign_in_event(event: SignInEvent) -> PySignInEvent {
    match event {
        SignInEvent::Page { address, code } => {
            PySignInEvent { kind: "page", address, code, ..PySignInEvent::default() }
        }
        SignInEvent::Role(CompanyRole { account_id, account_name, role }) => PySignInEvent {
            kind: "role",
            account_id,
            account_name,
            role,
            ..PySignInEvent::default()
        },
        SignInEvent::SignedIn { identity } => {
            PySignInEvent { kind: "signed in", identity, ..PySignInEvent::default() }
        }
    }
}
