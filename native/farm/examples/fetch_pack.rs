//! Fetches the files of a pack that are blobs of their own into a folder, as the consumer does: for
//! `bench/`.
//!
//! `fetch_pack ENDPOINT BUCKET PACK FOLDER` takes credentials from the environment and prints the
//! seconds.

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use farm::{AwsConfig, Storage};
use futures_util::{StreamExt, TryStreamExt, stream};
use protocol::{Manifest, PackId, keys, parse};

const FILES_AT_ONCE: usize = 16;

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
    let fetched: Vec<u64> =
        stream::iter(manifest.files.iter().filter(|file| file.bundle.is_none()))
            .map(|file| {
                let (storage, to) = (&storage, file.path.under(Path::new(folder)));
                async move {
                    let key = keys::blob(&file.digest);
                    storage.get_file(&key, &to, &file.digest, file.size_bytes).await?;
                    Ok::<_, farm::FarmError>(file.size_bytes)
                }
            })
            .buffer_unordered(FILES_AT_ONCE)
            .try_collect()
            .await?;
    let seconds = started.elapsed().as_secs_f64();
    println!("{}", serde_json::json!({"seconds": seconds, "bytes": fetched.iter().sum::<u64>()}));
    Ok(())
}
