//! Conversion between values and columns.

use chrono::{DateTime, Utc};
use precip_core::partitions::{PartitionKey, PartitionSet};
use precip_engine::run_id::RunId;
use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, Value, ValueRef};

/// A run id as 16 bytes, which sort in the order of runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RunColumn(pub(super) RunId);

impl ToSql for RunColumn {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.as_ulid().to_bytes().to_vec().into())
    }
}

impl FromSql for RunColumn {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        <[u8; 16]>::column_result(value)
            .map(|bytes| Self(RunId::new(ulid::Ulid::from_bytes(bytes))))
    }
}

/// A partition key as text. An unpartitioned asset has an empty blob: unlike NULL it may be part of a
/// primary key, and unlike any text it is not a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PartitionColumn(pub(super) Option<PartitionKey>);

impl ToSql for PartitionColumn {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match &self.0 {
            Some(key) => key.as_str().into(),
            None => ToSqlOutput::Owned(Value::Blob(Vec::new())),
        })
    }
}

impl FromSql for PartitionColumn {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value {
            ValueRef::Blob(_) => Ok(Self(None)),
            text => Ok(Self(Some(text.as_str()?.into()))),
        }
    }
}

/// Returns a time in microseconds since 1970.
pub(super) fn to_micros(at: DateTime<Utc>) -> i64 {
    at.timestamp_micros()
}

/// Encodes a set as JSON pairs of first and last ordinals, so that a range is one pair.
pub(super) fn set_to_json(set: &PartitionSet) -> String {
    let pairs: Vec<(u64, u64)> = set
        .ranges()
        .map(|range| (range.start, range.end - 1))
        .collect();
    serde_json::json!(pairs).to_string()
}

/// Decodes a set from its JSON pairs.
pub(super) fn set_from_json(json: &str) -> Result<PartitionSet, serde_json::Error> {
    let pairs: Vec<(u64, u64)> = serde_json::from_str(json)?;
    let mut set = PartitionSet::empty();
    for (first, last) in pairs {
        set.insert_range(first..last.saturating_add(1));
    }
    Ok(set)
}
