//! `backfill_waves.json`: In which order a backfill runs.

use serde_json::Value;

use crate::kind::{Kind, Mismatch};

/// In which order a backfill runs.
pub(crate) struct BackfillWaves;

impl Kind for BackfillWaves {
    const FILE: &'static str = "backfill_waves.json";

    type Shared = ();

    fn shared(_body: &Value) -> Self::Shared {}

    fn check(case: &Value, _shared: &Self::Shared) -> Result<(), Mismatch> {
        Err(Mismatch::new(
            &case["expect"],
            "no answer: this kind has no check",
        ))
    }
}
