//! [`ObjectStoreIoManager`].

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::TryStreamExt;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt, path::Path};
use precip_core::key::AssetKey;
use precip_engine::{
    asset::AssetValue,
    io::{Address, IoError, IoManager, LoadRequest, Stored, StoredAttempt},
};

use super::{
    HiveLayout, InvalidLocation,
    error::failed,
    given::{facts, facts_of_rows, known, unmade, whole},
    gzip, layout,
    local_files::LocalFiles,
    location,
    replace::Replace,
    streamed::{self, StreamError},
};
use crate::{
    ParquetOptions, Table, TableFormat, TableStream, Value, format::FormatError,
    table::to_table_schema, tables::whose,
};

/// Keeps data as files in a folder or a bucket: a file for each attempt at each partition.
///
/// Tables are written in one [`TableFormat`]; JSON, text and bytes as `.json`, `.txt` and `.bin`
/// files. A file becomes visible as a whole, and is never changed afterwards. Pointers are paths
/// within the location, so that a folder can be moved.
///
/// ```
/// use precip_io::{ObjectStoreIoManager, TableFormat};
///
/// let parquet = ObjectStoreIoManager::open("memory:")?;
/// let csv = ObjectStoreIoManager::open("memory:")?.with_format(TableFormat::Csv).with_gzip(true);
/// # Ok::<(), precip_io::InvalidLocation>(())
/// ```
#[derive(Debug, Clone)]
pub struct ObjectStoreIoManager {
    store: Arc<dyn ObjectStore>,
    folder: Path,
    /// The files of this machine, which have to be made durable.
    files: Option<LocalFiles>,
    location: String,
    format: TableFormat,
    gzip: bool,
    parquet: ParquetOptions,
    hive: Option<HiveLayout>,
}

impl ObjectStoreIoManager {
    /// Opens a folder (`data`, `file:///srv/data`), a bucket (`s3://bucket/folder`, with the feature
    /// `s3` and the usual AWS environment variables) or a store that is gone with the process
    /// (`memory:`). Tables are Parquet files. A folder is created if it is not there.
    ///
    /// # Errors
    /// [`InvalidLocation`] when the location names no store, or its folder cannot be created.
    pub fn open(location: &str) -> Result<Self, InvalidLocation> {
        let opened = location::open(location)?;
        Ok(Self {
            files: opened.files,
            ..Self::new(opened.store, opened.folder, location)
        })
    }

    /// Uses a folder of any object store whose writes are durable once they are answered. The location
    /// is what messages call it.
    pub fn new(store: Arc<dyn ObjectStore>, folder: Path, location: impl Into<String>) -> Self {
        Self {
            store,
            folder,
            files: None,
            location: location.into(),
            format: TableFormat::Parquet,
            gzip: false,
            parquet: ParquetOptions::new(),
            hive: None,
        }
    }

    /// Writes tables in another format. Files that are there in any format can still be loaded.
    #[must_use]
    pub fn with_format(self, format: TableFormat) -> Self {
        Self { format, ..self }
    }

    /// Compresses every file that does not compress itself, which is all but Parquet.
    #[must_use]
    pub fn with_gzip(self, gzip: bool) -> Self {
        Self { gzip, ..self }
    }

    /// Writes Parquet files with other options.
    #[must_use]
    pub fn with_parquet(self, parquet: ParquetOptions) -> Self {
        Self { parquet, ..self }
    }

    /// Lays tables out for query engines: one Parquet file a partition, in a folder that says which, and
    /// replaced by newer attempts. [`HiveLayout`] says what that costs. What is no table is kept as it
    /// always is.
    #[must_use]
    pub fn with_hive_layout(self, layout: HiveLayout) -> Self {
        let hive = Some(layout);
        Self { hive, ..self }
    }

    /// Puts a table where query engines look for it.
    async fn replace(
        &self,
        address: &Address,
        table: &Table,
        hive: &HiveLayout,
    ) -> Result<(String, usize), IoError> {
        let unsupported = |message: String| IoError::Unsupported {
            message: format!("{}: {message}", whose(address)),
        };
        if self.format != TableFormat::Parquet {
            return Err(unsupported(format!(
                "the Hive layout holds Parquet files, not `.{}`; leave `with_format` out",
                self.format.extension()
            )));
        }
        let pointer = hive.path(address).map_err(unsupported)?;
        let replace = Replace {
            store: &self.store,
            files: self.files.as_ref(),
            path: self.locate(&pointer)?,
        };
        let bytes = replace
            .encode(address, table, &self.parquet)
            .map_err(|error| refused(address, "encode it", error))?;
        let size = bytes.len();
        replace
            .put(address, bytes)
            .await
            .map_err(|error| failed(&format!("store `{pointer}`"), &self.location, error))?;
        Ok((pointer, size))
    }

    /// Writes a Parquet file batch by batch.
    async fn store_stream(&self, address: &Address, rows: TableStream) -> Result<Stored, IoError> {
        let pointer = layout::path(address, TableFormat::Parquet.extension());
        let path = self.locate(&pointer)?;
        let columns = to_table_schema(rows.schema());
        let written = streamed::write(self.store.as_ref(), &path, rows, &self.parquet).await;
        let written = written.map_err(|error| match error {
            StreamError::Store(error) => {
                failed(&format!("store `{pointer}`"), &self.location, error)
            }
            other => unmade(address, other),
        })?;
        let mut metadata = facts_of_rows(written.rows, columns);
        metadata.insert("bytes".to_owned(), written.bytes.into());
        Ok(Stored { pointer, metadata })
    }

    fn encode(&self, value: &Value) -> Result<(String, Vec<u8>), FormatError> {
        let (extension, content) = match value {
            Value::Table(table) => (
                self.format.extension(),
                self.format.encode(table, &self.parquet)?,
            ),
            Value::Json(json) => ("json", json.to_string().into_bytes()),
            Value::Text(text) => ("txt", text.clone().into_bytes()),
            Value::Bytes(bytes) => ("bin", bytes.to_vec()),
        };
        if self.gzip && extension != TableFormat::Parquet.extension() {
            let file = gzip::compress(&content).map_err(arrow_schema::ArrowError::from)?;
            Ok((format!("{extension}{}", gzip::EXTENSION), file))
        } else {
            Ok((extension.to_owned(), content))
        }
    }

    /// The path of a pointer, which must be one that this manager could have given.
    fn locate(&self, pointer: &str) -> Result<Path, IoError> {
        let foreign = || IoError::Unsupported {
            message: format!(
                "`{pointer}` is no path within `{}`: it was stored by another IO manager",
                self.location
            ),
        };
        // Parsing refuses `..` and empty names.
        let within = Path::parse(pointer).map_err(|_| foreign())?;
        if within.as_ref() != pointer || pointer.is_empty() {
            return Err(foreign());
        }
        Ok(self.folder.clone().join_path(&within))
    }
}

/// Joins two paths name by name, without escaping either again.
trait JoinPath {
    fn join_path(self, more: &Path) -> Path;
}

impl JoinPath for Path {
    fn join_path(self, more: &Path) -> Path {
        if self.as_ref().is_empty() {
            return more.clone();
        }
        self.parts().chain(more.parts()).collect()
    }
}

fn decode(pointer: &str, file: Bytes, request: &LoadRequest) -> Result<Value, FormatError> {
    let (name, file) = match pointer.strip_suffix(gzip::EXTENSION) {
        None => (pointer, file),
        Some(name) => {
            let content = gzip::decompress(&file).map_err(arrow_schema::ArrowError::from)?;
            (name, Bytes::from(content))
        }
    };
    let damaged = |error: &dyn std::fmt::Display| {
        FormatError::Damaged(arrow_schema::ArrowError::ParseError(error.to_string()))
    };
    let extension = name.rsplit('.').next().unwrap_or_default();
    match extension {
        "json" => serde_json::from_slice(&file)
            .map(Value::Json)
            .map_err(|error| damaged(&error)),
        "txt" => String::from_utf8(file.into())
            .map(Value::Text)
            .map_err(|error| damaged(&error)),
        "bin" => Ok(Value::Bytes(file)),
        extension => match TableFormat::from_extension(extension) {
            Some(format) => format.decode(file, request).map(Value::Table),
            None => Err(FormatError::Unsupported(format!(
                "`.{extension}` files were not written by this IO manager"
            ))),
        },
    }
}

fn refused(address: &Address, doing: &str, error: FormatError) -> IoError {
    match error {
        FormatError::Unsupported(message) => IoError::Unsupported {
            message: format!("{}: {message}", whose(address)),
        },
        FormatError::Damaged(source) => IoError::Failed {
            message: format!("{}: failed to {doing}", whose(address)),
            source: Box::new(source),
        },
    }
}

#[async_trait]
impl IoManager for ObjectStoreIoManager {
    async fn store(&self, address: &Address, value: AssetValue) -> Result<Stored, IoError> {
        let value = match value.downcast::<TableStream>() {
            Ok(rows) if self.format == TableFormat::Parquet && self.hive.is_none() => {
                return self.store_stream(address, rows).await;
            }
            Ok(rows) => whole(address, AssetValue::new(rows)).await?,
            Err(value) => known(address, value)?,
        };
        if let (Some(hive), Value::Table(table)) = (&self.hive, &value) {
            let (pointer, size) = self.replace(address, table, hive).await?;
            let metadata = facts(&value, Some(size));
            return Ok(Stored { pointer, metadata });
        }
        let (extension, file) = self
            .encode(&value)
            .map_err(|error| refused(address, "encode it", error))?;
        let pointer = layout::path(address, &extension);
        let path = self.locate(&pointer)?;
        let metadata = facts(&value, Some(file.len()));
        self.store
            .put(&path, file.into())
            .await
            .map_err(|error| failed(&format!("store `{pointer}`"), &self.location, error))?;
        Ok(Stored { pointer, metadata })
    }

    async fn make_durable(&self, pointers: &[String]) -> Result<(), IoError> {
        let Some(files) = &self.files else {
            return Ok(());
        };
        let paths: Vec<Path> = pointers
            .iter()
            .map(|pointer| self.locate(pointer))
            .collect::<Result<_, _>>()?;
        let doing = "make sure of what was stored";
        let made = files.make_durable(&paths).await;
        made.map_err(|error| failed(doing, &self.location, error))
    }

    async fn load(
        &self,
        address: &Address,
        pointer: &str,
        request: &LoadRequest,
    ) -> Result<AssetValue, IoError> {
        let path = self.locate(pointer)?;
        let fail = |error| match failed(&format!("load `{pointer}`"), &self.location, error) {
            IoError::NotFound { .. } => IoError::NotFound {
                pointer: pointer.to_owned(),
            },
            other => other,
        };
        if request.streamed && pointer.ends_with(".parquet") {
            // Asked first, so that what is not there is told from what cannot be read.
            let size = self.store.head(&path).await.map_err(fail)?.size;
            let rows = streamed::read(&self.store, &path, size, request).await;
            let rows =
                rows.map_err(|error| refused(address, &format!("read `{pointer}`"), error.into()))?;
            return Ok(AssetValue::new(rows));
        }
        let file = self.store.get(&path).await.map_err(fail)?;
        let file = file.bytes().await.map_err(fail)?;
        decode(pointer, file, request)
            .map(AssetValue::from)
            .map_err(|error| refused(address, &format!("read `{pointer}`"), error))
    }

    async fn remove(&self, pointer: &str) -> Result<(), IoError> {
        let path = self.locate(pointer)?;
        match self.store.delete(&path).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed(
                &format!("remove `{pointer}`"),
                &self.location,
                error,
            )),
        }
    }

    async fn list(&self, asset: &AssetKey) -> Result<Vec<StoredAttempt>, IoError> {
        let folder = self.locate(asset.as_str())?;
        let files: Vec<_> = self
            .store
            .list(Some(&folder))
            .try_collect()
            .await
            .map_err(|error| failed(&format!("list `{asset}`"), &self.location, error))?;
        let skip = match self.folder.as_ref() {
            "" => 0,
            folder => folder.len() + 1,
        };
        let attempt = |file: ObjectMeta| {
            let pointer = &file.location.as_ref()[skip..];
            Some(StoredAttempt {
                pointer: pointer.to_owned(),
                address: layout::parse(asset, pointer)?,
                bytes: file.size,
                written: file.last_modified,
            })
        };
        Ok(files.into_iter().filter_map(attempt).collect())
    }
}

#[cfg(test)]
mod tests;
