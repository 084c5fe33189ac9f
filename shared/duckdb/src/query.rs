//! [`Query`]: a query over tables that were loaded.

#[cfg(feature = "engine")]
mod disk;
#[cfg(feature = "engine")]
mod engine;
#[cfg(not(feature = "engine"))]
#[path = "query/no_engine.rs"]
mod engine;

use precip_engine::asset::AssetError;
use precip_io::{FromAsset, Table, TableStream};
use serde::{Serialize, de::DeserializeOwned};

/// A query over tables of this process.
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
    expect(dead_code, reason = "what only the engine reads")
)]
#[must_use = "`run` runs it"]
pub struct Query {
    sql: String,
    tables: Vec<(String, TableStream)>,
    partition: Option<String>,
}

impl Query {
    /// One statement that answers rows.
    pub fn new(sql: impl Into<String>) -> Self {
        Self {
            sql: sql.into(),
            tables: Vec::new(),
            partition: None,
        }
    }

    /// A table that the query can name. A [`Table`] is one, and a [`TableStream`], which is gone through once
    /// and is never in memory as a whole.
    pub fn table(mut self, name: impl Into<String>, rows: impl Into<TableStream>) -> Self {
        self.tables.push((name.into(), rows.into()));
        self
    }

    /// What `$partition` is in the query.
    pub fn partition(mut self, key: impl Into<String>) -> Self {
        self.partition = Some(key.into());
        self
    }

    /// Runs it, in a DuckDB that is gone afterwards and reaches nothing but the tables. What does not fit into
    /// its memory waits on the disk ([`std::env::temp_dir`]). In a function on AWS it takes half of the
    /// function's memory, elsewhere what DuckDB takes by itself, which is 80 % of the machine's.
    ///
    /// # Errors
    /// What a stream of rows ended with. Else [`AssetError`], not to be tried again: DuckDB's own words about
    /// the query, that the rows are not what is asked for, or that this program was built without the feature
    /// `engine`.
    pub fn run<T: FromQuery>(self) -> Result<T, AssetError> {
        T::run(self)
    }
}

/// What a query's rows may be answered as.
pub trait FromQuery: Sized {
    /// Runs a query, and takes its rows as this type.
    ///
    /// # Errors
    /// [`AssetError`] when it fails, or when they are something else.
    fn run(query: Query) -> Result<Self, AssetError>;
}

impl FromQuery for Table {
    fn run(query: Query) -> Result<Self, AssetError> {
        engine::table(query)
    }
}

/// The rows wait on the disk, and are never in memory as a whole.
impl FromQuery for TableStream {
    fn run(query: Query) -> Result<Self, AssetError> {
        engine::stream(query)
    }
}

impl<T: Serialize + DeserializeOwned + Send> FromQuery for Vec<T> {
    fn run(query: Query) -> Result<Self, AssetError> {
        let rows = engine::table(query)?;
        let rows = match Self::needs().request.columns {
            None => rows,
            Some(columns) => engine::as_fields(&rows, &columns)?,
        };
        rows.to_rows()
            .map_err(|error| AssetError::from(error).into_terminal())
    }
}
