//! The units that calls consume.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html>

use serde_json::{Value as Json, json};

/// Returns the units of a write of so many bytes.
pub(crate) fn write_units(size: usize) -> f64 {
    size.div_ceil(1024).max(1) as f64
}

/// Returns the units of a read of so many bytes.
pub(crate) fn read_units(size: usize, consistent: bool) -> f64 {
    let units = size.div_ceil(4096).max(1) as f64;
    if consistent { units } else { units / 2.0 }
}

/// Returns the consumed units as an answer has them.
pub(crate) fn consumed(table: &str, units: f64) -> Json {
    json!({"TableName": table, "CapacityUnits": units})
}
