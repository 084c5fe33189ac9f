//! [`Given`]: what a database is given to keep.

use std::{fmt, path::Path, sync::Arc};

use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, SchemaRef};
use precip_core::metadata::{Metadata, TableSchema};
use precip_engine::{
    asset::AssetValue,
    io::{Address, IoError},
};

use super::{Spool, Spooled};
use crate::{
    Table, TableStream, Value,
    manager::{facts_of_rows, known, unmade},
    table::to_table_schema,
};

/// What a database is given to keep.
#[derive(Debug)]
pub enum Given {
    /// Rows for the asset's table.
    Rows(Rows),
    /// What is no table, and is noted down beside them: as what, and its content. [`noted_value`] reads it.
    ///
    /// [`noted_value`]: super::noted_value
    Noted(&'static str, Vec<u8>),
}

impl Given {
    /// Takes a value that is one of the forms of the built-in managers. The rows of a stream are all made
    /// when this returns, and wait on the disk of a folder.
    ///
    /// # Errors
    /// [`IoError::Unsupported`] when it is none of them; [`IoError::Failed`] when the stream ends with an error.
    pub async fn take(
        address: &Address,
        value: AssetValue,
        folder: &Path,
    ) -> Result<Self, IoError> {
        let stream = match value.downcast::<TableStream>() {
            Err(value) => return Ok(known(address, value)?.into()),
            Ok(stream) => stream,
        };
        let rows = Spool::of(stream, folder).await;
        let rows = rows.map_err(|error| unmade(address, error))?;
        Ok(Self::Rows(rows.into()))
    }

    /// What is kept with a materialization: rows and columns of a table.
    pub fn facts(&self) -> Metadata {
        match self {
            Self::Rows(rows) => facts_of_rows(rows.num_rows, rows.columns()),
            Self::Noted(..) => Metadata::new(),
        }
    }
}

impl From<Value> for Given {
    fn from(value: Value) -> Self {
        match value {
            Value::Table(table) => Self::Rows(table.into()),
            Value::Json(json) => Self::Noted("json", json.to_string().into_bytes()),
            Value::Text(text) => Self::Noted("text", text.into_bytes()),
            Value::Bytes(bytes) => Self::Noted("bytes", bytes.to_vec()),
        }
    }
}

/// Rows to go through once, batch by batch.
pub struct Rows {
    schema: SchemaRef,
    num_rows: usize,
    batches: Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>> + Send>,
}

impl Rows {
    /// The columns' names and types.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The columns in the form that is kept with a materialization.
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

impl From<Spooled> for Rows {
    fn from(spooled: Spooled) -> Self {
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
