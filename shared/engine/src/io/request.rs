//! [`LoadRequest`].

use precip_core::metadata::TableSchema;
use serde::{Deserialize, Serialize};

use super::Measure;

/// What a reader needs of some stored data, so that a manager need not load the rest.
///
/// It is a hint: a manager may answer with more. The default asks for everything as it is stored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadRequest {
    /// The columns of a table that are read, with the types they are read as (Arrow's names, such as
    /// `Int64` or `Timestamp(\u{b5}s, "UTC")`); `None` for all. A column that is not stored is left out.
    pub columns: Option<TableSchema>,
    /// Whether a table may be answered batch by batch.
    #[serde(default)]
    pub streamed: bool,
    /// What is asked about a table instead of its rows. A manager that can tell it answers that (with
    /// `precip-io`'s `Measured`); any other answers the rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measure: Option<Measure>,
}

impl LoadRequest {
    /// Everything, as it is stored.
    pub fn everything() -> Self {
        Self::default()
    }

    /// Whether a column is needed.
    pub fn wants(&self, column: &str) -> bool {
        self.columns
            .as_ref()
            .is_none_or(|schema| schema.columns.iter().any(|wanted| wanted.name == column))
    }
}
