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
    file::metadata::{ParquetMetaData, ParquetMetaDataReader},
};
use precip_engine::{asset::AssetError, io::LoadRequest};

use crate::{ParquetOptions, TableStream};

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
        while let Some(batch) = rows.next().await {
            let batch = batch.map_err(StreamError::Rows)?;
            written.rows += batch.num_rows();
            writer.write(&batch)?;
            // Flushes the encoded pages to the buffer, so that its length is known.
            writer.sync().map_err(ParquetError::from)?;
            if writer.inner().len() >= PART_BYTES {
                let part = std::mem::take(writer.inner_mut());
                written.bytes += part.len();
                upload.put_part(part.into()).await?;
            }
        }
        let rest = writer.into_inner()?;
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

/// A file of a store, read in ranges.
struct File {
    store: Arc<dyn ObjectStore>,
    path: Path,
    size: u64,
}

impl AsyncFileReader for File {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes, ParquetError>> {
        let bytes = async move { self.store.get_range(&self.path, range).await };
        bytes.map(|bytes| bytes.map_err(external_error)).boxed()
    }

    fn get_byte_ranges(
        &mut self,
        ranges: Vec<Range<u64>>,
    ) -> BoxFuture<'_, Result<Vec<Bytes>, ParquetError>> {
        let bytes = async move { self.store.get_ranges(&self.path, &ranges).await };
        bytes.map(|bytes| bytes.map_err(external_error)).boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        _: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, Result<Arc<ParquetMetaData>, ParquetError>> {
        async move {
            let size = self.size;
            let reader = ParquetMetaDataReader::new();
            reader.load_and_finish(self, size).await.map(Arc::new)
        }
        .boxed()
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
) -> Result<TableStream, ParquetError> {
    let reader = File {
        store: Arc::clone(store),
        path: path.clone(),
        size,
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
    let batches = batches.map(|batch| batch.map_err(AssetError::from_boxed));
    Ok(TableStream::new(schema, batches))
}
