//! [`TableAppender`]: appending rows to a table in little memory.

use duckdb::{
    Appender,
    arrow::array::{Array, RecordBatch},
};

use crate::error::DuckDbError;

/// Number of appended bytes after which rows are flushed.
///
/// DuckDB's appender flushes after 204,800 rows, of whatever size, and its buffer is not part of the memory limit of
/// DuckDB. Ordinary rows stay below this limit and are flushed by the appender itself, since more flushes take more
/// time.
const FLUSH_BYTES: usize = 64 * 1024 * 1024;

/// Appends batches to a table, and flushes before they take much memory.
pub(crate) struct TableAppender<'a> {
    appender: Appender<'a>,
    /// Bytes appended since the last flush.
    buffered: usize,
}

impl<'a> TableAppender<'a> {
    pub(crate) fn new(appender: Appender<'a>) -> Self {
        Self {
            appender,
            buffered: 0,
        }
    }

    /// Appends a batch.
    pub(crate) fn append_batch(&mut self, batch: RecordBatch) -> Result<(), DuckDbError> {
        for column in batch.columns() {
            self.buffered += column.to_data().get_slice_memory_size()?;
        }
        self.appender.append_record_batch(batch)?;
        if self.buffered >= FLUSH_BYTES {
            self.appender.flush()?;
            self.buffered = 0;
        }
        Ok(())
    }

    /// Flushes the remaining rows. Dropping the appender instead would lose the error.
    pub(crate) fn finish(mut self) -> Result<(), DuckDbError> {
        Ok(self.appender.flush()?)
    }
}
