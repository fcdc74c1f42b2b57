//! Enqueues the frames of a job that nobody renders: for `bench/`.
//!
//! `enqueue_frames ENDPOINT BUCKET QUEUE_URL FRAMES` prints the seconds that it took.

use std::error::Error;
use std::time::Instant;

use farm::{AwsConfig, Queue, Storage, submit_job};
use protocol::{BlenderVersion, FrameRange, Job, JobId, OutputNaming, PackId, Versioned};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [endpoint, bucket, queue_url, frames] = arguments.as_slice() else {
        return Err("usage: enqueue_frames ENDPOINT BUCKET QUEUE_URL FRAMES".into());
    };
    let config = AwsConfig::load(Some("us-east-1"), None, Some(endpoint)).await?;
    let storage = Storage::new(&config, bucket.clone());
    let queue = Queue::new(&config, queue_url.clone());
    let job = Job {
        version: Job::VERSION,
        id: JobId::now(),
        name: "bench".to_owned(),
        pack: PackId("0".repeat(64).try_into()?),
        scene: None,
        frames: FrameRange { first: 1, last: frames.parse()?, step: 1 }.into(),
        is_still: false,
        output: OutputNaming::new(String::new()),
        blender_version: BlenderVersion(5, 2, 0),
        render_version: Some((5, 2)),
        slices: None,
        allow_other_noise: false,
        allow_scripts: false,
    };
    let started = Instant::now();
    submit_job(&storage, &queue, &job, |_| {}).await?;
    println!("{:.3}", started.elapsed().as_secs_f64());
    Ok(())
}
