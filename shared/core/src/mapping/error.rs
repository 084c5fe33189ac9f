//! [`InvalidMapping`]: a mapping that does not fit its definitions.

use crate::partitions::PartitionsDefinition;

/// A mapping that does not fit its two definitions.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct InvalidMapping {
    /// The reason, and what to write instead.
    pub reason: String,
}

impl InvalidMapping {
    pub(super) fn with_reason(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
        }
    }
}

/// Describes a definition for a message, as a phrase after "is".
pub(super) fn describe_definition(definition: Option<&PartitionsDefinition>) -> &'static str {
    match definition {
        None => "not partitioned",
        Some(PartitionsDefinition::Static(_)) => "partitioned by fixed keys",
        Some(PartitionsDefinition::TimeWindow(_)) => "partitioned by time windows",
        Some(PartitionsDefinition::Multi(_)) => "partitioned by several dimensions",
        Some(PartitionsDefinition::Dynamic(_)) => "partitioned by dynamic keys",
    }
}
