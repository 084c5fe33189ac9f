//! Parquet files written and read batch by batch.

use std::{ops::Range, sync::Arc};

use bytes::Bytes;
use futures::{FutureExt, StreamExt, future::BoxFuture};
use object_store::{ObjectStore, ObjectStoreExt, path::Path};
use parquet::{
    arrow::{
        ArrowWriter, ProjectionMask,
        arrow_reader::ArrowReaderOptions,
        async_reader::{AsyncFileReader, ParquetRecordBatchStreamBuilder},
    },
    errors::ParquetError,
    file::metadata::ParquetMetaData,
};
use precip_engine::{asset::AssetError, io::LoadRequest};

use crate::{
    ParquetOptions, TableStream,
    format::{
        checksums::{CheckedMetadata, ChunkSums, DamagedFile, footer_length, seal_footer},
        parquet::finish_file,
    },
};

/// Size of an uploaded part, in bytes. S3 requires 5 MiB at least.
const PART_BYTES: usize = 8 * 1024 * 1024;
/// Number of rows in a batch when reading.
const ROWS_PER_BATCH: usize = 16 * 1024;

/// A failure to store a stream.
#[derive(Debug, thiserror::Error)]
pub(super) enum StreamError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] object_store::Error),
    /// The stream ended with an error.
    #[error("its rows could not be produced: {0}")]
    Rows(AssetError),
    /// A batch cannot be written.
    #[error(transparent)]
    Parquet(#[from] ParquetError),
}

/// The size of a written file.
pub(super) struct WriteStats {
    pub(super) rows: usize,
    pub(super) bytes: usize,
}

/// Writes a file, which becomes visible when it is complete.
pub(super) async fn write_file(
    store: &dyn ObjectStore,
    path: &Path,
    mut rows: TableStream,
    options: &ParquetOptions,
) -> Result<WriteStats, StreamError> {
    let mut upload = store.put_multipart(path).await?;
    // In a block of its own, so that every error aborts the upload.
    let written = async {
        let properties = options.streamed_properties()?;
        let mut writer =
            ArrowWriter::try_new(Vec::new(), Arc::clone(rows.schema()), Some(properties))?;
        let mut written = WriteStats { rows: 0, bytes: 0 };
        let mut sums = ChunkSums::default();
        while let Some(batch) = rows.next().await {
            let batch = batch.map_err(StreamError::Rows)?;
            written.rows += batch.num_rows();
            writer.write(&batch)?;
            // Flushes the encoded pages to the buffer, so that its length is known.
            writer.sync().map_err(ParquetError::from)?;
            // Before a part is taken away, so that the chunks of every finished group are in the buffer.
            let offset = written.bytes as u64;
            sums.add_groups(writer.flushed_row_groups(), writer.inner(), offset);
            if writer.inner().len() >= PART_BYTES {
                let part = std::mem::take(writer.inner_mut());
                written.bytes += part.len();
                upload.put_part(part.into()).await?;
            }
        }
        let mut rest = finish_file(writer, sums, written.bytes as u64)?;
        seal_footer(&mut rest)?;
        written.bytes += rest.len();
        upload.put_part(rest.into()).await?;
        Ok(written)
    };
    match written.await {
        Ok(written) => {
            upload.complete().await?;
            Ok(written)
        }
        Err(error) => {
            // The sent parts are useless now. If aborting fails, the rules of the store remove them.
            let _ = upload.abort().await;
            Err(error)
        }
    }
}

/// Number of bytes at the end of a file that usually contain the footer.
const FOOTER_BYTES: u64 = 64 * 1024;

/// A failure to read a file of a store.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    /// The content is not what was written.
    #[error(transparent)]
    Damaged(#[from] DamagedFile),
    /// The store failed, or the content cannot be decoded.
    #[error(transparent)]
    Parquet(#[from] ParquetError),
}

/// A file of a store, read in ranges, each of which is checked.
struct File {
    store: Arc<dyn ObjectStore>,
    path: Path,
    checked: Arc<CheckedMetadata>,
    /// Converts damage into the error to report.
    report: Arc<ReportDamage>,
}

/// A function that adds the name of a file to its damage.
pub(super) type ReportDamage =
    dyn Fn(DamagedFile) -> Box<dyn std::error::Error + Send + Sync> + Send + Sync;

impl File {
    fn check_range(&self, range: &Range<u64>, content: &Bytes) -> Result<(), ParquetError> {
        let checked = self.checked.check_range(range, content);
        checked.map_err(|damage| ParquetError::External((self.report)(damage)))
    }
}

/// Reads and checks the footer of a file of `size` bytes.
async fn read_footer(
    store: &dyn ObjectStore,
    path: &Path,
    size: u64,
) -> Result<CheckedMetadata, ReadError> {
    let cut_off = || DamagedFile("it is cut off".to_owned());
    let last = |bytes: u64| {
        let range = size.saturating_sub(bytes)..size;
        async { store.get_range(path, range).await.map_err(external_error) }
    };
    if size == 0 {
        return Err(cut_off().into());
    }
    let mut end = last(FOOTER_BYTES).await?;
    let length = footer_length(&end)?;
    if length as u64 > size {
        return Err(cut_off().into());
    }
    if length > end.len() {
        end = last(length as u64).await?;
    }
    let start = end.len().checked_sub(length).ok_or_else(cut_off)?;
    Ok(CheckedMetadata::decode(&end[start..])?)
}

impl AsyncFileReader for File {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes, ParquetError>> {
        async move {
            let content = self.store.get_range(&self.path, range.clone()).await;
            let content = content.map_err(external_error)?;
            self.check_range(&range, &content)?;
            Ok(content)
        }
        .boxed()
    }

    fn get_byte_ranges(
        &mut self,
        ranges: Vec<Range<u64>>,
    ) -> BoxFuture<'_, Result<Vec<Bytes>, ParquetError>> {
        async move {
            let contents = self.store.get_ranges(&self.path, &ranges).await;
            let contents = contents.map_err(external_error)?;
            for (range, content) in ranges.iter().zip(&contents) {
                self.check_range(range, content)?;
            }
            Ok(contents)
        }
        .boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        _: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, Result<Arc<ParquetMetaData>, ParquetError>> {
        let metadata = Arc::new(self.checked.metadata.clone());
        async { Ok(metadata) }.boxed()
    }
}

fn external_error(error: object_store::Error) -> ParquetError {
    ParquetError::External(Box::new(error))
}

/// Reads a file of `size` bytes, batch by batch.
pub(super) async fn read_file(
    store: &Arc<dyn ObjectStore>,
    path: &Path,
    size: u64,
    request: &LoadRequest,
    report: Arc<ReportDamage>,
) -> Result<TableStream, ReadError> {
    let checked = read_footer(store.as_ref(), path, size).await?;
    let reader = File {
        store: Arc::clone(store),
        path: path.clone(),
        checked: Arc::new(checked),
        report,
    };
    let builder = ParquetRecordBatchStreamBuilder::new(reader).await?;
    let fields = builder.schema().fields().iter().enumerate();
    let roots: Vec<usize> = fields
        .filter(|(_, field)| request.wants(field.name()))
        .map(|(root, _)| root)
        .collect();
    let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
    let batches = builder
        .with_projection(mask)
        .with_batch_size(ROWS_PER_BATCH)
        .build()?;
    let schema = Arc::clone(batches.schema());
    let batches = batches.map(|batch| {
        batch.map_err(|error| match error {
            // The report of damage says everything itself.
            ParquetError::External(error) => AssetError::from_boxed(error),
            error => AssetError::from_boxed(error),
        })
    });
    Ok(TableStream::new(schema, batches))
}
