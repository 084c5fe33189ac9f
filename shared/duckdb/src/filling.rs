//! [`Filling`]: rows on their way into a table.

use duckdb::{
    Appender,
    arrow::array::{Array, RecordBatch},
};

use crate::error::Failed;

/// How much is handed on at once. DuckDB's appender hands on 204,800 rows, and holds them beside the memory that
/// DuckDB was given, however large they are; rows of ordinary size come to less, and are left to it, since more
/// turns take more time.
const MOST: usize = 64 * 1024 * 1024;

/// Appends to a table, and holds little of it.
pub(crate) struct Filling<'a> {
    appender: Appender<'a>,
    held: usize,
}

impl<'a> Filling<'a> {
    pub(crate) fn of(appender: Appender<'a>) -> Self {
        Self { appender, held: 0 }
    }

    pub(crate) fn push(&mut self, batch: RecordBatch) -> Result<(), Failed> {
        for column in batch.columns() {
            self.held += column.to_data().get_slice_memory_size()?;
        }
        self.appender.append_record_batch(batch)?;
        if self.held >= MOST {
            self.appender.flush()?;
            self.held = 0;
        }
        Ok(())
    }

    /// Without it, who is dropped says nothing of what went wrong.
    pub(crate) fn finish(mut self) -> Result<(), Failed> {
        Ok(self.appender.flush()?)
    }
}
