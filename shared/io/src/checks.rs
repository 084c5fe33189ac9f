//! Checks that people expect of any table, as one-liners: [`not_null`], [`unique`], [`row_count`],
//! [`accepted_values`], [`fresh`], [`has_columns`].

use std::{
    collections::{BTreeSet, HashSet},
    ops::{Bound, RangeBounds},
    time::Duration,
};

use arrow_array::{Array, ArrayRef, cast::AsArray, types::TimestampMicrosecondType};
use arrow_cast::cast;
use arrow_row::{RowConverter, SortField};
use arrow_schema::{ArrowError, DataType, TimeUnit};
use chrono::{DateTime, TimeDelta, Utc};
use precip_core::spec::Severity;
use precip_engine::asset::CheckResult;

use crate::{Table, table::describe};

/// How many values that are wrong a result shows.
const SHOWN: usize = 5;

/// Something that is expected of an asset's rows.
///
/// It is named after what it expects, such as `not_null_carrier`, unless it is [`named`](Self::named).
#[derive(Debug, Clone, PartialEq)]
#[must_use = "declare it with the asset"]
pub struct DataCheck {
    name: String,
    expects: Expects,
    severity: Severity,
    blocking: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum Expects {
    Rows(Bound<usize>, Bound<usize>),
    NotNull(String),
    Unique(Vec<String>),
    Accepted(String, BTreeSet<String>),
    Fresh(String, Duration),
    Columns(Vec<(String, String)>),
}

/// Every row has a value in the column.
pub fn not_null(column: impl Into<String>) -> DataCheck {
    let column = column.into();
    DataCheck::new(format!("not_null_{column}"), Expects::NotNull(column))
}

/// No two rows have the same values in all of the columns. Values that are missing are the same.
pub fn unique<C: Into<String>>(columns: impl IntoIterator<Item = C>) -> DataCheck {
    let columns: Vec<String> = columns.into_iter().map(Into::into).collect();
    let name = format!("unique_{}", columns.join("_"));
    DataCheck::new(name, Expects::Unique(columns))
}

/// There are so many rows: `row_count(1..)`, `row_count(..=1_000)`.
pub fn row_count(rows: impl RangeBounds<usize>) -> DataCheck {
    let bounds = (rows.start_bound().cloned(), rows.end_bound().cloned());
    DataCheck::new("row_count".to_owned(), Expects::Rows(bounds.0, bounds.1))
}

/// The column has these values, written as text, and no other; a value that is missing is accepted.
pub fn accepted_values<V: Into<String>>(
    column: impl Into<String>,
    values: impl IntoIterator<Item = V>,
) -> DataCheck {
    let column = column.into();
    let values = values.into_iter().map(Into::into).collect();
    let name = format!("accepted_values_{column}");
    DataCheck::new(name, Expects::Accepted(column, values))
}

/// The latest date or moment in the column is not longer ago than this. A moment without a zone is
/// taken as one in UTC.
pub fn fresh(column: impl Into<String>, within: Duration) -> DataCheck {
    let column = column.into();
    DataCheck::new(format!("fresh_{column}"), Expects::Fresh(column, within))
}

/// The columns are these, in any order, with Arrow's names of their types: a schema that is written
/// down does not change by accident.
pub fn has_columns<N: Into<String>, T: Into<String>>(
    columns: impl IntoIterator<Item = (N, T)>,
) -> DataCheck {
    let columns = columns
        .into_iter()
        .map(|(name, of)| (name.into(), of.into()));
    DataCheck::new(
        "has_columns".to_owned(),
        Expects::Columns(columns.collect()),
    )
}

impl DataCheck {
    fn new(name: String, expects: Expects) -> Self {
        let part = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        Self {
            name: name.chars().map(part).collect(),
            expects,
            severity: Severity::Error,
            blocking: false,
        }
    }

    /// Gives it another name.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Makes a failure a warning.
    pub fn warn(mut self) -> Self {
        self.severity = Severity::Warn;
        self
    }

    /// Lets a failure stop what is downstream.
    pub fn blocking(mut self) -> Self {
        self.blocking = true;
        self
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether a failure stops what is downstream.
    pub fn is_blocking(&self) -> bool {
        self.blocking
    }

    /// What it expects, for a reader.
    pub fn description(&self) -> String {
        match &self.expects {
            Expects::Rows(..) => format!("There are {} rows.", self.bounds()),
            Expects::NotNull(column) => format!("Every row has a `{column}`."),
            Expects::Unique(columns) => {
                format!("No two rows have the same `{}`.", columns.join("`, `"))
            }
            Expects::Accepted(column, values) => {
                let values: Vec<&str> = values.iter().map(String::as_str).collect();
                format!("`{column}` is one of {}.", values.join(", "))
            }
            Expects::Fresh(column, within) => {
                format!("The latest `{column}` is within {within:?}.")
            }
            Expects::Columns(columns) => format!("The columns are {}.", written(columns)),
        }
    }

    fn bounds(&self) -> String {
        let Expects::Rows(least, most) = &self.expects else {
            return String::new();
        };
        let least = match least {
            Bound::Included(least) => format!("at least {least}"),
            Bound::Excluded(least) => format!("more than {least}"),
            Bound::Unbounded => String::new(),
        };
        let most = match most {
            Bound::Included(most) => format!("at most {most}"),
            Bound::Excluded(most) => format!("fewer than {most}"),
            Bound::Unbounded => String::new(),
        };
        match (least.as_str(), most.as_str()) {
            ("", "") => "any number of".to_owned(),
            (one, "") | ("", one) => one.to_owned(),
            (least, most) => format!("{least} and {most}"),
        }
    }

    /// The columns it looks at; `None` for all. A store need not load the others.
    pub fn columns(&self) -> Option<Vec<&str>> {
        match &self.expects {
            Expects::Rows(..) | Expects::Columns(_) => None,
            Expects::NotNull(column) | Expects::Accepted(column, _) | Expects::Fresh(column, _) => {
                Some(vec![column])
            }
            Expects::Unique(columns) => Some(columns.iter().map(String::as_str).collect()),
        }
    }

    /// Looks at the rows, at some moment.
    pub fn check(&self, table: &Table, now: DateTime<Utc>) -> CheckResult {
        let found = match &self.expects {
            Expects::Rows(least, most) => Ok(self.rows(table, (*least, *most))),
            Expects::NotNull(column) => not_null_in(table, column),
            Expects::Unique(columns) => unique_in(table, columns),
            Expects::Accepted(column, values) => accepted_in(table, column, values),
            Expects::Fresh(column, within) => fresh_in(table, column, *within, now),
            Expects::Columns(columns) => Ok(columns_of(table, columns)),
        };
        let columns = describe(table.schema());
        let result = found.unwrap_or_else(|error| {
            CheckResult::fail(format!(
                "it cannot be told: {error}; the columns are {columns}"
            ))
        });
        result
            .named(&self.name)
            .severity(self.severity)
            .metadata("rows", table.num_rows())
    }

    fn rows(&self, table: &Table, bounds: (Bound<usize>, Bound<usize>)) -> CheckResult {
        let rows = table.num_rows();
        let expected = self.bounds();
        CheckResult::passed_if(bounds.contains(&rows))
            .description(format!("{rows} rows, expected {expected}"))
    }
}

fn written(columns: &[(String, String)]) -> String {
    let columns: Vec<String> = columns
        .iter()
        .map(|(name, of)| format!("`{name}` {of}"))
        .collect();
    columns.join(", ")
}

fn not_null_in(table: &Table, column: &str) -> Result<CheckResult, ArrowError> {
    let missing = table.column(column)?.null_count();
    let described = format!("{missing} rows have no `{column}`");
    Ok(CheckResult::passed_if(missing == 0)
        .description(described)
        .metadata("missing", missing))
}

fn unique_in(table: &Table, columns: &[String]) -> Result<CheckResult, ArrowError> {
    let arrays: Vec<ArrayRef> = columns
        .iter()
        .map(|column| table.column(column))
        .collect::<Result<_, _>>()?;
    let fields = arrays
        .iter()
        .map(|array| SortField::new(array.data_type().clone()));
    let converter = RowConverter::new(fields.collect())?;
    let rows = converter.convert_columns(&arrays)?;
    let distinct: HashSet<&[u8]> = rows.iter().map(|row| row.data()).collect();
    let repeated = rows.num_rows() - distinct.len();
    let described = format!(
        "{repeated} rows repeat the `{}` of another",
        columns.join("`, `")
    );
    Ok(CheckResult::passed_if(repeated == 0)
        .description(described)
        .metadata("repeated", repeated))
}

fn accepted_in(
    table: &Table,
    column: &str,
    accepted: &BTreeSet<String>,
) -> Result<CheckResult, ArrowError> {
    let texts = cast(&table.column(column)?, &DataType::Utf8)?;
    let texts = texts.as_string::<i32>();
    let others = texts
        .iter()
        .flatten()
        .filter(|text| !accepted.contains(*text));
    let (mut rows, mut shown) = (0_usize, BTreeSet::new());
    for other in others {
        rows += 1;
        if shown.len() < SHOWN {
            shown.insert(other);
        }
    }
    let shown: Vec<&str> = shown.into_iter().collect();
    let described = match rows {
        0 => format!("every `{column}` is accepted"),
        rows => format!(
            "{rows} rows have another `{column}`, such as `{}`",
            shown.join("`, `")
        ),
    };
    Ok(CheckResult::passed_if(rows == 0)
        .description(described)
        .metadata("not_accepted", rows))
}

fn fresh_in(
    table: &Table,
    column: &str,
    within: Duration,
    now: DateTime<Utc>,
) -> Result<CheckResult, ArrowError> {
    let utc = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let found = table.column(column)?;
    let moments = match found.data_type() {
        DataType::Timestamp(_, None) => cast(
            &cast(&found, &DataType::Timestamp(TimeUnit::Microsecond, None))?,
            &utc,
        )?,
        _ => cast(&found, &utc)?,
    };
    let moments = moments.as_primitive::<TimestampMicrosecondType>();
    let latest = moments.iter().flatten().max();
    let Some(latest) = latest.and_then(DateTime::from_timestamp_micros) else {
        return Ok(CheckResult::fail(format!("no row has a `{column}`")));
    };
    let age = now - latest;
    let most = TimeDelta::from_std(within).unwrap_or(TimeDelta::MAX);
    Ok(CheckResult::passed_if(age <= most).description(format!(
        "the latest `{column}` is {}, expected within {within:?} of {}",
        latest.to_rfc3339(),
        now.to_rfc3339()
    )))
}

fn columns_of(table: &Table, expected: &[(String, String)]) -> CheckResult {
    let found: BTreeSet<(String, String)> = table
        .schema()
        .fields()
        .iter()
        .map(|field| (field.name().clone(), field.data_type().to_string()))
        .collect();
    let expected: BTreeSet<(String, String)> = expected.iter().cloned().collect();
    let more: Vec<_> = found.difference(&expected).cloned().collect();
    let less: Vec<_> = expected.difference(&found).cloned().collect();
    let mut said = Vec::new();
    if !more.is_empty() {
        said.push(format!("not expected: {}", written(&more)));
    }
    if !less.is_empty() {
        said.push(format!("missing: {}", written(&less)));
    }
    let same = said.is_empty();
    CheckResult::passed_if(same).description(match same {
        true => "the columns are as expected".to_owned(),
        false => said.join("; "),
    })
}

#[cfg(test)]
mod tests;
