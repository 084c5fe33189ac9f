//! [`DynamicPartitions`]: keys that are added and removed while the project runs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DynamicKeys, PartitionContext};

/// A named set of keys that are added and removed by command or by sensors. The keys themselves are
/// state: [`PartitionContext::dynamic`] holds them. A key's ordinal is its slot there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DynamicPartitions {
    /// The set's name. Definitions with the same name share their keys.
    pub name: String,
}

impl DynamicPartitions {
    /// The definition of the keys that are kept under a name.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into() }
    }

    /// The keys that the context holds for this set; `None` when none was ever added.
    pub fn slots<'c>(&self, context: &'c PartitionContext) -> Option<&'c DynamicKeys> {
        context.dynamic.get(&self.name)
    }
}
