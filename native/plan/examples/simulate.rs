//! Prints what the model of a farm predicts, a row for each number of workers: what `bench/simulation.py`
//! asks, with what it has measured.
//!
//! `simulate FIXED SHARED END START SUBMISSION UNEVENNESS SLOW WORKERS[:SLICES[:CALLED]]…`, times in
//! seconds. Without a number of slices the planner chooses.

use std::process::ExitCode;
use std::time::Duration;

use plan::{FrameCost, ModelFarm, ModelFrame, Prediction, predict, slices_for_speed};

/// How many farms of chance are looked at for a row.
const SEEDS: u64 = 99;

/// Most slices of a frame that the protocol has.
const MOST_SLICES: u32 = 1000;

/// How much slower a slow worker is.
const TIMES_SLOWER: f64 = 10.0;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let numbers: Vec<f64> = arguments.iter().map_while(|text| text.parse().ok()).collect();
    let [fixed, shared, end, start, submission, unevenness, slow, ..] = numbers[..] else {
        eprintln!("expected seven numbers, and then workers: see the head of this file");
        return ExitCode::from(2);
    };
    let seconds = |seconds: f64| Duration::try_from_secs_f64(seconds).unwrap_or_default();
    let cost = FrameCost { fixed: seconds(fixed), shared: seconds(shared) };
    println!("| workers | slices | first tile | frame | slowest of {SEEDS} | paid beside one |");
    println!("|---|---|---|---|---|---|");
    for row in arguments.iter().skip(7) {
        let mut parts = row.split(':').map(|part| part.parse::<u32>().unwrap_or_default());
        let at_once = parts.next().unwrap_or(1);
        // A worker that renders its first frame sees its own start as a part of what it costs.
        let seen = FrameCost { fixed: cost.fixed + seconds(start), ..cost };
        let planned = || slices_for_speed(seen, Duration::ZERO, at_once, MOST_SLICES).unwrap_or(1);
        let slices = parts.next().filter(|slices| *slices > 0).unwrap_or_else(planned);
        let called = parts.next().unwrap_or(0).min(at_once);
        let farm = ModelFarm {
            mapping: at_once - called,
            called,
            submission: seconds(submission),
            start: seconds(start),
            slow_workers: if slow > 0.0 { 3.min(at_once / 3) } else { 0 },
            times_slower: TIMES_SLOWER,
        };
        let frame = ModelFrame { cost, slices, end: seconds(end), unevenness };
        let mut seen: Vec<Prediction> =
            (1..=SEEDS).map(|seed| predict(&farm, &frame, seed)).collect();
        seen.sort_by_key(|prediction| prediction.done);
        let (Some(usual), Some(worst)) = (seen.get(seen.len() / 2), seen.last()) else { continue };
        let whole = (farm.start + cost.whole() + seconds(end)).as_secs_f64();
        println!(
            "| {at_once} | {slices} | {:.1} s | {:.1} s | {:.1} s | {:.2} |",
            usual.first_preview.as_secs_f64(),
            usual.done.as_secs_f64(),
            worst.done.as_secs_f64(),
            usual.busy.as_secs_f64() / whole,
        );
    }
    ExitCode::SUCCESS
}
