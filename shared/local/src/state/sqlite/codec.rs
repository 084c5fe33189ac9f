//! Values as columns, and back.

use chrono::{DateTime, Utc};
use precip_core::partitions::{PartitionKey, PartitionSet};
use precip_engine::run_id::RunId;
use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, Value, ValueRef};

/// A run as 16 bytes, which sort as the runs do.
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

/// A partition key as text. No partition is an empty blob: unlike NULL it can stand in a primary
/// key, and unlike any text it is no key.
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

/// A moment in microseconds since 1970.
pub(super) fn micros(at: DateTime<Utc>) -> i64 {
    at.timestamp_micros()
}

/// A set as JSON pairs of first and last, so that a long run of neighbours is one pair.
pub(super) fn set_to_json(set: &PartitionSet) -> String {
    let pairs: Vec<(u64, u64)> = set
        .ranges()
        .map(|range| (range.start, range.end - 1))
        .collect();
    serde_json::json!(pairs).to_string()
}

pub(super) fn set_from_json(json: &str) -> Result<PartitionSet, serde_json::Error> {
    let pairs: Vec<(u64, u64)> = serde_json::from_str(json)?;
    let mut set = PartitionSet::empty();
    for (first, last) in pairs {
        set.insert_range(first..last.saturating_add(1));
    }
    Ok(set)
}
