//! [`InvalidMapping`]: a mapping between definitions that it does not fit.

use crate::partitions::PartitionsDefinition;

/// A mapping that cannot stand between two definitions.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct InvalidMapping {
    /// Why not, and what to write instead.
    pub reason: String,
}

impl InvalidMapping {
    pub(super) fn because(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
        }
    }
}

/// What a definition is called in a message.
pub(super) fn kind(definition: Option<&PartitionsDefinition>) -> &'static str {
    match definition {
        None => "not partitioned",
        Some(PartitionsDefinition::Static(_)) => "partitioned by fixed keys",
        Some(PartitionsDefinition::TimeWindow(_)) => "partitioned by time windows",
        Some(PartitionsDefinition::Multi(_)) => "partitioned by several dimensions",
        Some(PartitionsDefinition::Dynamic(_)) => "partitioned by dynamic keys",
    }
}
