//! `asset_selection.json`: The selection language.

use serde_json::Value;

use crate::kind::{Kind, Mismatch};

/// The selection language.
pub(crate) struct AssetSelection;

impl Kind for AssetSelection {
    const FILE: &'static str = "asset_selection.json";

    type Shared = ();

    fn shared(_body: &Value) -> Self::Shared {}

    fn check(case: &Value, _shared: &Self::Shared) -> Result<(), Mismatch> {
        Err(Mismatch::new(
            &case["expect"],
            "no answer: this kind has no check",
        ))
    }
}
