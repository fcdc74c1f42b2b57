//! The consumer: takes tasks off the queue, renders them with a warm Blender, puts the results.
//!
//! Inside Lambda it serves the event source mapping; with `--poll` it works the same queue from
//! any machine. Both go through [`worker::Worker`].

mod blender;
mod entrances;
mod error;
mod own_folder;
mod pack;
mod results;
mod settings;
mod task;
mod worker;

use std::process::ExitCode;

use protocol::sentence;
use rustix::process::DumpableBehavior;

use crate::error::{ConsumerError, Result};
use crate::settings::Settings;
use crate::worker::Worker;

const USAGE: &str = "\
usage: render-on-lambda-consumer [--poll]

Without --poll it expects to be run by AWS Lambda. With --poll it works the queue from this machine
until it is interrupted. Both read BUCKET_NAME, QUEUE_URL and BLENDER from the environment.";

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .json()
        .with_target(false)
        .with_writer(std::io::stderr)
        .with_max_level(tracing::Level::INFO)
        .init();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let poll = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => false,
        ["--poll"] => true,
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(poll).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = sentence(&error), "cannot go on");
            ExitCode::FAILURE
        }
    }
}

async fn run(poll: bool) -> Result<()> {
    // Blender runs as the same user: it must not read this process's environment, where Lambda
    // keeps the keys, nor its memory.
    let hide = rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable);
    hide.map_err(|error| ConsumerError::Runtime { reason: error.to_string() })?;
    blender::process::adopt_orphans()?;
    let settings = Settings::from_environment()?;
    let worker = Worker::new(settings).await?;
    if poll { entrances::poll::run(worker).await } else { entrances::lambda::run(worker).await }
}
