//! A job that stops itself: where the first tasks all end alike, so would the others.

use std::collections::BTreeSet;

use protocol::{Job, JobControl, TaskEvent, TaskEventKind, TaskState, keys};

use super::control::stop;
use super::documents::read_record;
use crate::aws::storage::Storage;
use crate::error::Result;

/// How many tasks must have failed alike, before any was rendered. Fewer may be frames of their own.
const ALIKE: usize = 5;

/// Stops a job whose first tasks have all failed alike: what has not begun is dropped until someone
/// enqueues it again. True where it did.
///
/// To be called by whoever has just told that a task failed for good. Reads one page of the job's
/// log, which tells of its first thousand events.
///
/// # Errors
/// [`crate::FarmError`] of a call.
pub async fn stop_where_all_fail_alike(storage: &Storage, job: &Job) -> Result<bool> {
    if job.frames.count() <= ALIKE as u64 {
        return Ok(false);
    }
    let page = storage.list_page(&keys::events(job.id), "").await?;
    let events = page.objects.iter().filter_map(|one| TaskEvent::from_key(job.id, &one.key));
    let Some(failed) = first_failures(job, events) else { return Ok(false) };
    let mut reason = None::<String>;
    for frame in failed {
        let record = read_record(storage, job.id, frame).await?;
        let Some(TaskState::Failed { failure }) = record.map(|record| record.state) else {
            return Ok(false);
        };
        if reason.as_ref().is_some_and(|known| !are_alike(known, &failure.message)) {
            return Ok(false);
        }
        reason.get_or_insert(failure.message);
    }
    let reason = reason.unwrap_or_default();
    let sentence = format!("the first {ALIKE} frames all failed alike: {reason}");
    stop(storage, job.id, sentence.chars().take(JobControl::MAX_REASON).collect()).await
}

/// The frames that failed first, where enough did and none was rendered. Whoever enqueues a job again
/// lets it begin anew.
fn first_failures(job: &Job, events: impl Iterator<Item = TaskEvent>) -> Option<BTreeSet<i32>> {
    let mut failed = BTreeSet::new();
    for event in events.filter(|event| job.frames.contains(event.frame)) {
        match event.kind {
            TaskEventKind::Done { .. } => return None,
            TaskEventKind::Queued => failed.clear(),
            TaskEventKind::Failed { .. } if failed.len() < ALIKE => {
                failed.insert(event.frame);
            }
            _ => {}
        }
    }
    (failed.len() == ALIKE).then_some(failed)
}

/// Whether two failures are the same but for numbers, such as seconds and megabytes.
fn are_alike(one: &str, other: &str) -> bool {
    let words = |text: &str| text.replace(|letter: char| letter.is_ascii_digit(), "");
    words(one) == words(other)
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    fn event(frame: i32, kind: TaskEventKind) -> TaskEvent {
        TaskEvent { at_ms: 0, frame, try_number: 1, worker: 1, kind }
    }

    #[test]
    fn five_frames_that_failed_count_and_one_that_is_rendered_ends_it() {
        let job = testing::job(24, "");
        let failed = |frame| event(frame, TaskEventKind::Failed { total_ms: 1 });
        let five: Vec<_> = [1, 2, 2, 3, 4, 5, 99].map(failed).into();
        let found = first_failures(&job, five.clone().into_iter());
        assert_eq!(found, Some(BTreeSet::from([1, 2, 3, 4, 5])));
        assert_eq!(first_failures(&job, five.iter().take(5).copied()), None);
        let done = event(9, TaskEventKind::Done { render_ms: 1, total_ms: 1 });
        assert_eq!(first_failures(&job, five.iter().copied().chain([done])), None);
        let again = [event(1, TaskEventKind::Queued), failed(1), failed(2)];
        assert_eq!(first_failures(&job, five.iter().copied().chain(again)), None);
        let all_again = five.iter().copied().chain(again).chain([3, 4, 5].map(failed));
        assert_eq!(first_failures(&job, all_again).map(|failed| failed.len()), Some(ALIKE));
    }

    #[test]
    fn numbers_do_not_tell_failures_apart() {
        assert!(are_alike("not ready after 892 s", "not ready after 891 s"));
        assert!(!are_alike("no camera", "no memory"));
    }
}
