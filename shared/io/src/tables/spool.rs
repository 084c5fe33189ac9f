//! [`Spool`]: rows in a temporary file.

use std::{
    fmt,
    fs::File,
    io::{self, BufReader, BufWriter, Seek},
    path::Path,
    sync::Arc,
};

use arrow_array::RecordBatch;
use arrow_ipc::{reader::StreamReader, writer::StreamWriter};
use arrow_schema::{ArrowError, SchemaRef};
use futures::stream;
use precip_engine::asset::AssetError;

use crate::{Table, TableStream};

/// A temporary file for rows that need not fit into memory.
///
/// All rows of a partition are written to the spool before the first reaches the database. So slow rows never hold a
/// lock of the database, and rows that end with an error never reach it.
///
/// The file has no name; the system removes it with the process.
///
/// ```
/// use precip_io::{Table, tables::Spool};
///
/// let rows = Table::from_rows(&[1_i64, 2, 3])?;
/// let mut spool = Spool::create_in(&std::env::temp_dir(), rows.schema().clone())?;
/// spool.push_batch(&rows.to_batch()?)?;
/// let spooled = spool.finish()?;
/// assert_eq!(spooled.num_rows(), 3);
/// let batches = spooled.collect::<Result<_, _>>()?;
/// assert_eq!(Table::new(rows.schema().clone(), batches)?, rows);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Spool {
    schema: SchemaRef,
    file: StreamWriter<BufWriter<File>>,
    rows: usize,
}

impl Spool {
    /// Creates a spool whose file is on the disk of a folder.
    ///
    /// # Errors
    /// When the file cannot be created.
    pub fn create_in(folder: &Path, schema: SchemaRef) -> Result<Self, ArrowError> {
        let file = BufWriter::new(tempfile::tempfile_in(folder)?);
        Ok(Self {
            file: StreamWriter::try_new(file, &schema)?,
            schema,
            rows: 0,
        })
    }

    /// Appends a batch.
    ///
    /// # Errors
    /// [`ArrowError::SchemaError`] when the batch has other columns, or another error when writing failed.
    pub fn push_batch(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        // Checks the columns of the batch.
        Table::new(Arc::clone(&self.schema), vec![batch.clone()])?;
        self.rows += batch.num_rows();
        self.file.write(batch)
    }

    /// Spools all rows of a query.
    ///
    /// # Errors
    /// The error that the query ended with, or that writing failed.
    pub fn from_batches<E: From<ArrowError>>(
        batches: impl IntoIterator<Item = Result<RecordBatch, E>>,
        schema: SchemaRef,
        folder: &Path,
    ) -> Result<SpooledRows, E> {
        let mut spool = Self::create_in(folder, schema)?;
        for batch in batches {
            spool.push_batch(&batch?)?;
        }
        Ok(spool.finish()?)
    }

    /// Spools all rows of a stream.
    ///
    /// # Errors
    /// The error that the stream ended with, or that writing failed.
    pub async fn from_stream(
        mut stream: TableStream,
        folder: &Path,
    ) -> Result<SpooledRows, AssetError> {
        let (folder, schema) = (folder.to_owned(), Arc::clone(stream.schema()));
        let mut spool = run_blocking(move || Self::create_in(&folder, schema)).await??;
        while let Some(batch) = stream.next().await {
            let batch = batch?;
            // The spool moves to the blocking thread and back.
            spool = run_blocking(move || spool.push_batch(&batch).map(|()| spool)).await??;
        }
        Ok(run_blocking(move || spool.finish()).await??)
    }

    /// Finishes writing, and returns the rows for reading.
    ///
    /// # Errors
    /// When the file cannot be written or read.
    pub fn finish(self) -> Result<SpooledRows, ArrowError> {
        let written = self.file.into_inner()?;
        // The same file is read from its beginning.
        let mut file = written
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        Ok(SpooledRows {
            rows: self.rows,
            file: StreamReader::try_new(BufReader::new(file), None)?,
        })
    }
}

impl fmt::Debug for Spool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spool")
            .field("schema", &self.schema)
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}

/// The rows of a finished [`Spool`], batch by batch.
pub struct SpooledRows {
    rows: usize,
    file: StreamReader<BufReader<File>>,
}

impl SpooledRows {
    /// Returns the names and types of the columns.
    pub fn schema(&self) -> SchemaRef {
        self.file.schema()
    }

    /// Returns the total number of rows.
    pub fn num_rows(&self) -> usize {
        self.rows
    }

    /// Converts the rows into a stream.
    pub fn into_stream(self) -> TableStream {
        let schema = self.schema();
        let batches = stream::try_unfold(self, |mut rest| async {
            let next = move || rest.next().transpose().map(|batch| (batch, rest));
            let (batch, rest) = run_blocking(next).await??;
            Ok::<_, AssetError>(batch.map(|batch| (batch, rest)))
        });
        TableStream::new(schema, batches)
    }
}

impl fmt::Debug for SpooledRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpooledRows")
            .field("schema", &self.schema())
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}

impl Iterator for SpooledRows {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.file.next()
    }
}

/// Runs disk work on a thread that may block.
async fn run_blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, AssetError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(AssetError::from_boxed)
}
