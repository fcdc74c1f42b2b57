//! The only place where Rust errors become Python exceptions.

use std::error::Error as _;
use std::io::ErrorKind;

use account::AccountError;
use farm::FarmError as Farm;
use frames::FramesError;
use preview::PreviewError;
use protocol::{ProtocolError, sentence};
use pyo3::create_exception;
use pyo3::exceptions::{
    PyConnectionError, PyException, PyFileExistsError, PyFileNotFoundError, PyOSError,
    PyPermissionError, PyValueError,
};
use pyo3::prelude::*;
use scene::SceneError;
use sign_in::SignInError;

create_exception!(render_on_lambda, FarmError, PyException);
create_exception!(render_on_lambda, CredentialsError, FarmError);
create_exception!(render_on_lambda, StackError, FarmError);

/// What work on the runtime can fail with.
#[derive(Debug)]
pub(crate) enum Failure {
    Farm(Farm),
    Account(AccountError),
    SignIn(SignInError),
}

impl From<SignInError> for Failure {
    fn from(error: SignInError) -> Self {
        Self::SignIn(error)
    }
}

impl From<Farm> for Failure {
    fn from(error: Farm) -> Self {
        Self::Farm(error)
    }
}

impl From<AccountError> for Failure {
    fn from(error: AccountError) -> Self {
        Self::Account(error)
    }
}

impl Failure {
    /// The exception that says it.
    pub(crate) fn to_exception(&self) -> PyErr {
        match self {
            Self::Farm(error) => farm_error(error),
            Self::Account(error) => account_error(error),
            Self::SignIn(error) => sign_in_error(error),
        }
    }
}

/// The exception of a failure while the farm is set up or removed.
fn account_error(error: &AccountError) -> PyErr {
    let message = error.to_string();
    match error {
        AccountError::Farm {
            error:
                Farm::NoCredentials { .. }
                | Farm::Credentials { .. }
                | Farm::NoProfile { .. }
                | Farm::NeedsCode { .. },
        } => CredentialsError::new_err(message),
        AccountError::Farm { error: Farm::Unreachable { .. } | Farm::Throttled { .. } } => {
            PyConnectionError::new_err(message)
        }
        AccountError::Farm { error: Farm::InsecureEndpoint { .. } } | AccountError::Name { .. } => {
            PyValueError::new_err(message)
        }
        AccountError::Farm { .. } => FarmError::new_err(message),
        AccountError::Code { .. } => PyOSError::new_err(message),
        AccountError::SomeoneElses { .. }
        | AccountError::NoFarm { .. }
        | AccountError::Stuck { .. }
        | AccountError::Attached { .. }
        | AccountError::Resource { .. }
        | AccountError::Left { .. } => StackError::new_err(message),
    }
}

/// The exception of somebody who is not signed in.
fn sign_in_error(error: &SignInError) -> PyErr {
    let message = sentence(error);
    match error {
        SignInError::Farm(error) => farm_error(error),
        SignInError::File { source, .. } | SignInError::Loopback { source } => {
            io_error(source.kind(), message)
        }
        SignInError::Typed { .. } | SignInError::Secret { .. } => PyValueError::new_err(message),
        SignInError::Refused { .. }
        | SignInError::TooLate { .. }
        | SignInError::Answer { .. }
        | SignInError::InUse { .. }
        | SignInError::EnvironmentFirst
        | SignInError::Profiles { .. }
        | SignInError::NoHome
        | SignInError::NoKeychain { .. }
        | SignInError::NoKey { .. } => CredentialsError::new_err(message),
    }
}

/// The exception of a failure on the farm.
pub(crate) fn farm_error(error: &Farm) -> PyErr {
    let message = sentence(error);
    match error {
        Farm::NoCredentials { .. }
        | Farm::Credentials { .. }
        | Farm::NoProfile { .. }
        | Farm::NeedsCode { .. } => CredentialsError::new_err(message),
        Farm::NoStack { .. }
        | Farm::StackNotReady { .. }
        | Farm::NotOurStack { .. }
        | Farm::OlderFarm { .. }
        | Farm::NewerFarm { .. }
        | Farm::OldBlender { .. }
        | Farm::LostBlender(_)
        | Farm::Function { .. }
        | Farm::NoBucket { .. }
        | Farm::NoQueue { .. } => StackError::new_err(message),
        Farm::Unreachable { .. } | Farm::Throttled { .. } => PyConnectionError::new_err(message),
        Farm::Io { source, .. } => io_error(source.kind(), message),
        Farm::Protocol(ProtocolError::Invalid { .. }) | Farm::InsecureEndpoint { .. } => {
            PyValueError::new_err(message)
        }
        Farm::Scene(error) => scene_error(error),
        _ => FarmError::new_err(message),
    }
}

/// The exception of a scene that cannot be traced or packed.
pub(crate) fn scene_error(error: &SceneError) -> PyErr {
    let message = sentence(error);
    let mut kind = None;
    let mut level = error.source();
    while let Some(cause) = level {
        kind = kind.or(cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind));
        level = cause.source();
    }
    match kind {
        Some(kind) => io_error(kind, message),
        None => PyValueError::new_err(message),
    }
}

/// The exception of a frame of which there is no preview.
pub(crate) fn preview_error(error: &PreviewError) -> PyErr {
    match error {
        PreviewError::Io { source, .. } => io_error(source.kind(), error.to_string()),
        PreviewError::Unreadable { .. } => PyValueError::new_err(error.to_string()),
    }
}

/// The exception of slices that do not become a frame.
pub(crate) fn frames_error(error: &FramesError) -> PyErr {
    match error {
        FramesError::Io { source, .. } => io_error(source.kind(), sentence(error)),
        FramesError::Damaged { .. } | FramesError::Misfit { .. } | FramesError::Plan { .. } => {
            PyValueError::new_err(error.to_string())
        }
    }
}

/// The exception of a value that cannot be.
pub(crate) fn value_error(error: &ProtocolError) -> PyErr {
    PyValueError::new_err(sentence(error))
}

fn io_error(kind: ErrorKind, message: String) -> PyErr {
    match kind {
        ErrorKind::NotFound => PyFileNotFoundError::new_err(message),
        ErrorKind::PermissionDenied => PyPermissionError::new_err(message),
        ErrorKind::AlreadyExists => PyFileExistsError::new_err(message),
        _ => PyOSError::new_err(message),
    }
}
