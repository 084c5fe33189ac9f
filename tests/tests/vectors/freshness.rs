//! `freshness.json`: States of freshness policies.

use serde_json::Value;

use crate::kind::{Kind, Mismatch};

/// States of freshness policies.
pub(crate) struct Freshness;

impl Kind for Freshness {
    const FILE: &'static str = "freshness.json";

    type Shared = ();

    fn shared(_body: &Value) -> Self::Shared {}

    fn check(case: &Value, _shared: &Self::Shared) -> Result<(), Mismatch> {
        Err(Mismatch::new(
            &case["expect"],
            "no answer: this kind has no check",
        ))
    }
}
