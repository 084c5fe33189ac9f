//! Parquet files that are written and read batch by batch.

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

/// How much of a file is sent at once. S3 takes parts of 5 MiB and more.
const PART: usize = 8 * 1024 * 1024;
/// Rows of a batch when reading.
const ROWS_PER_BATCH: usize = 16 * 1024;

/// Why a stream could not be stored.
#[derive(Debug, thiserror::Error)]
pub(super) enum StreamError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] object_store::Error),
    /// The batches ended with an error.
    #[error("its rows could not be made: {0}")]
    Rows(AssetError),
    /// A batch cannot be written.
    #[error(transparent)]
    Parquet(#[from] ParquetError),
}

/// What was written.
pub(super) struct Written {
    pub(super) rows: usize,
    pub(super) bytes: usize,
}

/// Writes a file, which is there once all of it is.
pub(super) async fn write(
    store: &dyn ObjectStore,
    path: &Path,
    mut rows: TableStream,
    options: &ParquetOptions,
) -> Result<Written, StreamError> {
    let mut upload = store.put_multipart(path).await?;
    let written = async {
        let properties = options.streamed_properties()?;
        let mut writer =
            ArrowWriter::try_new(Vec::new(), Arc::clone(rows.schema()), Some(properties))?;
        let mut written = Written { rows: 0, bytes: 0 };
        while let Some(batch) = rows.next().await {
            let batch = batch.map_err(StreamError::Rows)?;
            written.rows += batch.num_rows();
            writer.write(&batch)?;
            writer.sync().map_err(ParquetError::from)?;
            if writer.inner().len() >= PART {
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
            // What was sent is of no use; a store that keeps it says so by its own rules.
            let _ = upload.abort().await;
            Err(error)
        }
    }
}

/// A file of a store, read piece by piece.
struct File {
    store: Arc<dyn ObjectStore>,
    path: Path,
    size: u64,
}

impl AsyncFileReader for File {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes, ParquetError>> {
        let bytes = async move { self.store.get_range(&self.path, range).await };
        bytes.map(|bytes| bytes.map_err(external)).boxed()
    }

    fn get_byte_ranges(
        &mut self,
        ranges: Vec<Range<u64>>,
    ) -> BoxFuture<'_, Result<Vec<Bytes>, ParquetError>> {
        let bytes = async move { self.store.get_ranges(&self.path, &ranges).await };
        bytes.map(|bytes| bytes.map_err(external)).boxed()
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

fn external(error: object_store::Error) -> ParquetError {
    ParquetError::External(Box::new(error))
}

/// Reads a file of so many bytes, batch by batch.
pub(super) async fn read(
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
    let roots = fields.filter(|(_, field)| request.wants(field.name()));
    let roots: Vec<usize> = roots.map(|(root, _)| root).collect();
    let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
    let batches = builder
        .with_projection(mask)
        .with_batch_size(ROWS_PER_BATCH)
        .build()?;
    let schema = Arc::clone(batches.schema());
    let batches = batches.map(|batch| batch.map_err(AssetError::from_boxed));
    Ok(TableStream::new(schema, batches))
}
