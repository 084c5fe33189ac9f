//! [`Finding`].

use std::fmt;

/// Something that is wrong with a machine.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The state, with the states it is nested in: `Backfill / flights`.
    pub place: String,
    /// The rule that does not hold.
    pub rule: Rule,
    /// What is wrong, and what to write instead.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.place.is_empty() {
            write!(f, "{}", self.message)
        } else {
            write!(f, "{}: {}", self.place, self.message)
        }
    }
}

/// The rules of [`check`](super::check).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// `StartAt`, `Next`, `Default` and `Catch` name states of the same machine.
    TargetExists,
    /// Every state can be reached from the start.
    Reachable,
    /// A machine can end.
    Ends,
    /// A state's name is used once in the whole definition, nested machines included.
    UniqueName,
    /// `States.ALL` stands alone, and in the last retrier or catcher.
    CatchAllLast,
    /// Retriers and catchers name errors, and their numbers are in AWS's ranges.
    ErrorHandling,
    /// A choice has rules and a default.
    ChoiceDefault,
    /// The integration is one that Step Functions has and Precip uses.
    Integration,
    /// Timeouts are positive, and heartbeats shorter than timeouts.
    Timeout,
    /// What is only for distributed maps stands in distributed maps only.
    MapMode,
    /// A distributed map says where its items come from and its results go, and which kind of
    /// execution it starts; its label is short and plain.
    DistributedMap,
    /// A CSV reader says where its header is.
    CsvHeader,
    /// Express executions start nothing that outlives them.
    Express,
    /// Paths begin with `$`, those into the context object lead to a field of it, and what looks like
    /// a path stands under a key that ends in `.$`.
    Path,
    /// The definition is at most 1 MiB.
    Size,
}
