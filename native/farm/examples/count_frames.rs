//! Counts the frames of a job, as the HTTP API does; prints the seconds that it took and how many
//! are done.
//!
//!     count_frames ENDPOINT BUCKET JOB

use std::error::Error;
use std::time::Instant;

use farm::{AwsConfig, Storage, job_progress};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [endpoint, bucket, job] = arguments.as_slice() else {
        return Err("usage: count_frames ENDPOINT BUCKET JOB".into());
    };
    let config = AwsConfig::load(None, None, Some(endpoint)).await?;
    let storage = Storage::new(&config, bucket.clone());
    let id = job.parse()?;
    let started = Instant::now();
    let (_, progress) = job_progress(&storage, id, 0).await?;
    println!("{:.3} {}", started.elapsed().as_secs_f64(), progress.done);
    Ok(())
}
