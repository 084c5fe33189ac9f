//! Who wins: the decisions of the commit protocol, as an adapter that reads before it writes takes
//! them. An adapter that writes conditionally puts the same rules into its conditions.

use crate::{
    run_id::RunId,
    state::{Failure, FailureRecorded, Finished, Materialization},
};

/// A run and an attempt in it; the greater is the newer.
pub type Version = (RunId, u32);

/// What comes of finishing, given what is published.
pub fn finish_outcome(published: Option<Version>, made: &Materialization) -> Finished {
    match published {
        Some((run, _)) if run > made.run => Finished::Superseded { by: run },
        Some((run, attempt)) if run == made.run && attempt > made.attempt => {
            Finished::AlreadyDone { attempt }
        }
        _ => Finished::Committed,
    }
}

/// Whether a commit is the same materialization again, so that it is no update for what is
/// downstream.
pub fn is_repeat(published: Option<Version>, made: &Materialization) -> bool {
    published == Some((made.run, made.attempt))
}

/// Whether a commit clears the failure on record: unless a newer run's attempt failed.
pub fn clears_failure(failed: Version, made: &Materialization) -> bool {
    failed.0 <= made.run
}

/// What comes of a failure, given what is published.
pub fn fail_outcome(published: Option<Version>, failure: &Failure) -> FailureRecorded {
    match published {
        Some((run, attempt)) if run == failure.run => FailureRecorded::AlreadyDone { attempt },
        _ => FailureRecorded::Recorded,
    }
}

/// Whether a failure that is on record becomes the one that the partition is known by.
pub fn marks_failed(
    published: Option<Version>,
    failed: Option<Version>,
    failure: &Failure,
) -> bool {
    !failure.will_retry
        && published.is_none_or(|(run, _)| run < failure.run)
        && failed.is_none_or(|version| version <= (failure.run, failure.attempt))
}
