//! The stack as AWS shows it: how it is reached, its bucket and its queue.

pub(crate) mod account;
pub(crate) mod burst;
pub(crate) mod connection;
pub(crate) mod counted_body;
mod deletion;
pub(crate) mod function;
mod http_client;
pub(crate) mod listing;
pub(crate) mod multipart;
mod profile;
pub(crate) mod profiles;
pub(crate) mod queue;
pub(crate) mod service_error;
pub(crate) mod stack;
pub(crate) mod storage;
