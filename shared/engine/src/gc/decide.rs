//! The decision whether a stored attempt is garbage.

use chrono::{DateTime, TimeDelta, Utc};

use crate::{io::StoredAttempt, state::Latest};

/// The safety margin of garbage collection: nothing written or replaced since then is garbage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SafeAge {
    before: DateTime<Utc>,
    under_way: Option<DateTime<Utc>>,
}

impl SafeAge {
    /// The minimum age: functions on AWS live a quarter of an hour, and clocks differ.
    pub const MIN_AGE: TimeDelta = TimeDelta::hours(1);

    /// Creates the margin from an age and from the creation time of the oldest unfinished run. An
    /// age below [`MIN_AGE`](Self::MIN_AGE) is raised to it. With an age that reaches back beyond the first
    /// representable moment, nothing is garbage.
    pub fn new(now: DateTime<Utc>, age: TimeDelta, under_way: Option<DateTime<Utc>>) -> Self {
        Self {
            before: moment_before(now, age.max(Self::MIN_AGE)),
            // The store's clock may differ from the clock that dates runs.
            under_way: under_way.map(|asked| moment_before(asked, Self::MIN_AGE)),
        }
    }

    /// Returns `true` if an unfinished run extends the margin beyond the requested age.
    pub fn is_held_back(&self) -> bool {
        self.under_way.is_some_and(|since| since < self.before)
    }

    fn is_young(&self, at: DateTime<Utc>) -> bool {
        at >= self.before
    }

    fn is_since_a_run_began(&self, at: DateTime<Utc>) -> bool {
        self.under_way.is_some_and(|since| at >= since)
    }
}

/// Returns the moment that is an age before another, or the first one.
pub fn moment_before(at: DateTime<Utc>, age: TimeDelta) -> DateTime<Utc> {
    at.checked_sub_signed(age)
        .unwrap_or(DateTime::<Utc>::MIN_UTC)
}

/// The classification of a stored attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// A materialization points at it.
    Pointed,
    /// It was written or replaced recently: its writer or a reader may still be using it.
    Young,
    /// An unfinished run may have written it, or read its pointer before it was replaced.
    UnderWay,
    /// The record does not know the run that wrote it: the record or the store belongs to another
    /// project.
    Foreign,
    /// No reader uses it now or later.
    Garbage,
}

/// Classifies an attempt by the latest materialization of its partition.
///
/// Runs that began before an attempt was replaced may still read it. It is therefore garbage once
/// the materialization that replaced it is older than the age and older than every run under way.
/// If nothing is published, the time of replacement is unknown: it is garbage when it is old itself
/// and no run is under way.
pub fn classify_attempt(
    attempt: &StoredAttempt,
    latest: Option<&Latest>,
    age: &SafeAge,
) -> Verdict {
    let published = latest.and_then(Latest::published);
    // A file system that does not tell capital and small letters apart may list a file under another case.
    let is_same = |pointer: &str| pointer.eq_ignore_ascii_case(&attempt.pointer);
    if published.is_some_and(|made| made.pointer.as_deref().is_some_and(is_same)) {
        return Verdict::Pointed;
    }
    let replaced = published.map(|made| made.finished_at);
    let moments = [Some(attempt.written), replaced];
    if moments.iter().flatten().any(|at| age.is_young(*at)) {
        return Verdict::Young;
    }
    // A run under way may hold a pointer that it read at any time since it began.
    let since_a_run_began = moments
        .iter()
        .flatten()
        .any(|at| age.is_since_a_run_began(*at));
    if since_a_run_began || (replaced.is_none() && age.under_way.is_some()) {
        return Verdict::UnderWay;
    }
    Verdict::Garbage
}
