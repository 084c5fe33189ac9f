//! [`RunId`].

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use ulid::Ulid;

/// The id of a run, a ULID. Of two runs that materialize one partition the one with the greater id is
/// newer, and wins. An id begins with the time of its creation, but the order comes from the record: a
/// new run's id is greater than every recorded one, whatever the clocks say
/// ([`next_run_id`](crate::run::next_run_id)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(Ulid);

impl RunId {
    /// Wraps an id generated from the caller's clock and randomness.
    pub fn new(id: Ulid) -> Self {
        Self(id)
    }

    /// Returns the id as a ULID.
    pub fn as_ulid(self) -> Ulid {
        self.0
    }

    /// Returns this id if it is greater than `newest`. Otherwise returns one with the same random part
    /// and a time one millisecond after that of `newest`, if there is a later time.
    #[must_use]
    pub fn made_newer_than(self, newest: Option<Self>) -> Self {
        match newest {
            // The random part is kept, so that ids made after the same one differ.
            Some(newest) if self <= newest => match newest.0.timestamp_ms() + 1 {
                later if later >> Ulid::TIME_BITS == 0 => {
                    Self(Ulid::from_parts(later, self.0.random()))
                }
                _ => Self(Ulid(newest.0.0.saturating_add(1))),
            },
            _ => self,
        }
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for RunId {
    type Err = InvalidRunId;

    fn from_str(id: &str) -> Result<Self, Self::Err> {
        id.parse()
            .map(Self)
            .map_err(|_| InvalidRunId { id: id.to_owned() })
    }
}

/// A string that is not a [`RunId`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{id}` is not a run id: it has 26 letters and digits, like 01JDC0Z5V9M3T8Q4W2X7Y6R1KA")]
pub struct InvalidRunId {
    /// The rejected string.
    pub id: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_id_is_greater_than_the_newest_whatever_the_clock_said() {
        let id = |ms, random| RunId::new(Ulid::from_parts(ms, random));
        // A clock that is right keeps its time.
        assert_eq!(id(5, 1).made_newer_than(None), id(5, 1));
        assert_eq!(id(5, 1).made_newer_than(Some(id(4, 9))), id(5, 1));
        // Behind the newest, or in the same millisecond with a smaller random part.
        for newest in [id(5, 2), id(90, 0), id(90, u128::MAX)] {
            let next = id(5, 1).made_newer_than(Some(newest));
            assert!(next > newest, "{next} is not newer than {newest}");
            assert_eq!(next.as_ulid().random(), 1);
        }
        // An id made from the last millisecond that fits an id.
        let last = id((1 << Ulid::TIME_BITS) - 1, 7);
        assert!(id(5, 1).made_newer_than(Some(last)) > last);
    }
}
