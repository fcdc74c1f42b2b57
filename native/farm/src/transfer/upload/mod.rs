//! Brings a pack into the bucket: found, hashed, bundled, looked up and sent, all at once.

mod blocking;
mod buffers;
mod file_identity;
mod hash_cache;
mod large_file;
mod limits;
mod meter;
mod pipeline;
mod put_file;
mod read;
mod share;
mod transfer;
mod unit;

pub use meter::UploadProgress;
pub use pipeline::{UploadSettings, upload_pack};
pub use put_file::put_file_if_absent;
