//! Uploads a folder as a pack to a bucket, without a stack: for `bench/`.
//!
//! `upload_folder ENDPOINT BUCKET CACHE_FOLDER FOLDER` takes credentials from the environment and
//! prints what it did as JSON.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Duration;

use farm::{AwsConfig, Storage, UploadProgress, UploadSettings, upload_pack};
use protocol::PackPath;
use scene::{PackPlan, PlannedFile};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [endpoint, bucket, cache_folder, folder] = arguments.as_slice() else {
        return Err("usage: upload_folder ENDPOINT BUCKET CACHE_FOLDER FOLDER".into());
    };
    let config = AwsConfig::load(Some("us-east-1"), None, Some(endpoint)).await?;
    let storage = Storage::new(&config, bucket.clone());
    let settings = UploadSettings {
        cache_folder: cache_folder.into(),
        retention: Duration::from_secs(30 * 86_400),
    };
    let mut files = Vec::new();
    list(Path::new(folder), Path::new(folder), &mut files)?;
    let scene = PackPath::try_from("scene.blend".to_owned())?;
    let last = std::sync::Mutex::new(UploadProgress::default());
    let keep = |progress| {
        if let Ok(mut last) = last.lock() {
            *last = progress;
        }
    };
    let pack =
        upload_pack(&storage, &settings, &PackPlan::of_files(scene, files), keep, |trouble| {
            eprintln!("{trouble}");
        })
        .await?;
    let last = last.into_inner()?;
    println!(
        "{}",
        serde_json::json!({
            "pack": pack.to_string(),
            "sent_files": last.sent_files,
            "sent_bytes": last.sent_bytes,
            "skipped_files": last.skipped_files,
            "skipped_bytes": last.skipped_bytes,
        })
    );
    Ok(())
}

fn list(root: &Path, folder: &Path, files: &mut Vec<PlannedFile>) -> Result<(), Box<dyn Error>> {
    for entry in std::fs::read_dir(folder)? {
        let source: PathBuf = entry?.path();
        if source.is_dir() {
            list(root, &source, files)?;
        } else {
            let path = source.strip_prefix(root)?.to_string_lossy().into_owned();
            files.push(PlannedFile {
                path: PackPath::try_from(path)?,
                source,
                opens_without: false,
            });
        }
    }
    Ok(())
}
