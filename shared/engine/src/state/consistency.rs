//! [`ReadConsistency`].

/// How fresh an answer has to be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum ReadConsistency {
    /// Everything that was committed before the call is seen.
    #[default]
    Strong,
    /// The answer may be a moment behind; where a store charges for reads, it costs half (DynamoDB:
    /// 0.5 instead of 1 read unit an item). Right where the answer is a shortcut and something else
    /// decides.
    Eventual,
}
