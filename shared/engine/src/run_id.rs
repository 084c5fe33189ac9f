//! [`RunId`].

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use ulid::Ulid;

/// The id of a run, a ULID. Ids sort by creation time, so of two runs that materialize one partition
/// the one with the greater id is newer, and wins.
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
