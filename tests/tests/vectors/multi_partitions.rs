//! `multi_partitions.json`: Multi-dimensional partitions.

use serde_json::Value;

use crate::kind::{Kind, Mismatch};

/// Multi-dimensional partitions.
pub(crate) struct MultiPartitions;

impl Kind for MultiPartitions {
    const FILE: &'static str = "multi_partitions.json";

    type Shared = ();

    fn shared(_body: &Value) -> Self::Shared {}

    fn check(case: &Value, _shared: &Self::Shared) -> Result<(), Mismatch> {
        Err(Mismatch::new(
            &case["expect"],
            "no answer: this kind has no check",
        ))
    }
}
