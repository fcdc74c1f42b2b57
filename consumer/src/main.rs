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

use std::path::Path;
use std::process::ExitCode;

use protocol::sentence;
use rustix::process::DumpableBehavior;

use crate::blender::cage;
use crate::blender::cage::self_test::Confinement;
use crate::blender::keeper;
use crate::error::{ConsumerError, Result};
use crate::settings::Settings;
use crate::worker::Worker;

const USAGE: &str = "\
usage: render-on-lambda-consumer [--poll]

Without --poll it expects to be run by AWS Lambda. With --poll it works the queue from this machine
until it is interrupted. Both read BUCKET_NAME, QUEUE_URL and BLENDER from the environment.";

fn main() -> ExitCode {
    // Before anything else, threads too: what an earlier job may have left on this machine must not
    // read the keys in this process's environment, nor its memory.
    let hidden = rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable);
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => work(hidden, false),
        ["--poll"] => work(hidden, true),
        [keeper::process::ARGUMENT, plan] => {
            if let Err(error) = keeper::process::run(plan) {
                eprintln!("{}", sentence(&error));
            }
            return ExitCode::SUCCESS;
        }
        [cage::ARGUMENT, plan] => {
            eprintln!("{}", sentence(&cage::enter(plan)));
            return ExitCode::from(cage::CANNOT_RUN);
        }
        [cage::self_test::ARGUMENT, secret, worker] => {
            let found = Confinement::try_it(Path::new(secret), worker);
            println!("{}", serde_json::json!(found));
            return ExitCode::SUCCESS;
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = sentence(&error), "cannot go on");
            ExitCode::FAILURE
        }
    }
}

fn work(hidden: rustix::io::Result<()>, poll: bool) -> Result<()> {
    tracing_subscriber::fmt()
        .json()
        .with_target(false)
        .with_writer(std::io::stderr)
        .with_max_level(tracing::Level::INFO)
        .init();
    let broken = |error: std::io::Error| ConsumerError::Runtime { reason: error.to_string() };
    hidden.map_err(|error| broken(error.into()))?;
    blender::process::adopt_orphans()?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(broken)?;
    runtime.block_on(async {
        let worker = Worker::new(Settings::from_environment()?).await?;
        if poll { entrances::poll::run(worker).await } else { entrances::lambda::run(worker).await }
    })
}
