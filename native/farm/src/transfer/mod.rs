//! Files between this machine and the bucket.

mod bundle;
mod digest_file;
mod download;
mod pack_files;
mod range_digest;
mod upload;

pub use digest_file::digest_file;
pub use upload::{UploadProgress, UploadSettings, put_file_if_absent, upload_pack};
