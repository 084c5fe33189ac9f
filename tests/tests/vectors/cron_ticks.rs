//! `cron_ticks.json`: Ticks of schedules.

use serde_json::Value;

use crate::kind::{Kind, Mismatch};

/// Ticks of schedules.
pub(crate) struct CronTicks;

impl Kind for CronTicks {
    const FILE: &'static str = "cron_ticks.json";

    type Shared = ();

    fn shared(_body: &Value) -> Self::Shared {}

    fn check(case: &Value, _shared: &Self::Shared) -> Result<(), Mismatch> {
        Err(Mismatch::new(
            &case["expect"],
            "no answer: this kind has no check",
        ))
    }
}
