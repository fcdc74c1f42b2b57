use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;
use tokio::task::AbortHandle;

use crate::error::Failure;
use crate::runtime::runtime;

/// Work on the runtime whose events Python polls.
#[derive(Debug)]
pub(crate) struct EventTask<E> {
    inbox: Mutex<Inbox<E>>,
    abort: AbortHandle,
}

#[derive(Debug)]
struct Inbox<E> {
    receiver: Receiver<Result<E, Failure>>,
    /// An error that came behind events: it is raised by the next poll.
    error: Option<Failure>,
    is_over: bool,
}

/// Where the work puts its events.
pub(crate) type Sender<E> = std::sync::mpsc::Sender<Result<E, Failure>>;

impl<E: Send + 'static> EventTask<E> {
    /// Starts the work. What it returns as an error becomes the last thing that polling raises.
    pub(crate) fn spawn<F, R>(work: impl FnOnce(Sender<E>) -> F) -> PyResult<Self>
    where
        F: Future<Output = Result<(), R>> + Send + 'static,
        R: Into<Failure>,
    {
        let (sender, receiver) = channel();
        let future = work(sender.clone());
        let handle = runtime()?.spawn(async move {
            if let Err(error) = future.await {
                // Nobody polls any more: then nobody wants to know.
                let _ = sender.send(Err(error.into()));
            }
        });
        let inbox = Mutex::new(Inbox { receiver, error: None, is_over: false });
        Ok(Self { inbox, abort: handle.abort_handle() })
    }

    /// What has happened since the last poll. Never waits.
    pub(crate) fn poll(&self) -> PyResult<Vec<E>> {
        let mut inbox = self.inbox.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = inbox.error.take() {
            return Err(error.to_exception());
        }
        let mut events = Vec::new();
        loop {
            match inbox.receiver.try_recv() {
                Ok(Ok(event)) => events.push(event),
                Ok(Err(error)) if events.is_empty() => return Err(error.to_exception()),
                Ok(Err(error)) => {
                    inbox.error = Some(error);
                    return Ok(events);
                }
                Err(TryRecvError::Empty) => return Ok(events),
                Err(TryRecvError::Disconnected) => {
                    inbox.is_over = true;
                    return Ok(events);
                }
            }
        }
    }

    /// Whether the work has ended and everything it said was polled.
    pub(crate) fn is_over(&self) -> bool {
        let inbox = self.inbox.lock().unwrap_or_else(PoisonError::into_inner);
        inbox.is_over && inbox.error.is_none()
    }

    /// Stops the work at its next step.
    pub(crate) fn stop(&self) {
        self.abort.abort();
    }
}

impl<E> Drop for EventTask<E> {
    fn drop(&mut self) {
        self.abort.abort();
    }
}
