//! Ready-made checks over the rows of a table: [`not_null`], [`unique`], [`row_count`],
//! [`accepted_values`], [`fresh`], [`has_columns`], [`columns_unchanged`]. They are declared with the asset, in
//! `checks = [..]`.

mod has_rows;
mod measurement;

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::{Bound, RangeBounds},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use precip_core::{
    metadata::{Metadata, MetadataValue, TableColumn, TableSchema},
    spec::Severity,
};
use precip_engine::{
    asset::CheckResult,
    io::{LoadRequest, Metric},
};

use crate::Table;
pub use has_rows::HasRows;
pub use measurement::{Measurement, MetricValue};
pub(crate) use measurement::{latest_time, missing_column};

/// Number of unexpected values that a result shows.
const SHOWN: usize = 5;

/// A check over the rows of an asset.
///
/// Its name is derived from what it expects, such as `not_null_carrier`, unless it is [`named`](Self::named).
#[derive(Debug, Clone, PartialEq)]
#[must_use = "declare it with the asset"]
pub struct DataCheck {
    name: String,
    expects: Expectation,
    severity: Severity,
    blocking: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum Expectation {
    RowCount(Bound<usize>, Bound<usize>),
    NotNull(String),
    Unique {
        columns: Vec<String>,
        nulls_not_distinct: bool,
    },
    AcceptedValues(String, BTreeSet<String>),
    Fresh(String, Duration),
    Columns(Vec<(String, String)>),
    ColumnsUnchanged,
}

/// Expects a value in the column in every row.
pub fn not_null(column: impl Into<String>) -> DataCheck {
    let column = column.into();
    DataCheck::new(format!("not_null_{column}"), Expectation::NotNull(column))
}

/// Expects no two rows to have the same values in all of the columns. As in SQL, a row without a value in one of the
/// columns is passed over; [`nulls_not_distinct`](DataCheck::nulls_not_distinct) compares missing values too.
pub fn unique<C: Into<String>>(columns: impl IntoIterator<Item = C>) -> DataCheck {
    let columns: Vec<String> = columns.into_iter().map(Into::into).collect();
    let name = format!("unique_{}", columns.join("_"));
    let nulls_not_distinct = false;
    DataCheck::new(
        name,
        Expectation::Unique {
            columns,
            nulls_not_distinct,
        },
    )
}

/// Expects the number of rows to be in a range: `row_count(1..)`, `row_count(..=1_000)`.
pub fn row_count(rows: impl RangeBounds<usize>) -> DataCheck {
    let bounds = (rows.start_bound().cloned(), rows.end_bound().cloned());
    DataCheck::new(
        "row_count".to_owned(),
        Expectation::RowCount(bounds.0, bounds.1),
    )
}

/// Expects only these values in the column, compared as text. Missing values are accepted.
pub fn accepted_values<V: Into<String>>(
    column: impl Into<String>,
    values: impl IntoIterator<Item = V>,
) -> DataCheck {
    let column = column.into();
    let values = values.into_iter().map(Into::into).collect();
    let name = format!("accepted_values_{column}");
    DataCheck::new(name, Expectation::AcceptedValues(column, values))
}

/// Expects the latest date or time in the column to be at most this long ago. A time without a zone is
/// read as UTC.
pub fn fresh(column: impl Into<String>, within: Duration) -> DataCheck {
    let column = column.into();
    DataCheck::new(
        format!("fresh_{column}"),
        Expectation::Fresh(column, within),
    )
}

/// Expects exactly these columns, in any order, with Arrow's names for their types. A declared schema
/// cannot change by accident.
pub fn has_columns<N: Into<String>, T: Into<String>>(
    columns: impl IntoIterator<Item = (N, T)>,
) -> DataCheck {
    let columns = columns
        .into_iter()
        .map(|(name, data_type)| (name.into(), data_type.into()));
    DataCheck::new(
        "has_columns".to_owned(),
        Expectation::Columns(columns.collect()),
    )
}

/// Expects the columns and types that the previous check found.
///
/// The previous check is that of the same partition, or else of the partition before it. The check passes the
/// first time, and the first time after a change. Dagster's
/// [`build_column_schema_change_checks`](https://docs.dagster.io/api/dagster/asset-checks) compares the two latest
/// materializations of any partitions instead.
pub fn columns_unchanged() -> DataCheck {
    DataCheck::new(
        "columns_unchanged".to_owned(),
        Expectation::ColumnsUnchanged,
    )
}

impl DataCheck {
    fn new(name: String, expects: Expectation) -> Self {
        // The name becomes part of the check's key.
        let part = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        Self {
            name: name.chars().map(part).collect(),
            expects,
            severity: Severity::Error,
            blocking: false,
        }
    }

    /// Sets the name.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Reports a failure as a warning.
    pub fn warn(mut self) -> Self {
        self.severity = Severity::Warn;
        self
    }

    /// Makes a failure block downstream assets.
    pub fn blocking(mut self) -> Self {
        self.blocking = true;
        self
    }

    /// Counts two missing values as equal in [`unique`], as SQL's `UNIQUE NULLS NOT DISTINCT`. No other check compares
    /// rows, so it has no effect there.
    pub fn nulls_not_distinct(mut self) -> Self {
        if let Expectation::Unique {
            nulls_not_distinct, ..
        } = &mut self.expects
        {
            *nulls_not_distinct = true;
        }
        self
    }

    /// Returns the name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns `true` if a failure blocks downstream assets.
    pub fn is_blocking(&self) -> bool {
        self.blocking
    }

    /// Returns a sentence about what the check expects.
    pub fn description(&self) -> String {
        match &self.expects {
            Expectation::RowCount(..) => format!("There are {} rows.", self.describe_bounds()),
            Expectation::NotNull(column) => format!("Every row has a `{column}`."),
            Expectation::Unique {
                columns,
                nulls_not_distinct,
            } => {
                let nulls = if *nulls_not_distinct {
                    " Missing values are equal."
                } else {
                    ""
                };
                let columns = columns.join("`, `");
                format!("No two rows have the same `{columns}`.{nulls}")
            }
            Expectation::AcceptedValues(column, values) => {
                let values: Vec<&str> = values.iter().map(String::as_str).collect();
                format!("`{column}` is one of {}.", values.join(", "))
            }
            Expectation::Fresh(column, within) => {
                format!("The latest `{column}` is within {within:?}.")
            }
            Expectation::Columns(columns) => format!("The columns are {}.", list_columns(columns)),
            Expectation::ColumnsUnchanged => {
                "The columns are those that the previous check found.".to_owned()
            }
        }
    }

    fn describe_bounds(&self) -> String {
        let Expectation::RowCount(least, most) = &self.expects else {
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

    /// Returns the metric that the check evaluates.
    pub fn metric(&self) -> Metric {
        match &self.expects {
            Expectation::RowCount(..) => Metric::RowCount,
            Expectation::NotNull(column) => Metric::NullCount {
                column: column.clone(),
            },
            Expectation::Unique {
                columns,
                nulls_not_distinct,
            } => Metric::DuplicateCount {
                columns: columns.clone(),
                nulls_not_distinct: *nulls_not_distinct,
            },
            Expectation::AcceptedValues(column, accepted) => Metric::UnexpectedValues {
                column: column.clone(),
                accepted: accepted.clone(),
                shown: SHOWN,
            },
            Expectation::Fresh(column, _) => Metric::Latest {
                column: column.clone(),
            },
            Expectation::Columns(_) | Expectation::ColumnsUnchanged => Metric::Columns,
        }
    }

    /// Returns the request to an IO manager: the metric, and the columns to load if the manager cannot compute
    /// it. `known` is the declared schema of the table, if there is one.
    pub fn load_request(&self, known: Option<TableSchema>) -> LoadRequest {
        let metric = self.metric();
        let columns = known.and_then(|mut known| {
            // Any single column is enough to count rows.
            let needed = match (&metric, known.columns.first()) {
                (Metric::RowCount, Some(first)) => vec![first.name.clone()],
                _ => metric.columns()?.into_iter().map(str::to_owned).collect(),
            };
            known.columns.retain(|column| needed.contains(&column.name));
            // With an unknown column, all are loaded: the stored data may have it, and if not, the result
            // lists the columns that exist.
            let is_known = |name: &String| known.columns.iter().any(|column| column.name == *name);
            needed.iter().all(is_known).then_some(known)
        });
        LoadRequest {
            columns,
            metric: Some(metric),
            ..LoadRequest::default()
        }
    }

    /// Checks the rows of a table at time `now`.
    pub fn check_table(&self, table: &Table, now: DateTime<Utc>) -> CheckResult {
        self.evaluate(&Measurement::of_table(&self.metric(), table), None, now)
    }

    /// Returns `true` if the check compares with the columns of a previous check.
    pub fn needs_previous_checks(&self) -> bool {
        self.expects == Expectation::ColumnsUnchanged
    }

    /// Evaluates a measurement of its [`metric`](Self::metric) at time `now`.
    ///
    /// `before` holds the columns that the previous check found ([`columns_found`]).
    pub fn evaluate(
        &self,
        measurement: &Measurement,
        before: Option<&TableSchema>,
        now: DateTime<Utc>,
    ) -> CheckResult {
        // Each expectation evaluates the value of its own metric; any other value is a fault of the IO manager.
        let result = match (&self.expects, &measurement.value) {
            (Expectation::RowCount(least, most), _) => {
                let rows = measurement.rows;
                let expected = self.describe_bounds();
                CheckResult::passed_if((*least, *most).contains(&rows))
                    .description(format!("{rows} rows, expected {expected}"))
            }
            (Expectation::NotNull(column), MetricValue::Count(missing, _)) => {
                CheckResult::passed_if(*missing == 0)
                    .description(format!("{missing} rows have no `{column}`"))
                    .metadata("missing", *missing)
            }
            (Expectation::Unique { columns, .. }, MetricValue::Count(repeated, _)) => {
                let columns = columns.join("`, `");
                CheckResult::passed_if(*repeated == 0)
                    .description(format!("{repeated} rows repeat the `{columns}` of another"))
                    .metadata("repeated", *repeated)
            }
            (Expectation::AcceptedValues(column, _), MetricValue::Count(rows, shown)) => {
                check_accepted(column, *rows, shown)
            }
            (Expectation::Fresh(column, within), MetricValue::Latest(latest)) => {
                check_freshness(column, *latest, *within, now)
            }
            (Expectation::Columns(expected), MetricValue::Columns(found)) => {
                check_columns(found, expected)
            }
            (Expectation::ColumnsUnchanged, MetricValue::Columns(found)) => {
                compare_columns(found, before)
            }
            (_, MetricValue::Unknown(reason)) => {
                CheckResult::fail(format!("could not evaluate: {reason}"))
            }
            _ => CheckResult::fail("could not evaluate: the IO manager returned another metric"),
        };
        result
            .named(&self.name)
            .severity(self.severity)
            .metadata("rows", measurement.rows)
    }
}

/// Metadata entries for the columns that a check found, and for those it compared them with.
const FOUND: &str = "columns";
const BEFORE: &str = "columns_before";

/// Returns the columns that [`columns_unchanged`] found, from the metadata of its result.
pub fn columns_found(result: &Metadata) -> Option<&TableSchema> {
    schema_in_metadata(result, FOUND)
}

/// Returns the columns that [`columns_unchanged`] compared with, from the metadata of its result.
pub fn columns_compared_with(result: &Metadata) -> Option<&TableSchema> {
    schema_in_metadata(result, BEFORE)
}

fn schema_in_metadata<'a>(result: &'a Metadata, name: &str) -> Option<&'a TableSchema> {
    match result.get(name)? {
        MetadataValue::TableSchema(columns) => Some(columns),
        _ => None,
    }
}

fn compare_columns(found: &TableSchema, before: Option<&TableSchema>) -> CheckResult {
    let result = match before {
        None => CheckResult::pass().description("there are no earlier columns to compare with"),
        Some(before) => {
            let changes = describe_changes(before, found);
            let description = if changes.is_empty() {
                "no column has changed".to_owned()
            } else {
                changes.join("; ")
            };
            CheckResult::passed_if(changes.is_empty())
                .description(description)
                .metadata(BEFORE, before.clone())
        }
    };
    result.metadata(FOUND, found.clone())
}

/// Describes the columns that are new, are gone, or have another type.
fn describe_changes(before: &TableSchema, found: &TableSchema) -> Vec<String> {
    let types_by_name = |schema: &TableSchema| -> BTreeMap<String, String> {
        let columns = schema.columns.iter();
        let pair = |column: &TableColumn| (column.name.clone(), column.data_type.clone());
        columns.map(pair).collect()
    };
    let (old_types, new_types) = (types_by_name(before), types_by_name(found));
    let new_or_changed = new_types
        .iter()
        .filter_map(|(name, new)| match old_types.get(name) {
            None => Some(format!("`{name}` {new} is new")),
            Some(old) if old != new => Some(format!("`{name}` was {old} and is {new}")),
            Some(_) => None,
        });
    let gone = old_types
        .iter()
        .filter(|(name, _)| !new_types.contains_key(*name))
        .map(|(name, old)| format!("`{name}` {old} is gone"));
    new_or_changed.chain(gone).collect()
}

fn list_columns(columns: &[(String, String)]) -> String {
    let columns: Vec<String> = columns
        .iter()
        .map(|(name, data_type)| format!("`{name}` {data_type}"))
        .collect();
    columns.join(", ")
}

fn check_accepted(column: &str, rows: usize, shown: &[String]) -> CheckResult {
    let description = match rows {
        0 => format!("every `{column}` is accepted"),
        rows => format!(
            "{rows} rows have another `{column}`, such as `{}`",
            shown.join("`, `")
        ),
    };
    CheckResult::passed_if(rows == 0)
        .description(description)
        .metadata("not_accepted", rows)
}

fn check_freshness(
    column: &str,
    latest: Option<DateTime<Utc>>,
    within: Duration,
    now: DateTime<Utc>,
) -> CheckResult {
    let Some(latest) = latest else {
        return CheckResult::fail(format!("no row has a `{column}`"));
    };
    let age = now - latest;
    let limit = TimeDelta::from_std(within).unwrap_or(TimeDelta::MAX);
    CheckResult::passed_if(age <= limit).description(format!(
        "the latest `{column}` is {}, expected within {within:?} of {}",
        latest.to_rfc3339(),
        now.to_rfc3339()
    ))
}

fn check_columns(found: &TableSchema, expected: &[(String, String)]) -> CheckResult {
    let found: BTreeSet<(String, String)> = found
        .columns
        .iter()
        .map(|column| (column.name.clone(), column.data_type.clone()))
        .collect();
    let expected: BTreeSet<(String, String)> = expected.iter().cloned().collect();
    let unexpected: Vec<_> = found.difference(&expected).cloned().collect();
    let missing: Vec<_> = expected.difference(&found).cloned().collect();
    let mut differences = Vec::new();
    if !unexpected.is_empty() {
        differences.push(format!("not expected: {}", list_columns(&unexpected)));
    }
    if !missing.is_empty() {
        differences.push(format!("missing: {}", list_columns(&missing)));
    }
    CheckResult::passed_if(differences.is_empty()).description(if differences.is_empty() {
        "the columns are as expected".to_owned()
    } else {
        differences.join("; ")
    })
}

#[cfg(test)]
mod tests;
