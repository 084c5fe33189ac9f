//! [`Table`].

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, Schema, SchemaRef};
use arrow_select::concat::concat_batches;
use precip_core::metadata::{TableColumn, TableSchema};

/// Rows with named, typed columns: Arrow record batches of one schema. A table of no rows still has its
/// columns.
#[derive(Debug, Clone)]
pub struct Table {
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
}

impl Table {
    /// Creates a table from batches of one schema.
    ///
    /// # Errors
    /// [`ArrowError::SchemaError`] when a batch has another schema.
    pub fn new(schema: SchemaRef, batches: Vec<RecordBatch>) -> Result<Self, ArrowError> {
        for batch in &batches {
            if batch.schema_ref().fields() != schema.fields() {
                return Err(ArrowError::SchemaError(format!(
                    "a batch has the columns {}, the table has {}",
                    describe_columns(batch.schema_ref()),
                    describe_columns(&schema),
                )));
            }
        }
        Ok(Self { schema, batches })
    }

    /// Creates a table of no rows.
    pub fn empty(schema: SchemaRef) -> Self {
        Self {
            schema,
            batches: Vec::new(),
        }
    }

    /// Returns the names and types of the columns.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Returns the rows, in batches.
    pub fn batches(&self) -> &[RecordBatch] {
        &self.batches
    }

    /// Returns the number of rows.
    pub fn num_rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    /// Returns all rows in one batch.
    ///
    /// # Errors
    /// [`ArrowError`] when a column of strings or lists is too large for one batch (2 GiB).
    pub fn to_batch(&self) -> Result<RecordBatch, ArrowError> {
        match self.batches.as_slice() {
            [one] => Ok(one.clone()),
            batches => concat_batches(&self.schema, batches),
        }
    }

    /// Returns one column of all rows.
    ///
    /// # Errors
    /// [`ArrowError::SchemaError`] when there is no such column.
    pub fn column(&self, name: &str) -> Result<ArrayRef, ArrowError> {
        let index = self.schema.index_of(name)?;
        Ok(Arc::clone(self.to_batch()?.column(index)))
    }

    /// Returns the columns in the form that is recorded with a materialization.
    pub fn table_schema(&self) -> TableSchema {
        to_table_schema(&self.schema)
    }
}

impl PartialEq for Table {
    /// Compares schemas and rows; the division into batches does not matter.
    fn eq(&self, other: &Self) -> bool {
        self.schema.fields() == other.schema.fields()
            && self.num_rows() == other.num_rows()
            && matches!((self.to_batch(), other.to_batch()), (Ok(a), Ok(b)) if a.columns() == b.columns())
    }
}

impl From<RecordBatch> for Table {
    fn from(batch: RecordBatch) -> Self {
        Self {
            schema: batch.schema(),
            batches: vec![batch],
        }
    }
}

/// Returns the columns in the form that is recorded with a materialization.
pub(crate) fn to_table_schema(schema: &Schema) -> TableSchema {
    let columns = schema
        .fields()
        .iter()
        .map(|field| TableColumn {
            name: field.name().clone(),
            data_type: field.data_type().to_string(),
            nullable: field.is_nullable(),
            description: field.metadata().get("description").cloned(),
        })
        .collect();
    TableSchema { columns }
}

/// Lists every column as `name: Type`.
pub(crate) fn describe_columns(schema: &Schema) -> String {
    let columns: Vec<String> = schema
        .fields()
        .iter()
        .map(|field| format!("{}: {}", field.name(), field.data_type()))
        .collect();
    columns.join(", ")
}
