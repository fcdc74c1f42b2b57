//! Tasks that lie far behind the others, so that a second worker is worth its price.

use std::time::Duration;

/// What a second worker may need before it begins: a cold start with its download.
const START: Duration = Duration::from_secs(10);

/// A task must need so many times what the others need before it is called slow.
const FAR_BEHIND: u32 = 2;

/// Of how many tasks one at the most is given out a second time.
const ONE_OF: u64 = 20;

/// Whether a task that will still take so long would come earlier from another worker, where the
/// others usually take so long.
#[must_use]
pub fn is_far_behind(left: Duration, usual: Duration) -> bool {
    left > usual.saturating_mul(FAR_BEHIND).saturating_add(START)
}

/// How many of so many tasks may be given out a second time.
#[must_use]
pub fn most_seconds(tasks: u64) -> u64 {
    (tasks / ONE_OF).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_given_out_again_where_another_worker_would_be_done_much_earlier() {
        let usual = Duration::from_secs(20);
        assert!(!is_far_behind(Duration::from_secs(50), usual));
        assert!(is_far_behind(Duration::from_secs(51), usual));
        assert_eq!([1, 39, 40, 1000].map(most_seconds), [1, 1, 2, 50]);
    }
}
