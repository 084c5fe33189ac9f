//! [`DynamicPartitions`]: keys that are added and removed at run time.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DynamicKeys, PartitionContext};

/// A named set of keys that commands and sensors add and remove. The keys themselves are recorded
/// state, held in [`PartitionContext::dynamic`]. A key's ordinal is its slot there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DynamicPartitions {
    /// The set's name. Definitions with the same name share their keys.
    pub name: String,
}

impl DynamicPartitions {
    /// Creates the definition of the set with a name.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into() }
    }

    /// Returns the context's keys of this set, or `None` if none was ever added.
    pub fn recorded_keys<'c>(&self, context: &'c PartitionContext) -> Option<&'c DynamicKeys> {
        context.dynamic.get(&self.name)
    }
}
