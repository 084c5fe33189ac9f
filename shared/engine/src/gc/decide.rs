//! Whether a stored attempt is garbage.

use chrono::{DateTime, TimeDelta, Utc};

use crate::{io::StoredAttempt, state::Latest};

/// What counts as long ago: nothing that was written or replaced since then is garbage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SafeAge {
    before: DateTime<Utc>,
    under_way: Option<DateTime<Utc>>,
}

impl SafeAge {
    /// The least age that makes sense: functions on AWS live a quarter of an hour, and clocks differ.
    pub const LEAST: TimeDelta = TimeDelta::hours(1);

    /// From an age, and from when the oldest run was asked for that is not finished. An age below
    /// [`LEAST`](Self::LEAST) is taken as that.
    pub fn new(now: DateTime<Utc>, age: TimeDelta, under_way: Option<DateTime<Utc>>) -> Self {
        Self {
            before: now - age.max(Self::LEAST),
            // The clocks of a store and of who starts runs differ.
            under_way: under_way.map(|asked| asked - Self::LEAST),
        }
    }

    /// Whether a run that is not finished makes the age greater than was asked for.
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

/// What is to be done with a stored attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// A materialization points at it.
    Pointed,
    /// It was written, or replaced by another, a short while ago: who read or writes it may be there yet.
    Young,
    /// A run that is not finished may have written it, or have found it before it was replaced.
    UnderWay,
    /// A run wrote it that the record does not know: the record, or the store, is that of somebody else.
    Foreign,
    /// Nobody can be reading it, and nobody will.
    Garbage,
}

/// Decides on an attempt by what is known of its partition.
///
/// An attempt can be read from when it is published until it is replaced, by runs that began before
/// that. So it is garbage when it has been replaced, by a materialization that is older than the age
/// and older than every run under way. Where nothing is published, nobody knows since when: it is
/// garbage when it is old itself and no run is under way.
pub fn verdict(attempt: &StoredAttempt, latest: Option<&Latest>, age: &SafeAge) -> Verdict {
    let published = latest.and_then(Latest::published);
    if published.is_some_and(|made| made.pointer.as_deref() == Some(&attempt.pointer)) {
        return Verdict::Pointed;
    }
    let replaced = published.map(|made| made.finished_at);
    let moments = [Some(attempt.written), replaced];
    if moments.iter().flatten().any(|at| age.is_young(*at)) {
        return Verdict::Young;
    }
    let since_a_run_began = moments
        .iter()
        .flatten()
        .any(|at| age.is_since_a_run_began(*at));
    if since_a_run_began || (replaced.is_none() && age.under_way.is_some()) {
        return Verdict::UnderWay;
    }
    Verdict::Garbage
}
