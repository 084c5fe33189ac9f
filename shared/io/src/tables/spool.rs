//! [`Spool`]: rows that wait on the disk.

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

/// Rows that are put down on the disk batch by batch, and then taken from there: a partition that need not
/// fit into memory, whose every row is there before a database is told of the first. So nobody waits for a
/// database because somebody's rows take their time, and rows that end with an error never reach it.
///
/// Its file has no name, and is gone with the process.
///
/// ```
/// use precip_io::{Table, tables::Spool};
///
/// let rows = Table::from_rows(&[1_i64, 2, 3])?;
/// let mut spool = Spool::below(&std::env::temp_dir(), rows.schema().clone())?;
/// spool.push(&rows.to_batch()?)?;
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
    /// Begins, with a file on the disk of a folder.
    ///
    /// # Errors
    /// When there can be no file.
    pub fn below(folder: &Path, schema: SchemaRef) -> Result<Self, ArrowError> {
        let file = BufWriter::new(tempfile::tempfile_in(folder)?);
        Ok(Self {
            file: StreamWriter::try_new(file, &schema)?,
            schema,
            rows: 0,
        })
    }

    /// Puts some rows behind the others.
    ///
    /// # Errors
    /// [`ArrowError::SchemaError`] when they have other columns; or that they cannot be written.
    pub fn push(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        Table::new(Arc::clone(&self.schema), vec![batch.clone()])?;
        self.rows += batch.num_rows();
        self.file.write(batch)
    }

    /// All rows of a query.
    ///
    /// # Errors
    /// What the query ended with, or that its rows cannot be put down.
    pub fn all<E: From<ArrowError>>(
        batches: impl IntoIterator<Item = Result<RecordBatch, E>>,
        schema: SchemaRef,
        folder: &Path,
    ) -> Result<Spooled, E> {
        let mut spool = Self::below(folder, schema)?;
        for batch in batches {
            spool.push(&batch?)?;
        }
        Ok(spool.finish()?)
    }

    /// All rows of a stream.
    ///
    /// # Errors
    /// What making a batch answered, or that it cannot be put down.
    pub async fn of(mut stream: TableStream, folder: &Path) -> Result<Spooled, AssetError> {
        let (folder, schema) = (folder.to_owned(), Arc::clone(stream.schema()));
        let mut spool = blocking(move || Self::below(&folder, schema)).await??;
        while let Some(batch) = stream.next().await {
            let batch = batch?;
            spool = blocking(move || spool.push(&batch).map(|()| spool)).await??;
        }
        Ok(blocking(move || spool.finish()).await??)
    }

    /// Ends, and begins to take the rows.
    ///
    /// # Errors
    /// When they cannot be written, or read.
    pub fn finish(self) -> Result<Spooled, ArrowError> {
        let written = self.file.into_inner()?;
        let mut file = written
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        Ok(Spooled {
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

/// The rows of a [`Spool`], batch by batch.
pub struct Spooled {
    rows: usize,
    file: StreamReader<BufReader<File>>,
}

impl Spooled {
    /// The columns' names and types.
    pub fn schema(&self) -> SchemaRef {
        self.file.schema()
    }

    /// How many rows there are in all.
    pub fn num_rows(&self) -> usize {
        self.rows
    }

    /// The rows as they are loaded.
    pub fn into_stream(self) -> TableStream {
        let schema = self.schema();
        let batches = stream::try_unfold(self, |mut rest| async {
            let next = move || rest.next().transpose().map(|batch| (batch, rest));
            let (batch, rest) = blocking(next).await??;
            Ok::<_, AssetError>(batch.map(|batch| (batch, rest)))
        });
        TableStream::new(schema, batches)
    }
}

impl fmt::Debug for Spooled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spooled")
            .field("schema", &self.schema())
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}

impl Iterator for Spooled {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.file.next()
    }
}

/// Does something with the disk on a thread that may wait.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, AssetError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(AssetError::from_boxed)
}
