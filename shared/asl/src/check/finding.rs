//! [`Finding`].

use std::fmt;

/// A mistake in a machine.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The state, with the states it is nested in: `Backfill / flights`.
    pub location: String,
    /// The rule that is broken.
    pub rule: Rule,
    /// The mistake, and what to write instead.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.location.is_empty() {
            write!(f, "{}", self.message)
        } else {
            write!(f, "{}: {}", self.location, self.message)
        }
    }
}

/// The rules of [`check_machine`](super::check_machine).
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
    /// `States.ALL` is the only error of its list, and in the last retrier or catcher.
    CatchAllLast,
    /// Retriers and catchers name errors, and their numbers are in AWS's ranges.
    ErrorHandling,
    /// A choice has rules and a default.
    ChoiceDefault,
    /// The integration is one that Step Functions has and Precip uses.
    Integration,
    /// Timeouts are positive, and heartbeats shorter than timeouts.
    Timeout,
    /// Fields for distributed maps are used in distributed maps only.
    MapMode,
    /// A distributed map has a source of items, a destination of results and a kind of execution;
    /// its label is short and plain.
    DistributedMap,
    /// A CSV reader has the location of its header.
    CsvHeader,
    /// Express executions start nothing that runs longer than they may.
    Express,
    /// Paths begin with `$`, those into the context object lead to a field of it, and a key whose
    /// text looks like a path ends in `.$`.
    Path,
    /// The definition is at most 1 MiB.
    Size,
}
