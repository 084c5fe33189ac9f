//! [`TableStream`].

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use arrow_array::RecordBatch;
use arrow_schema::{Schema, SchemaRef};
use futures::{
    Stream, StreamExt,
    stream::{self, BoxStream},
};
use precip_engine::{
    asset::{AssetError, AssetValue, InputNeeds, LoadedInput},
    io::LoadRequest,
};

use crate::{
    Table, Value,
    convert::{ConvertError, FromAsset, IntoAsset, LoadFrom},
    table::describe_columns,
};

/// Rows in a stream of batches, for partitions that do not fit into memory.
///
/// A function that returns a stream produces batches while they are stored, and one that takes a stream loads
/// batches while it reads them:
///
/// ```
/// # use precip_io::{Table, TableStream};
/// # futures::executor::block_on(async {
/// let day = Table::from_rows(&[1_i64, 2])?;
/// let batches = (0..1_000).map(move |_| Ok(day.to_batch()?));
/// let mut days = TableStream::from_batches(Table::from_rows::<i64>(&[])?.schema().clone(), batches);
/// let mut rows = 0;
/// while let Some(batch) = days.next().await {
///     rows += batch?.num_rows();
/// }
/// assert_eq!(rows, 2_000);
/// # Ok::<(), precip_engine::asset::AssetError>(()) }).unwrap();
/// ```
///
/// Parquet files in the versioned layout are streamed: memory holds a row group of 32 MiB at most, and the batches
/// in flight. For tables of DuckDB and Snowflake, rows are spooled to the disk
/// ([`Spool`](crate::tables::Spool)). Other formats and IO managers accept and return streams too, but hold the
/// whole partition in memory.
pub struct TableStream {
    schema: SchemaRef,
    batches: BoxStream<'static, Result<RecordBatch, AssetError>>,
}

impl TableStream {
    /// Creates a stream from batches of one schema. An error ends it, and nothing of it is stored.
    pub fn new<E: Into<AssetError> + 'static>(
        schema: SchemaRef,
        batches: impl Stream<Item = Result<RecordBatch, E>> + Send + 'static,
    ) -> Self {
        let batches = batches.map(|batch| batch.map_err(Into::into)).boxed();
        Self { schema, batches }
    }

    /// Creates a stream from an iterator of batches.
    pub fn from_batches<I>(schema: SchemaRef, batches: I) -> Self
    where
        I: IntoIterator<Item = Result<RecordBatch, AssetError>>,
        I::IntoIter: Send + 'static,
    {
        Self::new(schema, stream::iter(batches))
    }

    /// Returns the names and types of the columns.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Returns the next batch; `None` at the end.
    pub async fn next(&mut self) -> Option<Result<RecordBatch, AssetError>> {
        self.batches.next().await
    }

    /// Collects all rows into a table.
    ///
    /// # Errors
    /// The error that the stream ended with, or that a batch has other columns.
    pub async fn collect(mut self) -> Result<Table, AssetError> {
        let mut batches = Vec::new();
        while let Some(batch) = self.next().await {
            batches.push(batch?);
        }
        Table::new(self.schema, batches).map_err(|error| AssetError::terminal(error.to_string()))
    }
}

impl Stream for TableStream {
    type Item = Result<RecordBatch, AssetError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.batches.poll_next_unpin(context)
    }
}

impl fmt::Debug for TableStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TableStream")
            .field("schema", &self.schema)
            .finish_non_exhaustive()
    }
}

impl From<Table> for TableStream {
    fn from(table: Table) -> Self {
        let schema = Arc::clone(table.schema());
        let batches: Vec<_> = table.batches().iter().cloned().map(Ok).collect();
        Self::from_batches(schema, batches)
    }
}

impl IntoAsset for TableStream {
    fn into_asset(self) -> Result<AssetValue, ConvertError> {
        Ok(AssetValue::new(self))
    }
}

impl FromAsset for TableStream {
    fn needs() -> InputNeeds {
        InputNeeds {
            request: LoadRequest {
                streamed: true,
                ..LoadRequest::default()
            },
            many: true,
            ..InputNeeds::default()
        }
    }

    fn from_asset(input: LoadedInput) -> Result<Self, ConvertError> {
        let asset = input.asset;
        let mut all: Option<Self> = None;
        // The streams of all partitions are chained; nothing is read yet.
        for part in input.parts {
            // A manager that cannot stream returns a whole table, which is a stream of its batches.
            let next = match part.value.downcast::<Self>() {
                Ok(stream) => stream,
                Err(value) => match value.downcast::<Value>() {
                    Ok(Value::Table(table)) => table.into(),
                    Ok(other) => {
                        let message = format!("{} has no batches", other.form());
                        return Err(ConvertError::new(message).at(&asset, part.partition.as_ref()));
                    }
                    Err(other) => {
                        let message = format!("a `{}` has no batches", other.type_name());
                        return Err(ConvertError::new(message).at(&asset, part.partition.as_ref()));
                    }
                },
            };
            all = Some(match all {
                None => next,
                Some(before) if before.schema.fields() == next.schema.fields() => Self {
                    schema: before.schema,
                    batches: before.batches.chain(next.batches).boxed(),
                },
                Some(before) => {
                    let message = format!(
                        "its columns ({}) are not those of the partitions before it ({})",
                        describe_columns(&next.schema),
                        describe_columns(&before.schema)
                    );
                    return Err(ConvertError::new(message).at(&asset, part.partition.as_ref()));
                }
            });
        }
        // An input without partitions has no columns.
        let none = || Table::empty(Arc::new(Schema::empty())).into();
        Ok(all.unwrap_or_else(none))
    }
}

impl<U> LoadFrom<Vec<U>> for TableStream {}
impl LoadFrom<Table> for TableStream {}
impl LoadFrom<Self> for TableStream {}
impl LoadFrom<TableStream> for Table {}
impl<T> LoadFrom<TableStream> for Vec<T> where Self: FromAsset {}
