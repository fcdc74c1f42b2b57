use pyo3::prelude::*;
use sign_in::{
    AccessKey, CompanyRole, CompanySession, SignIn, SignInError, SignInEvent, WantedRole,
};

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
pub(crate) struct PySignIn {
    task: EventTask<PySignInEvent>,
    sign_in: SignIn,
    company: Option<(String, String)>,
}

#[pymethods]
impl PySignIn {
    #[new]
    #[pyo3(signature = (settings, *, company=None, role=None))]
    fn new(
        settings: &PyFarmSettings,
        company: Option<(String, String)>,
        role: Option<(String, String)>,
    ) -> PyResult<Self> {
        let sign_in = settings.to_sign_in();
        let (own, typed) = (sign_in.clone(), company.clone());
        let wanted = role.map(|(account_id, role)| WantedRole { account_id, role });
        let task = EventTask::spawn(move |sender| async move {
            // Nobody polls any more: then nobody wants to know.
            let told = |event| drop(sender.send(Ok(sign_in_event(event))));
            match session(&own.profile_name(), typed).await? {
                Some(session) => {
                    sign_in::sign_in_by_company(&own, session, wanted.as_ref(), told).await
                }
                None => sign_in::sign_in_by_browser(&own, told).await,
            }
        })?;
        Ok(Self { task, sign_in, company })
    }

    fn poll(&self) -> PyResult<Vec<PySignInEvent>> {
        self.task.poll()
    }

    #[getter]
    fn is_over(&self) -> bool {
        self.task.is_over()
    }

    fn use_role(&self, py: Python<'_>, account_id: String, role: String) -> PyResult<()> {
        let (sign_in, company) = (self.sign_in.clone(), self.company.clone());
        let role = CompanyRole { account_name: account_id.clone(), account_id, role };
        wait(py, async move {
            let name = sign_in.profile_name();
            match session(&name, company).await? {
                Some(session) => sign_in::use_role(&sign_in, session, &role).await,
                None => Err(SignInError::Refused {
                    reason: format!("the profile \"{name}\" names no company any more"),
                }),
            }
        })
    }

    fn cancel(&self) {
        self.task.stop();
    }
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
    wait(py, async move { sign_in::forget_access_key(&sign_in).await })
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
