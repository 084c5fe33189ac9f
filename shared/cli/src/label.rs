//! Short labels for definitions.

use precip_core::partitions::{Cadence, PartitionsDefinition};

/// Returns a short label for a partitions definition: `daily`, `static`, `date × origin`; empty for an
/// unpartitioned asset.
pub(crate) fn partitions_label(definition: Option<&PartitionsDefinition>) -> String {
    match definition {
        None => String::new(),
        Some(PartitionsDefinition::Static(_)) => "static".to_owned(),
        Some(PartitionsDefinition::TimeWindow(windows)) => match windows.cadence() {
            Cadence::Hourly => "hourly".to_owned(),
            Cadence::Daily => "daily".to_owned(),
            Cadence::Weekly => "weekly".to_owned(),
            Cadence::Monthly => "monthly".to_owned(),
            Cadence::Cron => format!("cron {}", windows.cron_expression()),
        },
        Some(PartitionsDefinition::Multi(multi)) => {
            let names: Vec<&str> = multi.dimensions().map(|(name, _)| name).collect();
            names.join(" × ")
        }
        Some(PartitionsDefinition::Dynamic(dynamic)) => format!("dynamic {}", dynamic.name),
    }
}
