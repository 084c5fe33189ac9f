//! [`LoadRequest`].

use precip_core::metadata::TableSchema;
use serde::{Deserialize, Serialize};

use super::Metric;

/// The part of some stored data that a reader needs.
///
/// A manager may return more than is requested. The default requests everything as it was stored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadRequest {
    /// The columns of a table to read, with the types to read them as (Arrow's names, such as `Int64` or
    /// `Timestamp(\u{b5}s, "UTC")`); `None` for all. A column that is not stored is left out.
    pub columns: Option<TableSchema>,
    /// The names of all columns that the upstream asset's rows are declared with; `None` when it declares none. A
    /// reader of some of them needs these to tell a column that is left out from one that was renamed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared_columns: Option<Vec<String>>,
    /// `true` when a table may be returned batch by batch.
    #[serde(default)]
    pub streamed: bool,
    /// A metric to compute instead of loading the rows. A manager that can compute it returns a
    /// `Measurement` (of `precip-io`); any other manager returns the rows.
    #[serde(default, rename = "measure", skip_serializing_if = "Option::is_none")]
    pub metric: Option<Metric>,
}

impl LoadRequest {
    /// Returns a request for everything, as it was stored.
    pub fn everything() -> Self {
        Self::default()
    }

    /// Returns `true` if a column is requested.
    pub fn wants(&self, column: &str) -> bool {
        self.columns
            .as_ref()
            .is_none_or(|schema| schema.columns.iter().any(|wanted| wanted.name == column))
    }
}
