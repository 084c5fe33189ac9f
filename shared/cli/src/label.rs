//! Short names for what is declared.

use precip_core::partitions::PartitionsDefinition;

/// How an asset is partitioned, in a few words: `daily`, `static`, `date × origin`; nothing for an
/// unpartitioned one.
pub fn partitions(definition: Option<&PartitionsDefinition>) -> String {
    match definition {
        None => String::new(),
        Some(PartitionsDefinition::Static(_)) => "static".to_owned(),
        Some(PartitionsDefinition::TimeWindow(windows)) => windows.cadence().as_str().to_owned(),
        Some(PartitionsDefinition::Multi(multi)) => {
            let names: Vec<&str> = multi.dimensions().map(|(name, _)| name).collect();
            names.join(" × ")
        }
        Some(PartitionsDefinition::Dynamic(dynamic)) => format!("dynamic {}", dynamic.name),
    }
}
