//! [`LoadFrom`]: the parameter types that fit an upstream output.

use bytes::Bytes;
use precip_core::metadata::TableSchema;
use serde::de::DeserializeOwned;

use super::{FromAsset, Json, Partitions};
use crate::{Table, Value, schema::row_columns, table::to_table_schema};

/// Types that the data of an asset returning `Output` can be read as.
///
/// | upstream returns | downstream takes |
/// |---|---|
/// | `Vec<T>` | `Vec<T>`, `Table`, `Vec<U>` where [`U: RowOf<T>`](RowOf) |
/// | `Table` | `Table`, `Vec<T>` |
/// | `Json<T>` | `Json<T>`, `Json<U>` where `U: RowOf<T>`, `serde_json::Value` |
/// | `serde_json::Value` | `serde_json::Value`, `Json<T>` |
/// | `String` | `String`, `Bytes` |
/// | `Bytes`, numbers, `bool` | the same |
///
/// and, around each of these, `Option<..>` and [`Partitions<..>`](Partitions).
///
/// For a type of your own, write `impl LoadFrom<Model> for Model {}`.
#[diagnostic::on_unimplemented(
    message = "an asset that returns `{Output}` cannot be read as `{Self}`",
    label = "the upstream asset returns `{Output}`",
    note = "take the type that the upstream asset returns, `Table` for any table, or `Partitions<..>` or `Option<..>` around it",
    note = "for a `Vec` of rows with fewer columns, declare it next to the row type: `impl RowOf<UpstreamRow> for MyRow {{}}`"
)]
pub trait LoadFrom<Output: ?Sized>: FromAsset {
    /// Returns the columns that the upstream asset's rows are declared with; `None` when it declares none.
    fn upstream_columns() -> Option<TableSchema> {
        None
    }
}

/// Row types that rows of `Row` can be read as: they have some of the columns of `Row`, under the same
/// names. Only those columns are then read from the store.
///
/// Every type is `RowOf` itself. Any other pair needs one line next to the row type. An optional field that is no
/// column of `Row` makes the definitions invalid, since it would be empty in every row; types are checked when loading:
///
/// ```
/// use precip_io::{LoadFrom, RowOf};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct Flight { carrier: String, origin: String, dep_delay: Option<f64> }
///
/// #[derive(Serialize, Deserialize)]
/// struct Delay { carrier: String, dep_delay: Option<f64> }
///
/// impl RowOf<Flight> for Delay {}
///
/// fn fits<P: LoadFrom<Vec<Flight>>>() {}
/// fits::<Vec<Delay>>();
/// ```
#[diagnostic::on_unimplemented(
    message = "rows of `{Row}` cannot be read as `{Self}`",
    label = "the upstream asset's rows are `{Row}`",
    note = "where `{Self}` has some of the columns of `{Row}`, say so: `impl RowOf<{Row}> for {Self} {{}}`; otherwise take `Vec<{Row}>` or `Table`"
)]
pub trait RowOf<Row: ?Sized> {}

impl<T: ?Sized> RowOf<T> for T {}

impl<T: RowOf<U>, U: DeserializeOwned> LoadFrom<Vec<U>> for Vec<T>
where
    Self: FromAsset,
{
    fn upstream_columns() -> Option<TableSchema> {
        let columns = row_columns::<U>().ok()?;
        Some(to_table_schema(columns.schema()))
    }
}
impl<T> LoadFrom<Table> for Vec<T> where Self: FromAsset {}
impl<U> LoadFrom<Vec<U>> for Table {}
impl LoadFrom<Self> for Table {}

impl<T: RowOf<U>, U> LoadFrom<Json<U>> for Json<T> where Self: FromAsset {}
impl<T> LoadFrom<serde_json::Value> for Json<T> where Self: FromAsset {}
impl<U> LoadFrom<Json<U>> for serde_json::Value {}
impl LoadFrom<Self> for serde_json::Value {}

impl LoadFrom<Self> for String {}
impl LoadFrom<Self> for Bytes {}
impl LoadFrom<String> for Bytes {}
impl LoadFrom<Self> for Value {}

impl<P: LoadFrom<Output>, Output: ?Sized> LoadFrom<Output> for Option<P> {
    fn upstream_columns() -> Option<TableSchema> {
        P::upstream_columns()
    }
}

impl<P: LoadFrom<Output>, Output: ?Sized> LoadFrom<Output> for Partitions<P> {
    fn upstream_columns() -> Option<TableSchema> {
        P::upstream_columns()
    }
}
