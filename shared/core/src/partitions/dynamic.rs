//! [`DynamicPartitions`]: keys that are added and removed while the project runs.

use serde::{Deserialize, Serialize};

/// A named set of keys that are added and removed by command or by sensors. The keys themselves are
/// state: [`PartitionContext::dynamic`](super::PartitionContext) holds them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DynamicPartitions {
    /// The set's name. Definitions with the same name share their keys.
    pub name: String,
}
