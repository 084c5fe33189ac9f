//! `time_windows.json`: Time-window partitions.

use serde_json::Value;

use crate::kind::{Kind, Mismatch};

/// Time-window partitions.
pub(crate) struct TimeWindows;

impl Kind for TimeWindows {
    const FILE: &'static str = "time_windows.json";

    type Shared = ();

    fn shared(_body: &Value) -> Self::Shared {}

    fn check(case: &Value, _shared: &Self::Shared) -> Result<(), Mismatch> {
        Err(Mismatch::new(
            &case["expect"],
            "no answer: this kind has no check",
        ))
    }
}
