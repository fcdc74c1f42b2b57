//! The Python binding: owned values in, work on the Rust runtime, typed events out.
//!
//! No Rust thread ever calls Python: Python polls. The GIL is released around whatever blocks.

mod account;
mod connection;
mod error;
mod frames;
mod job;
mod listing;
mod local;
mod notification;
mod preview;
mod runtime;
mod set_up;
mod sign_in;
mod submission;
mod task;
mod trace;

use pyo3::prelude::*;

/// The module `render_on_lambda._native`; its documentation is in `_native.pyi`.
#[pymodule(name = "_native")]
mod native {
    #[pymodule_export]
    use super::account::{PyAccountLimits, PyKnownProfile, account_limits, known_profiles};
    #[pymodule_export]
    use super::connection::{PyFarmSettings, PyStackCheck, PyStackInfo};
    #[pymodule_export]
    use super::error::{CredentialsError, FarmError, StackError};
    #[pymodule_export]
    use super::frames::{merge_samples, merge_tiles, plan_tiles, slice_metadata};
    #[pymodule_export]
    use super::job::{PyJob, PyJobEvent, PyProgress};
    #[pymodule_export]
    use super::listing::{PyListedJob, cancel_job, list_jobs, pause_job, remove_job, retry_job};
    #[pymodule_export]
    use super::local::{
        PyLocalPack, PyLocalPackEvent, PyProblem, PyRenderSettings, render_settings,
        split_output_path,
    };
    #[pymodule_export]
    use super::notification::notify;
    #[pymodule_export]
    use super::preview::make_preview;
    #[pymodule_export]
    use super::set_up::{
        PyFarmRemoval, PyFarmSetUp, PyFarmStatus, PyPermission, PyQuota, PySetUpEvent,
        farm_permissions, farm_policy, farm_status, quota, request_quota,
    };
    #[pymodule_export]
    use super::sign_in::{PySignIn, PySignInEvent, forget_access_key, keep_access_key};
    #[pymodule_export]
    use super::submission::{
        PyMissingFile, PySubmission, PySubmissionEvent, PyUnbakedSimulation, PyUploadProgress,
        new_job_id,
    };
    #[pymodule_export]
    use super::trace::{PyDependency, split_obstacle, trace};

    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
