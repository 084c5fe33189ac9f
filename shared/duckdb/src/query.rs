//! [`Query`]: a query over loaded tables.

#[cfg(feature = "engine")]
mod disk;
#[cfg(feature = "engine")]
mod engine;
#[cfg(not(feature = "engine"))]
#[path = "query/no_engine.rs"]
mod engine;

use precip_engine::asset::AssetError;
use precip_io::{FromAsset, Table, TableStream, tables::fit_query_rows};
use serde::{Serialize, de::DeserializeOwned};

/// A query over tables in this process.
///
/// ```
/// use precip_duckdb::Query;
/// use precip_io::Table;
///
/// let numbers = Table::from_rows(&[1_i64, 2, 3])?;
/// let sums: Vec<i64> = Query::new("SELECT sum(value) AS value FROM numbers")
///     .table("numbers", numbers)
///     .run()?;
/// assert_eq!(sums, [6]);
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
#[derive(Debug)]
#[cfg_attr(
    not(feature = "engine"),
    expect(dead_code, reason = "read by the engine only")
)]
#[must_use = "`run` runs it"]
pub struct Query {
    sql: String,
    tables: Vec<(String, TableStream)>,
    partition: Option<String>,
}

impl Query {
    /// Creates a query from one SQL statement that returns rows.
    pub fn new(sql: impl Into<String>) -> Self {
        Self {
            sql: sql.into(),
            tables: Vec::new(),
            partition: None,
        }
    }

    /// Adds a table that the query can name: a [`Table`], or a [`TableStream`], which is read once and never in
    /// memory as a whole.
    pub fn table(mut self, name: impl Into<String>, rows: impl Into<TableStream>) -> Self {
        self.tables.push((name.into(), rows.into()));
        self
    }

    /// Sets the value of `$partition` in the query.
    pub fn partition(mut self, key: impl Into<String>) -> Self {
        self.partition = Some(key.into());
        self
    }

    /// Runs the query in a temporary DuckDB that can access nothing but the tables.
    ///
    /// Data that exceeds its memory spills to the disk ([`std::env::temp_dir`]). In a function on AWS it uses half of
    /// the function's memory, elsewhere DuckDB's default, 80 % of the machine's.
    ///
    /// # Errors
    /// The error that a stream of rows ended with. Otherwise a terminal [`AssetError`]: DuckDB's message about the
    /// query, that the rows do not fit the type, or that this program was built without the feature `engine`.
    pub fn run<T: FromQuery>(self) -> Result<T, AssetError> {
        T::run_query(self)
    }
}

/// Types that the rows of a query can be returned as.
pub trait FromQuery: Sized {
    /// Runs a query, and returns its rows as this type.
    ///
    /// # Errors
    /// [`AssetError`] when the query fails, or the rows do not fit.
    fn run_query(query: Query) -> Result<Self, AssetError>;
}

impl FromQuery for Table {
    fn run_query(query: Query) -> Result<Self, AssetError> {
        engine::query_table(query)
    }
}

/// The rows are spooled to the disk, and never in memory as a whole.
impl FromQuery for TableStream {
    fn run_query(query: Query) -> Result<Self, AssetError> {
        engine::query_stream(query)
    }
}

impl<T: Serialize + DeserializeOwned + Send> FromQuery for Vec<T> {
    fn run_query(query: Query) -> Result<Self, AssetError> {
        let table = engine::query_table(query)?;
        let fitted = match Self::needs().request.columns {
            None => table,
            Some(columns) => fit_query_rows(&table, &columns).map_err(|problem| {
                AssetError::terminal(format!("the query does not fit its rows: {problem}"))
            })?,
        };
        fitted
            .to_rows()
            .map_err(|error| AssetError::from(error).into_terminal())
    }
}
