//! Partitions definitions as the vectors write them.

use std::collections::BTreeMap;

use precip_core::partitions::{
    MultiPartitions, PartitionContext, PartitionsDefinition, StaticPartitions,
};
use serde_json::{Map, Value};

use crate::time_windows;

/// Parses the definitions of a table, by name; `None` for an unpartitioned asset.
pub(crate) fn named(table: &Value) -> BTreeMap<String, Option<PartitionsDefinition>> {
    let table = table.as_object().unwrap();
    table
        .iter()
        .map(|(name, written)| (name.clone(), one(written, table)))
        .collect()
}

/// Returns the context of a case, at its current time.
pub(crate) fn context(case: &Value) -> PartitionContext {
    PartitionContext::at(case["current_time_utc"].as_str().unwrap().parse().unwrap())
}

fn one(written: &Value, table: &Map<String, Value>) -> Option<PartitionsDefinition> {
    if written.is_null() {
        return None;
    }
    Some(match written["kind"].as_str() {
        Some("static") => {
            let keys = written["keys"].as_array().unwrap();
            StaticPartitions::new(keys.iter().map(|key| key.as_str().unwrap()))
                .unwrap()
                .into()
        }
        Some("multi") => {
            let dims = written["dims"].as_object().unwrap().iter();
            let dims = dims.map(|(name, dimension)| {
                (
                    name,
                    one(&table[dimension.as_str().unwrap()], table).unwrap(),
                )
            });
            MultiPartitions::new(dims).unwrap().into()
        }
        _ => {
            let mut windows = written.clone();
            // The sets of `multi_partitions.json` name the cadence `kind` and are in UTC.
            let cadence = windows["kind"].take();
            if !cadence.is_null() {
                windows["cadence"] = cadence;
                windows["timezone"] = "UTC".into();
            }
            time_windows::build(&windows).unwrap().into()
        }
    })
}
