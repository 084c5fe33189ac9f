//! [`ReadConsistency`].

/// The freshness that a read requires.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum ReadConsistency {
    /// The answer reflects everything committed before the call.
    #[default]
    Strong,
    /// The answer may lag behind. Costs half where a store charges for reads (DynamoDB: 0.5 instead
    /// of 1 read unit per item). Fits reads that only save work, such as a check that the commit
    /// repeats.
    Eventual,
}
