//! Fetches the files of a pack into a folder, as the consumer does: for `bench/`.
//!
//! `fetch_pack ENDPOINT BUCKET PACK FOLDER` takes credentials from the environment and prints the
//! seconds.

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use farm::{AwsConfig, Storage};
use protocol::{Manifest, PackId, keys, parse};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [endpoint, bucket, pack, folder] = arguments.as_slice() else {
        return Err("usage: fetch_pack ENDPOINT BUCKET PACK FOLDER".into());
    };
    let config = AwsConfig::load(Some("us-east-1"), None, Some(endpoint)).await?;
    let storage = Storage::new(&config, bucket.clone());
    let key = keys::pack(&PackId(pack.clone().try_into()?));
    let bytes = storage.get(&key, Manifest::MAX_SIZE_BYTES).await?.ok_or("no such pack")?;
    let manifest: Manifest = parse(&bytes)?;
    let started = Instant::now();
    storage.get_pack_files(&manifest, Path::new(folder), |_| true).await?;
    let seconds = started.elapsed().as_secs_f64();
    println!("{}", serde_json::json!({"seconds": seconds}));
    Ok(())
}
