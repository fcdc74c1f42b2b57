use crate::error::{FarmError, Result};

/// Runs what blocks off the runtime.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|_| FarmError::Cancelled)?
}
