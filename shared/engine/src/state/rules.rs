//! The decisions of the commit protocol, for adapters that read before they write. Adapters with
//! conditional writes express the same rules as conditions.

use crate::{
    run_id::RunId,
    state::{CommitOutcome, FailedAttempt, FailureOutcome, Materialization},
};

/// A run and an attempt in it; the greater is newer.
pub type Version = (RunId, u32);

/// Returns the outcome of committing a materialization, given the published version.
pub fn commit_outcome(published: Option<Version>, made: &Materialization) -> CommitOutcome {
    match published {
        Some((run, _)) if run > made.run => CommitOutcome::Superseded { by: run },
        Some((run, attempt)) if run == made.run && attempt > made.attempt => {
            CommitOutcome::AlreadyDone { attempt }
        }
        _ => CommitOutcome::Committed,
    }
}

/// Returns `true` if a commit repeats the published materialization, which is no update for
/// downstream assets.
pub fn is_repeat(published: Option<Version>, made: &Materialization) -> bool {
    published == Some((made.run, made.attempt))
}

/// Returns `true` if a commit clears the recorded failure: unless the failure is a newer run's.
pub fn clears_failure(failed: Version, made: &Materialization) -> bool {
    failed.0 <= made.run
}

/// Returns the outcome of recording a failure, given the published version.
pub fn failure_outcome(published: Option<Version>, failure: &FailedAttempt) -> FailureOutcome {
    match published {
        Some((run, attempt)) if run == failure.run => FailureOutcome::AlreadyDone { attempt },
        _ => FailureOutcome::Recorded,
    }
}

/// Returns `true` if a recorded failure becomes the partition's latest failure.
pub fn marks_failed(
    published: Option<Version>,
    failed: Option<Version>,
    failure: &FailedAttempt,
) -> bool {
    !failure.will_retry
        && published.is_none_or(|(run, _)| run < failure.run)
        && failed.is_none_or(|version| version <= (failure.run, failure.attempt))
}
