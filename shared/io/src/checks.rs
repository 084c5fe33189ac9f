//! Checks that people expect of any table, as one-liners: [`not_null`], [`unique`], [`row_count`],
//! [`accepted_values`], [`fresh`], [`has_columns`], [`columns_unchanged`]. They stand at the asset, in `checks = [..]`.

mod has_rows;
mod measured;

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
    io::{LoadRequest, Measure},
};

use crate::Table;
pub use has_rows::HasRows;
pub use measured::{Found, Measured};
pub(crate) use measured::{latest, missing};

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
    ColumnsUnchanged,
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

/// The columns and their types are those that the check found the time before: of the same partition, or else of
/// the partition before it. The first time, and the first time after a change, there is nothing to say against
/// them. As Dagster's
/// [`build_column_schema_change_checks`](https://docs.dagster.io/api/dagster/asset-checks), which compares what was
/// made last with what was made before that, of whatever partition.
pub fn columns_unchanged() -> DataCheck {
    DataCheck::new("columns_unchanged".to_owned(), Expects::ColumnsUnchanged)
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
            Expects::ColumnsUnchanged => "The columns are those of the time before.".to_owned(),
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

    /// What it asks about the rows.
    pub fn measure(&self) -> Measure {
        match &self.expects {
            Expects::Rows(..) => Measure::Rows,
            Expects::NotNull(column) => Measure::Missing {
                column: column.clone(),
            },
            Expects::Unique(columns) => Measure::Repeated {
                columns: columns.clone(),
            },
            Expects::Accepted(column, accepted) => Measure::Others {
                column: column.clone(),
                accepted: accepted.clone(),
                shown: SHOWN,
            },
            Expects::Fresh(column, _) => Measure::Latest {
                column: column.clone(),
            },
            Expects::Columns(_) | Expects::ColumnsUnchanged => Measure::Columns,
        }
    }

    /// What an IO manager is asked for: the answer, or else the columns that it is about, where it is known
    /// which there are. Rows can be counted by any column.
    pub fn request(&self, known: Option<TableSchema>) -> LoadRequest {
        let measure = self.measure();
        let columns = known.and_then(|mut known| {
            let about = match (&measure, known.columns.first()) {
                (Measure::Rows, Some(first)) => vec![first.name.clone()],
                _ => measure.columns()?.into_iter().map(str::to_owned).collect(),
            };
            known.columns.retain(|column| about.contains(&column.name));
            // A column that is not there is found by looking at all.
            let is_known = |name: &String| known.columns.iter().any(|column| column.name == *name);
            about.iter().all(is_known).then_some(known)
        });
        LoadRequest {
            columns,
            measure: Some(measure),
            ..LoadRequest::default()
        }
    }

    /// Looks at rows, at some moment.
    pub fn check(&self, table: &Table, now: DateTime<Utc>) -> CheckResult {
        self.judge(&Measured::of(&self.measure(), table), None, now)
    }

    /// Whether the columns that it found before matter to it.
    pub fn recalls(&self) -> bool {
        self.expects == Expects::ColumnsUnchanged
    }

    /// What the answer to its [`measure`](Self::measure) means, at some moment, and after it found these columns
    /// the time before ([`columns_found`]).
    pub fn judge(
        &self,
        measured: &Measured,
        before: Option<&TableSchema>,
        now: DateTime<Utc>,
    ) -> CheckResult {
        let result = match (&self.expects, &measured.found) {
            (Expects::Rows(least, most), _) => {
                let rows = measured.rows;
                let expected = self.bounds();
                CheckResult::passed_if((*least, *most).contains(&rows))
                    .description(format!("{rows} rows, expected {expected}"))
            }
            (Expects::NotNull(column), Found::Rows(missing, _)) => {
                CheckResult::passed_if(*missing == 0)
                    .description(format!("{missing} rows have no `{column}`"))
                    .metadata("missing", *missing)
            }
            (Expects::Unique(columns), Found::Rows(repeated, _)) => {
                let columns = columns.join("`, `");
                CheckResult::passed_if(*repeated == 0)
                    .description(format!("{repeated} rows repeat the `{columns}` of another"))
                    .metadata("repeated", *repeated)
            }
            (Expects::Accepted(column, _), Found::Rows(rows, shown)) => {
                accepted(column, *rows, shown)
            }
            (Expects::Fresh(column, within), Found::Latest(latest)) => {
                fresh_at(column, *latest, *within, now)
            }
            (Expects::Columns(expected), Found::Columns(found)) => columns_of(found, expected),
            (Expects::ColumnsUnchanged, Found::Columns(found)) => unchanged(found, before),
            (_, Found::Unknown(reason)) => {
                CheckResult::fail(format!("it cannot be told: {reason}"))
            }
            _ => CheckResult::fail("it cannot be told: the IO manager answered something else"),
        };
        result
            .named(&self.name)
            .severity(self.severity)
            .metadata("rows", measured.rows)
    }
}

/// Where a result notes the columns that it is about, and those that it compared them with.
const FOUND: &str = "columns";
const BEFORE: &str = "columns_before";

/// The columns that [`columns_unchanged`] found, as the metadata of its result notes them.
pub fn columns_found(result: &Metadata) -> Option<&TableSchema> {
    noted(result, FOUND)
}

/// The columns that [`columns_unchanged`] compared them with, as the metadata of its result notes them.
pub fn columns_compared_with(result: &Metadata) -> Option<&TableSchema> {
    noted(result, BEFORE)
}

fn noted<'a>(result: &'a Metadata, name: &str) -> Option<&'a TableSchema> {
    match result.get(name)? {
        MetadataValue::TableSchema(columns) => Some(columns),
        _ => None,
    }
}

fn unchanged(found: &TableSchema, before: Option<&TableSchema>) -> CheckResult {
    let result = match before {
        None => CheckResult::pass().description("there are no columns of before"),
        Some(before) => {
            let changes = changes(before, found);
            let said = match changes.is_empty() {
                true => "no column has changed".to_owned(),
                false => changes.join("; "),
            };
            let result = CheckResult::passed_if(changes.is_empty()).description(said);
            result.metadata(BEFORE, before.clone())
        }
    };
    result.metadata(FOUND, found.clone())
}

/// What is new, what is gone, and what is of another type.
fn changes(before: &TableSchema, found: &TableSchema) -> Vec<String> {
    let of = |schema: &TableSchema| -> BTreeMap<String, String> {
        let columns = schema.columns.iter();
        let pair = |column: &TableColumn| (column.name.clone(), column.data_type.clone());
        columns.map(pair).collect()
    };
    let (before, found) = (of(before), of(found));
    let now = found
        .iter()
        .filter_map(|(name, now)| match before.get(name) {
            None => Some(format!("`{name}` {now} is new")),
            Some(was) if was != now => Some(format!("`{name}` was {was} and is {now}")),
            Some(_) => None,
        });
    let gone = before.iter().filter(|(name, _)| !found.contains_key(*name));
    let gone = gone.map(|(name, was)| format!("`{name}` {was} is gone"));
    now.chain(gone).collect()
}

fn written(columns: &[(String, String)]) -> String {
    let columns: Vec<String> = columns
        .iter()
        .map(|(name, of)| format!("`{name}` {of}"))
        .collect();
    columns.join(", ")
}

fn accepted(column: &str, rows: usize, shown: &[String]) -> CheckResult {
    let described = match rows {
        0 => format!("every `{column}` is accepted"),
        rows => format!(
            "{rows} rows have another `{column}`, such as `{}`",
            shown.join("`, `")
        ),
    };
    CheckResult::passed_if(rows == 0)
        .description(described)
        .metadata("not_accepted", rows)
}

fn fresh_at(
    column: &str,
    latest: Option<DateTime<Utc>>,
    within: Duration,
    now: DateTime<Utc>,
) -> CheckResult {
    let Some(latest) = latest else {
        return CheckResult::fail(format!("no row has a `{column}`"));
    };
    let age = now - latest;
    let most = TimeDelta::from_std(within).unwrap_or(TimeDelta::MAX);
    CheckResult::passed_if(age <= most).description(format!(
        "the latest `{column}` is {}, expected within {within:?} of {}",
        latest.to_rfc3339(),
        now.to_rfc3339()
    ))
}

fn columns_of(found: &TableSchema, expected: &[(String, String)]) -> CheckResult {
    let found: BTreeSet<(String, String)> = found
        .columns
        .iter()
        .map(|column| (column.name.clone(), column.data_type.clone()))
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
