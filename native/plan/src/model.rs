//! A model of a farm that renders one frame in slices: what it predicts rests on the numbers that it is
//! given, and on the rules by which workers come and slices are given out.

use std::time::Duration;

use crate::course::FrameCost;
use crate::straggler::{is_far_behind, most_seconds};

/// How many workers a queue's mapping begins with, and how many come a second
/// (<https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html>).
const MAPPING_BEGINS_WITH: u32 = 5;
const MAPPING_ADDS_A_SECOND: f64 = 5.0;

/// How many called workers come a second: 1,000 in ten seconds
/// (<https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html>).
const CALLED_A_SECOND: f64 = 100.0;

/// The longest that the end of a frame looks away from its slices while they come.
const LOOKS_EVERY: Duration = Duration::from_secs(15);

/// A farm, as far as one frame meets it.
#[derive(Debug, Clone, Copy)]
pub struct ModelFarm {
    /// Workers of the queue's mapping.
    pub mapping: u32,
    /// Workers that the client calls.
    pub called: u32,
    /// From the press to the slices on the queue.
    pub submission: Duration,
    /// What a worker needs before it takes its first slice: a container, Blender, the pack.
    pub start: Duration,
    /// How many workers are slow.
    pub slow_workers: u32,
    /// How many times slower those are.
    pub times_slower: f64,
}

/// A frame in slices.
#[derive(Debug, Clone, Copy)]
pub struct ModelFrame {
    /// What its slices pay and share.
    pub cost: FrameCost,
    /// Into how many slices it is split.
    pub slices: u32,
    /// Merging, denoising, finishing and sending it.
    pub end: Duration,
    /// How unlike the tiles are: the standard deviation of the logarithm of their cost.
    pub unevenness: f64,
}

/// What becomes of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prediction {
    /// From the press to the first slice that is seen.
    pub first_preview: Duration,
    /// From the press to the frame.
    pub done: Duration,
    /// What all workers together are paid for.
    pub busy: Duration,
    /// How many workers took part.
    pub workers: u32,
}

/// Predicts how a frame goes; the seed chooses which tiles are dear and which workers slow.
#[must_use]
pub fn predict(farm: &ModelFarm, frame: &ModelFrame, seed: u64) -> Prediction {
    let mut chance = Chance(seed.max(1));
    let mut workers = workers_of(farm, frame.slices);
    for _ in 0..farm.slow_workers {
        let slow = chance.below(workers.len());
        if let Some(worker) = workers.get_mut(slow) {
            worker.times_slower = farm.times_slower;
        }
    }
    let mut slices: Vec<Slice> = Vec::new();
    for weight in weights(frame, &mut chance) {
        let Some(worker) = workers.iter_mut().min_by_key(|worker| worker.free_at) else { break };
        let work = frame.cost.fixed + frame.cost.shared.mul_f64(weight);
        let end = worker.free_at + work.mul_f64(worker.times_slower);
        slices.push(Slice { begun: worker.free_at, end, work });
        worker.free_at = end;
        worker.slices += 1;
    }
    let mut busy: Duration = slices.iter().map(Slice::length).sum();
    busy += help_the_slow(&mut slices, &mut workers);
    let all_there = slices.iter().map(|slice| slice.end).max().unwrap_or_default();
    let taking_part: Vec<_> = workers.iter().filter(|worker| worker.slices > 0).collect();
    let started: u32 = u32::try_from(taking_part.len()).unwrap_or(u32::MAX);
    let end = frame.cost.fixed + frame.end;
    Prediction {
        first_preview: slices.iter().map(|slice| slice.end).min().unwrap_or_default(),
        done: all_there + end,
        busy: busy + farm.start * started + end,
        workers: started,
    }
}

struct Worker {
    free_at: Duration,
    times_slower: f64,
    slices: u32,
}

struct Slice {
    begun: Duration,
    end: Duration,
    /// What it takes on a worker that is not slow.
    work: Duration,
}

impl Slice {
    fn length(&self) -> Duration {
        self.end.saturating_sub(self.begun)
    }
}

/// The workers that a frame of so many slices meets, each with the time from which it works.
fn workers_of(farm: &ModelFarm, slices: u32) -> Vec<Worker> {
    let ready = farm.submission + farm.start;
    let mapped = (0..farm.mapping).map(|number| {
        let later = f64::from(number.saturating_sub(MAPPING_BEGINS_WITH)) / MAPPING_ADDS_A_SECOND;
        ready + Duration::from_secs_f64(later)
    });
    let called = (0..farm.called)
        .map(|number| ready + Duration::from_secs_f64(f64::from(number) / CALLED_A_SECOND));
    let mut from: Vec<Duration> = mapped.chain(called).collect();
    from.sort_unstable();
    from.truncate(slices as usize);
    from.into_iter().map(|free_at| Worker { free_at, times_slower: 1.0, slices: 0 }).collect()
}

/// What part of the samples' cost each tile has: 1 together.
fn weights(frame: &ModelFrame, chance: &mut Chance) -> Vec<f64> {
    let each: Vec<f64> =
        (0..frame.slices).map(|_| (frame.unevenness * chance.normal()).exp()).collect();
    let all: f64 = each.iter().sum();
    each.into_iter().map(|weight| weight / all.max(f64::MIN_POSITIVE)).collect()
}

/// Has slices that are far behind rendered by others too; gives what those are paid for.
fn help_the_slow(slices: &mut [Slice], workers: &mut [Worker]) -> Duration {
    let mut ends: Vec<Duration> = slices.iter().map(|slice| slice.end).collect();
    ends.sort_unstable();
    let mut took: Vec<Duration> = slices.iter().map(Slice::length).collect();
    took.sort_unstable();
    let Some(usual) = took.get(took.len() / 2).copied() else { return Duration::ZERO };
    let most = usize::try_from(most_seconds(slices.len() as u64)).unwrap_or(usize::MAX);
    // Only where nearly all others are there is anybody called slow.
    let from = ends.len().checked_sub(most + 1).and_then(|place| ends.get(place));
    let from = from.copied().unwrap_or_default();
    let mut paid = Duration::ZERO;
    for slice in slices {
        let seen = from.max(slice.begun + usual) + LOOKS_EVERY;
        let Some(worker) = workers.iter_mut().min_by_key(|worker| worker.free_at) else { break };
        if !is_far_behind(slice.end.saturating_sub(seen), usual) {
            continue;
        }
        let begun = seen.max(worker.free_at);
        let end = begun + slice.work.mul_f64(worker.times_slower);
        worker.free_at = end;
        paid += end.saturating_sub(begun);
        slice.end = slice.end.min(end);
    }
    paid
}

/// Numbers that look like chance and are the same each time (xorshift, Marsaglia 2003).
struct Chance(u64);

impl Chance {
    #[expect(clippy::cast_precision_loss, reason = "a part of 1")]
    fn part(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// As twelve dice make it.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.part()).sum::<f64>() - 6.0
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "a place in a list of workers"
    )]
    fn below(&mut self, count: usize) -> usize {
        (self.part() * count as f64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn farm(mapping: u32) -> ModelFarm {
        ModelFarm {
            mapping,
            called: 0,
            submission: seconds(2),
            start: seconds(8),
            slow_workers: 0,
            times_slower: 1.0,
        }
    }

    fn frame(slices: u32) -> ModelFrame {
        ModelFrame {
            cost: FrameCost { fixed: seconds(5), shared: seconds(400) },
            slices,
            end: seconds(3),
            unevenness: 0.0,
        }
    }

    #[test]
    fn one_worker_takes_all_of_it_and_four_a_quarter_each() {
        let one = predict(&farm(1), &frame(1), 1);
        assert_eq!(one.done, seconds(2 + 8 + 405 + 8));
        let four = predict(&farm(4), &frame(4), 1);
        assert_eq!(four.done, seconds(2 + 8 + 105 + 8));
        assert_eq!(four.busy, seconds(4 * 8 + 4 * 105 + 8));
        assert_eq!(four.workers, 4);
    }

    #[test]
    fn called_workers_come_sooner_than_those_of_the_mapping() {
        let mapped = predict(&farm(100), &frame(100), 1);
        let called = predict(&ModelFarm { called: 95, ..farm(5) }, &frame(100), 1);
        assert!(mapped.done > called.done + seconds(10), "{mapped:?} {called:?}");
    }

    #[test]
    fn a_slow_worker_costs_a_second_one_and_not_its_whole_time() {
        let slow = ModelFarm { slow_workers: 1, times_slower: 10.0, ..farm(40) };
        let usual = predict(&farm(40), &frame(40), 1);
        let helped = predict(&slow, &frame(40), 1);
        assert!(helped.done > usual.done);
        // Alone it would have taken 150 s.
        assert!(helped.done < usual.done + seconds(60), "{helped:?}");
        assert!(helped.busy > usual.busy);
    }

    #[test]
    fn the_same_seed_predicts_the_same() {
        let uneven = ModelFrame { unevenness: 0.5, ..frame(64) };
        assert_eq!(predict(&farm(8), &uneven, 7), predict(&farm(8), &uneven, 7));
        assert!(predict(&farm(64), &uneven, 7).done > predict(&farm(64), &frame(64), 7).done);
    }
}
