//! The decisions of the commit protocol, for adapters that read before they write. Adapters with
//! conditional writes express the same rules as conditions.

use crate::{
    run_id::RunId,
    state::{CommitOutcome, FailureOutcome, Materialization, UnpublishedAttempt},
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

/// Returns `true` if a commit clears the newest attempt that published nothing: unless that is of a
/// newer run.
pub fn clears_unpublished(unpublished: Version, made: &Materialization) -> bool {
    unpublished.0 <= made.run
}

/// Returns the outcome of recording an attempt that published nothing, given the published version.
pub fn failure_outcome(published: Option<Version>, (run, _): Version) -> FailureOutcome {
    match published {
        Some((by, attempt)) if by == run => FailureOutcome::AlreadyDone { attempt },
        _ => FailureOutcome::Recorded,
    }
}

/// Returns `true` if an attempt that published nothing becomes the partition's newest one, given the
/// published version and the newest unpublished one.
pub fn marks_unpublished(
    published: Option<Version>,
    unpublished: Option<Version>,
    attempt: &UnpublishedAttempt,
) -> bool {
    !attempt.will_retry()
        && published.is_none_or(|(run, _)| run < attempt.version().0)
        && unpublished.is_none_or(|version| version <= attempt.version())
}
