//! [`StoreInput`]: the data of an attempt, ready for a database.

use std::{fmt, path::Path, sync::Arc};

use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, SchemaRef};
use precip_core::metadata::{Metadata, TableSchema};
use precip_engine::{
    asset::AssetValue,
    io::{Address, IoError},
};

use super::{Spool, SpooledRows};
use crate::{
    Table, TableStream, Value,
    manager::{builtin_value, rows_error, table_metadata},
    table::to_table_schema,
};

/// The data of an attempt in the form that a database stores.
#[derive(Debug)]
pub enum StoreInput {
    /// Rows of the asset's table.
    Rows(Rows),
    /// Data of another form, which is stored next to the tables: the name of the form, and the content.
    /// [`decode_document`](super::decode_document) reads it.
    Document(&'static str, Vec<u8>),
}

impl StoreInput {
    /// Converts a value of one of the built-in forms. The rows of a stream are spooled to a folder: all of them exist
    /// when this returns.
    ///
    /// # Errors
    /// [`IoError::Unsupported`] when the value is of another type; [`IoError::Failed`] when the stream ends with an
    /// error.
    pub async fn from_value(
        address: &Address,
        value: AssetValue,
        folder: &Path,
    ) -> Result<Self, IoError> {
        let stream = match value.downcast::<TableStream>() {
            Err(value) => return Ok(builtin_value(address, value)?.into()),
            Ok(stream) => stream,
        };
        let spooled = Spool::from_stream(stream, folder).await;
        spooled
            .map(|rows| Self::Rows(rows.into()))
            .map_err(|error| rows_error(address, error))
    }

    /// Returns the metadata to record with a materialization: rows and columns of a table.
    pub fn to_metadata(&self) -> Metadata {
        match self {
            Self::Rows(rows) => table_metadata(rows.num_rows, rows.columns()),
            Self::Document(..) => Metadata::new(),
        }
    }
}

impl From<Value> for StoreInput {
    fn from(value: Value) -> Self {
        match value {
            Value::Table(table) => Self::Rows(table.into()),
            Value::Json(json) => Self::Document("json", json.to_string().into_bytes()),
            Value::Text(text) => Self::Document("text", text.into_bytes()),
            Value::Bytes(bytes) => Self::Document("bytes", bytes.to_vec()),
        }
    }
}

/// Rows to read once, batch by batch.
pub struct Rows {
    schema: SchemaRef,
    num_rows: usize,
    batches: Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>> + Send>,
}

impl Rows {
    /// Returns the names and types of the columns.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Returns the columns in the form that is recorded with a materialization.
    pub fn columns(&self) -> TableSchema {
        to_table_schema(&self.schema)
    }
}

impl Iterator for Rows {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.batches.next()
    }
}

impl From<Table> for Rows {
    fn from(table: Table) -> Self {
        Self {
            schema: Arc::clone(table.schema()),
            num_rows: table.num_rows(),
            batches: Box::new(table.batches().to_vec().into_iter().map(Ok)),
        }
    }
}

impl From<SpooledRows> for Rows {
    fn from(spooled: SpooledRows) -> Self {
        Self {
            schema: spooled.schema(),
            num_rows: spooled.num_rows(),
            batches: Box::new(spooled),
        }
    }
}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows")
            .field("schema", &self.schema)
            .field("num_rows", &self.num_rows)
            .finish_non_exhaustive()
    }
}
