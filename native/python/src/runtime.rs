use std::sync::OnceLock;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use crate::error::Failure;
use tokio::runtime::{Builder, Handle, Runtime};

/// The one runtime of this process; the only global state of the project.
static RUNTIME: OnceLock<Runtime> = OnceLock::new();

/// The runtime, started at its first use.
pub(crate) fn runtime() -> PyResult<&'static Handle> {
    if let Some(runtime) = RUNTIME.get() {
        return Ok(runtime.handle());
    }
    let built = Builder::new_multi_thread()
        .worker_threads(4)
        .thread_name("render-on-lambda")
        .enable_all()
        .build()
        .map_err(|error| PyRuntimeError::new_err(format!("cannot start threads: {error}")))?;
    // Where two threads race, one runtime is dropped before it was used.
    Ok(RUNTIME.get_or_init(|| built).handle())
}

/// Runs something short to its end; the GIL is released meanwhile.
pub(crate) fn wait<T: Send, E: Into<Failure> + Send>(
    py: Python<'_>,
    work: impl Future<Output = Result<T, E>> + Send,
) -> PyResult<T> {
    let runtime = runtime()?;
    py.detach(|| runtime.block_on(work)).map_err(|error| error.into().to_exception())
}
