//! Into how many slices a frame is worth while to be split.

use std::time::Duration;

use crate::course::FrameCost;

/// How much of a worker's time a slice may be expected to take: tiles are of the same size, and some have
/// several times the work of others. More where loading the scene leaves no room for less.
const SHARES_OF_THE_TIME: [f64; 3] = [0.25, 0.5, 0.75];

/// That, where slices may be so small at the price.
const COMFORTABLE_SHARE: f64 = 0.1;

/// How much more than the whole frame its slices may cost together.
const DEARER: f64 = 1.3;

/// A slice is worth while that has so much to render.
const WORTH_A_SLICE: Duration = Duration::from_secs(4);

/// How many slices a worker may have to take at the most: tiles are of one size and not of one cost, and
/// whoever has a cheap one takes another.
const MOST_ROUNDS: u32 = 4;

/// How much longer the dearest of a few tiles takes than the usual one; with several for each worker that is
/// made up for by so many times (by the model: `make simulate`).
const DEAREST: f64 = 0.7;

/// An image must come so much earlier that somebody notices.
const WORTH_WAITING: Duration = Duration::from_secs(20);

/// What each slice costs at least beside its share: its message, its way into the bucket.
const LEAST_FIXED: Duration = Duration::from_secs(1);

/// Into how many slices a frame is split so that each fits well into the time that a worker has;
/// nothing where no number does.
///
/// All slices pay the fixed cost, so it must be less than three quarters of the time. There are more than
/// have to be where that costs no more than 1.3 times the whole, and at least `least`.
#[must_use]
pub fn slices_for_time(
    cost: FrameCost,
    limit: Duration,
    least: u32,
    most_slices: u32,
) -> Option<u32> {
    let most = f64::from(most_slices);
    let needed = SHARES_OF_THE_TIME.iter().find_map(|share| {
        let room = limit.mul_f64(*share).checked_sub(cost.fixed)?;
        let needed = ratio(cost.shared, room).ceil().max(2.0).max(f64::from(least));
        (needed <= most).then_some(needed)
    })?;
    let comfortable = ratio(cost.shared, limit.mul_f64(COMFORTABLE_SHARE)).ceil();
    Some(whole(comfortable.min(affordable(cost)).max(needed).min(most)))
}

/// Into how many slices a frame is split so that it is there much earlier, at no more than 1.3 times
/// the cost; nothing where it is not worth while. `spent` is how long it has been worked on, `workers` how
/// many there are for it.
#[must_use]
pub fn slices_for_speed(
    cost: FrameCost,
    spent: Duration,
    workers: u32,
    most_slices: u32,
) -> Option<u32> {
    let fixed = cost.fixed.max(LEAST_FIXED);
    let filled = ratio(cost.shared, WORTH_A_SLICE);
    let most = affordable(cost).min(filled).min(most_slices.into()).floor();
    let at_once = most.min(workers.into());
    if at_once < 2.0 {
        return None;
    }
    // Each worker has as many as any other one: one slice more would be a round more.
    let time = |rounds: u32| {
        let rounds = f64::from(rounds);
        fixed.mul_f64(rounds) + cost.shared.mul_f64((1.0 + DEAREST / rounds) / at_once)
    };
    let rounds = (1..=MOST_ROUNDS)
        .filter(|rounds| *rounds == 1 || f64::from(*rounds) * at_once <= most)
        .min_by_key(|rounds| time(*rounds))?;
    let (slices, split) = (f64::from(rounds) * at_once, fixed + time(rounds));
    let saved = cost.whole().saturating_sub(spent).saturating_sub(split);
    (saved > split && saved > WORTH_WAITING).then(|| whole(slices))
}

/// Into how many slices a frame may be split at the price: they pay the fixed cost once each, and the
/// end of the frame once more.
fn affordable(cost: FrameCost) -> f64 {
    let fixed = cost.fixed.max(LEAST_FIXED);
    ((DEARER - 1.0) * (1.0 + ratio(cost.shared, fixed))).floor()
}

fn ratio(one: Duration, other: Duration) -> f64 {
    // Of nothing there is as much as one likes.
    one.as_secs_f64() / other.as_secs_f64().max(f64::MIN_POSITIVE)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "bounded by most_slices, and not negative"
)]
fn whole(slices: f64) -> u32 {
    slices as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cost(fixed: u64, shared: u64) -> FrameCost {
        FrameCost { fixed: Duration::from_secs(fixed), shared: Duration::from_secs(shared) }
    }

    const LAMBDA: Duration = Duration::from_secs(900);

    #[test]
    fn a_frame_that_is_too_long_is_split_so_that_each_slice_has_plenty_of_time() {
        assert_eq!(slices_for_time(cost(10, 1200), LAMBDA, 1, 1000), Some(14));
        assert_eq!(slices_for_time(cost(10, 36_000), LAMBDA, 1, 1000), Some(400));
        // Dear ones are as few as have to be; Cycles' own tiles are not cut across.
        assert_eq!(slices_for_time(cost(100, 1200), LAMBDA, 1, 1000), Some(10));
        assert_eq!(slices_for_time(cost(100, 1200), LAMBDA, 24, 1000), Some(24));
    }

    #[test]
    fn a_frame_whose_loading_alone_takes_too_long_is_not_split() {
        assert_eq!(slices_for_time(cost(675, 1200), LAMBDA, 1, 1000), None);
        assert_eq!(slices_for_time(cost(800, 1200), LAMBDA, 1, 1000), None);
        assert_eq!(slices_for_time(cost(0, 1_000_000), LAMBDA, 1, 1000), None);
    }

    #[test]
    fn a_frame_that_takes_long_to_load_is_split_as_far_as_that_leaves_room() {
        assert_eq!(slices_for_time(cost(300, 1200), LAMBDA, 1, 1000), Some(8));
        assert_eq!(slices_for_time(cost(500, 1200), LAMBDA, 1, 1000), Some(7));
    }

    #[test]
    fn an_image_is_split_as_far_as_it_may_cost() {
        let ten = Duration::from_secs(10);
        assert_eq!(slices_for_speed(cost(5, 3600), ten, 1000, 1000), Some(216));
        assert_eq!(slices_for_speed(cost(5, 3600), ten, 1000, 100), Some(100));
        assert_eq!(slices_for_speed(cost(5, 200), ten, 1000, 1000), Some(12));
    }

    #[test]
    fn few_workers_take_several_slices_each_as_far_as_these_may_cost() {
        let ten = Duration::from_secs(10);
        assert_eq!(slices_for_speed(cost(5, 3600), ten, 8, 1000), Some(32));
        assert_eq!(slices_for_speed(cost(60, 3600), ten, 8, 1000), Some(16));
        // A second round would cost more than it makes even.
        assert_eq!(slices_for_speed(cost(20, 580), ten, 8, 1000), Some(8));
        assert_eq!(slices_for_speed(cost(30, 1800), ten, 16, 1000), Some(16));
    }

    #[test]
    fn an_image_that_would_not_come_much_earlier_is_left_alone() {
        let spent = Duration::from_secs(10);
        assert_eq!(slices_for_speed(cost(1, 20), spent, 100, 1000), None);
        assert_eq!(slices_for_speed(cost(60, 120), spent, 100, 1000), None);
        let nearly_done = Duration::from_secs(190);
        assert_eq!(slices_for_speed(cost(5, 200), nearly_done, 100, 1000), None);
        assert_eq!(slices_for_speed(cost(5, 3600), spent, 1, 1000), None);
    }

    proptest! {
        #[test]
        fn slices_cost_no_more_than_they_may_and_keep_their_time(
            fixed in 0_u64..1000, shared in 0_u64..100_000, spent in 0_u64..1000,
            at_once in 0_u32..2000,
        ) {
            let cost = cost(fixed, shared);
            if let Some(slices) = slices_for_speed(cost, Duration::from_secs(spent), at_once, 1000) {
                prop_assert!((2..=1000.min(at_once * 4)).contains(&slices));
                let all = cost.fixed * slices + cost.shared;
                prop_assert!(all.as_secs_f64() <= cost.whole().as_secs_f64() * 1.3 + 1.0);
            }
            if let Some(slices) = slices_for_time(cost, LAMBDA, 1, 1000) {
                prop_assert!((2..=1000).contains(&slices));
                let each = cost.fixed + cost.shared / slices;
                prop_assert!(each.as_secs_f64() <= 676.0);
            }
        }
    }
}
