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
    table::describe,
};

/// Rows that come batch by batch, so that a partition need not fit into memory.
///
/// A function that returns one makes batches while they are stored, and one that takes one loads them
/// while it goes through them:
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
/// Parquet files in the versioned layout are written and read in a stream: what is held is a row group
/// of 32 MiB at most and what is on its way. For the tables of DuckDB, rows wait on the disk
/// ([`Spool`](crate::tables::Spool)). The other formats and IO managers, which hold a partition as
/// a whole, take and give streams as well, and hold it.
pub struct TableStream {
    schema: SchemaRef,
    batches: BoxStream<'static, Result<RecordBatch, AssetError>>,
}

impl TableStream {
    /// From batches of one schema, as they come. An error ends it, and nothing of it is stored.
    pub fn new<E: Into<AssetError> + 'static>(
        schema: SchemaRef,
        batches: impl Stream<Item = Result<RecordBatch, E>> + Send + 'static,
    ) -> Self {
        let batches = batches.map(|batch| batch.map_err(Into::into)).boxed();
        Self { schema, batches }
    }

    /// From batches that are made one after the other.
    pub fn from_batches<I>(schema: SchemaRef, batches: I) -> Self
    where
        I: IntoIterator<Item = Result<RecordBatch, AssetError>>,
        I::IntoIter: Send + 'static,
    {
        Self::new(schema, stream::iter(batches))
    }

    /// The columns' names and types.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The next batch; `None` at the end.
    pub async fn next(&mut self) -> Option<Result<RecordBatch, AssetError>> {
        self.batches.next().await
    }

    /// All rows at once.
    ///
    /// # Errors
    /// What making a batch answered, or a batch with other columns.
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
        for part in input.parts {
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
                        describe(&next.schema),
                        describe(&before.schema)
                    );
                    return Err(ConvertError::new(message).at(&asset, part.partition.as_ref()));
                }
            });
        }
        let none = || Table::empty(Arc::new(Schema::empty())).into();
        Ok(all.unwrap_or_else(none))
    }
}

impl<U> LoadFrom<Vec<U>> for TableStream {}
impl LoadFrom<Table> for TableStream {}
impl LoadFrom<Self> for TableStream {}
impl LoadFrom<TableStream> for Table {}
impl<T> LoadFrom<TableStream> for Vec<T> where Self: FromAsset {}
