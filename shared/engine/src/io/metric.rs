//! [`Metric`].

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// A figure about a partition's rows that a check asks for instead of the rows.
///
/// An IO manager over a database lets the database compute it: see `precip_io::tables`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Metric {
    /// The number of rows. Every other metric is answered together with it.
    #[serde(rename = "Rows")]
    RowCount,
    /// The columns of the table.
    Columns,
    /// The number of rows without a value in a column.
    #[serde(rename = "Missing")]
    NullCount {
        /// The column.
        column: String,
    },
    /// The number of rows that repeat another row's values in all of some columns.
    #[serde(rename = "Repeated")]
    DuplicateCount {
        /// The columns.
        columns: Vec<String>,
        /// True if missing values are equal, as SQL's `NULLS NOT DISTINCT`. Otherwise a row without a value in one of
        /// the columns repeats no other row.
        #[serde(default)]
        nulls_not_distinct: bool,
    },
    /// The number of rows whose value in a column, as text, is not an accepted one, with the first of these texts.
    #[serde(rename = "Others")]
    UnexpectedValues {
        /// The column.
        column: String,
        /// The accepted values.
        accepted: BTreeSet<String>,
        /// The number of unexpected values to return.
        shown: usize,
    },
    /// The latest date or time in a column. A time without a zone is in UTC.
    Latest {
        /// The column.
        column: String,
    },
}

impl Metric {
    /// Returns the columns that the metric reads; `None` when it concerns the table as a whole.
    pub fn columns(&self) -> Option<Vec<&str>> {
        match self {
            Self::RowCount | Self::Columns => None,
            Self::NullCount { column }
            | Self::UnexpectedValues { column, .. }
            | Self::Latest { column } => Some(vec![column]),
            Self::DuplicateCount { columns, .. } => {
                Some(columns.iter().map(String::as_str).collect())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_tags_stay_as_they_were() {
        let nulls = Metric::NullCount {
            column: "gate".to_owned(),
        };
        assert_eq!(
            serde_json::to_string(&nulls).unwrap(),
            r#"{"Missing":{"column":"gate"}}"#
        );
        assert_eq!(
            serde_json::to_string(&Metric::RowCount).unwrap(),
            r#""Rows""#
        );
        let duplicates: Metric =
            serde_json::from_str(r#"{"Repeated":{"columns":["gate"]}}"#).unwrap();
        assert_eq!(
            duplicates,
            Metric::DuplicateCount {
                columns: vec!["gate".to_owned()],
                nulls_not_distinct: false,
            }
        );
    }
}
