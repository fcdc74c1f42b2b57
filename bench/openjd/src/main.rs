//! A folder to a bucket and back with openjd-snapshots, as AWS Deadline Cloud's attachments are:
//! `openjd-attachments upload|download ENDPOINT BUCKET STATE FOLDER`.
//!
//! STATE keeps its caches of digests and of what the bucket holds, and the manifest. Credentials come
//! from the environment.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use openjd_snapshots::{
    AbsManifest, CollectOptions, DecodedManifest, DownloadOptions, HashCache, HashUploadOptions,
    S3CheckCache, S3DataCache, SymlinkPolicy, collect_abs_snapshot, decode_manifest,
    download_abs_manifest, encode_snapshot_v2025, hash_upload_abs_manifest, join_snapshot,
    subtree_snapshot,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [what, endpoint, bucket, state, folder] = arguments.as_slice() else {
        return Err("usage: openjd-attachments upload|download ENDPOINT BUCKET STATE FOLDER".into());
    };
    let state = Path::new(state);
    let key = std::env::var("AWS_ACCESS_KEY_ID")?;
    let secret = std::env::var("AWS_SECRET_ACCESS_KEY")?;
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new(key, secret, None, None, "bench"))
        .endpoint_url(endpoint)
        .force_path_style(true)
        .build();
    let client = aws_sdk_s3::Client::from_conf(config);
    let present = Arc::new(S3CheckCache::new(state)?);
    let cache = S3DataCache::new(bucket.clone(), "Data".to_owned(), client)
        .with_s3_check_cache(Some(present));
    let hashes = Some(Arc::new(HashCache::new(state)?));
    let manifest_file = state.join("manifest.json");
    if what == "upload" {
        let found = collect_abs_snapshot(&[folder], &[] as &[&str], CollectOptions::default())?;
        let options = HashUploadOptions { hash_cache: hashes, ..HashUploadOptions::default() };
        let manifest = AbsManifest::Snapshot(found);
        let sent = hash_upload_abs_manifest(&manifest, Arc::new(cache), options).await?;
        let AbsManifest::Snapshot(sent) = sent.manifest else { return Err("a difference".into()) };
        let relative = subtree_snapshot(&sent, folder, SymlinkPolicy::CollapseEscaping)?;
        std::fs::write(manifest_file, encode_snapshot_v2025(&relative)?)?;
    } else {
        let decoded = decode_manifest(&std::fs::read_to_string(manifest_file)?)?;
        let DecodedManifest::Snapshot(relative) = decoded else {
            return Err("a difference".into());
        };
        let manifest = AbsManifest::Snapshot(join_snapshot(&relative, folder)?);
        download_abs_manifest(&manifest, Arc::new(cache), DownloadOptions::default()).await?;
    }
    Ok(())
}
