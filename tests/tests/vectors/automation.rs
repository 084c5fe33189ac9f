//! `automation.json`: Automation conditions, tick by tick.

use serde_json::Value;

use crate::kind::{Kind, Mismatch};

/// Automation conditions, tick by tick.
pub(crate) struct Automation;

impl Kind for Automation {
    const FILE: &'static str = "automation.json";

    type Shared = ();

    fn shared(_body: &Value) -> Self::Shared {}

    fn check(case: &Value, _shared: &Self::Shared) -> Result<(), Mismatch> {
        Err(Mismatch::new(
            &case["expect"],
            "no answer: this kind has no check",
        ))
    }
}
