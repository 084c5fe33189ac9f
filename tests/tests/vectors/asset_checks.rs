//! `asset_checks.json`: Asset checks and what a failed one blocks.

use serde_json::Value;

use crate::kind::{Kind, Mismatch};

/// Asset checks and what a failed one blocks.
pub(crate) struct AssetChecks;

impl Kind for AssetChecks {
    const FILE: &'static str = "asset_checks.json";

    type Shared = ();

    fn shared(_body: &Value) -> Self::Shared {}

    fn check(case: &Value, _shared: &Self::Shared) -> Result<(), Mismatch> {
        Err(Mismatch::new(
            &case["expect"],
            "no answer: this kind has no check",
        ))
    }
}
