//! [`Measure`].

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// Something about a partition's rows that can be told without having them, as a check asks for it.
///
/// Where data lies in a database, its IO manager lets the database count: see `precip_io::tables`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Measure {
    /// How many rows there are. Every other measure tells that as well.
    Rows,
    /// Which columns there are.
    Columns,
    /// How many rows have no value in a column.
    Missing {
        /// The column.
        column: String,
    },
    /// How many rows have the same values as another in all of some columns. Values that are missing are the
    /// same.
    Repeated {
        /// The columns.
        columns: Vec<String>,
    },
    /// How many rows have a value in a column, written as text, that is none of these, and which are the first
    /// of those texts.
    Others {
        /// The column.
        column: String,
        /// What is not counted.
        accepted: BTreeSet<String>,
        /// How many of the texts are told.
        shown: usize,
    },
    /// The latest date or moment in a column. A moment without a zone is one in UTC.
    Latest {
        /// The column.
        column: String,
    },
}

impl Measure {
    /// The columns that it is about; `None` for the rows as a whole.
    pub fn columns(&self) -> Option<Vec<&str>> {
        match self {
            Self::Rows | Self::Columns => None,
            Self::Missing { column } | Self::Others { column, .. } | Self::Latest { column } => {
                Some(vec![column])
            }
            Self::Repeated { columns } => Some(columns.iter().map(String::as_str).collect()),
        }
    }
}
