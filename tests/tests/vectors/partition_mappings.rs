//! `partition_mappings.json`: Partition mappings, both directions.

use serde_json::Value;

use crate::kind::{Kind, Mismatch};

/// Partition mappings, both directions.
pub(crate) struct PartitionMappings;

impl Kind for PartitionMappings {
    const FILE: &'static str = "partition_mappings.json";

    type Shared = ();

    fn shared(_body: &Value) -> Self::Shared {}

    fn check(case: &Value, _shared: &Self::Shared) -> Result<(), Mismatch> {
        Err(Mismatch::new(
            &case["expect"],
            "no answer: this kind has no check",
        ))
    }
}
