//! [`ObjectStoreIoManager`].

use std::{io, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use futures::TryStreamExt;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt, path::Path};
use precip_core::{key::AssetKey, prose::shell_word};
use precip_engine::{
    asset::AssetValue,
    io::{Address, IoError, IoManager, LoadRequest, Stored, StoredAttempt},
};

use super::{
    HiveLayout, InvalidLocation,
    error::store_error,
    gzip, layout,
    local_files::{LocalFiles, generic_error},
    location,
    replace::ReplaceableFile,
    staged::{list_staged, remove_staged, split_staged},
    streamed::{self, ReadError, StreamError},
    values::{builtin_value, collect_value, rows_error, table_metadata, value_metadata},
};
use crate::{
    ParquetOptions, Table, TableFormat, TableStream, Value,
    format::{FormatError, checksums::DamagedFile},
    table::to_table_schema,
    tables::describe_address,
};

/// Keeps data as files in a folder or a bucket, with a file for each attempt at each partition.
///
/// Tables are written in one [`TableFormat`]; JSON, text and bytes as `.json`, `.txt` and `.bin`
/// files. A file becomes visible as a whole and never changes afterwards. Pointers are paths within the
/// location, so a folder can be moved.
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
    /// The local files of the store, which need a sync to be durable.
    files: Option<LocalFiles>,
    location: String,
    format: TableFormat,
    gzip: bool,
    parquet: ParquetOptions,
    hive: Option<HiveLayout>,
}

impl ObjectStoreIoManager {
    /// Opens a folder (`data`, `file:///srv/data`), a bucket (`s3://bucket/folder`, with the feature
    /// `s3` and the usual AWS environment variables) or a store in the memory of the process (`memory:`).
    /// Tables are Parquet files. A missing folder is created.
    ///
    /// # Errors
    /// [`InvalidLocation`] when the location names no store, or its folder cannot be created.
    pub fn open(location: &str) -> Result<Self, InvalidLocation> {
        let opened = location::open_location(location)?;
        Ok(Self {
            files: opened.files,
            ..Self::new(opened.store, opened.folder, location)
        })
    }

    /// Opens a folder of this machine whose files only their owner can read. A missing folder is created.
    ///
    /// # Errors
    /// [`InvalidLocation`] when the folder cannot be created.
    pub fn open_private_folder(folder: &std::path::Path) -> Result<Self, InvalidLocation> {
        let location = folder.display().to_string();
        let opened = location::open_private_folder(folder, &location)?;
        Ok(Self {
            files: opened.files,
            ..Self::new(opened.store, opened.folder, location)
        })
    }

    /// Uses a folder of any object store whose writes are durable when they return. Messages call it by the
    /// location.
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

    /// Sets the format of tables. Existing files of any format can still be loaded.
    #[must_use]
    pub fn with_format(self, format: TableFormat) -> Self {
        Self { format, ..self }
    }

    /// Compresses all files except Parquet, which compresses itself.
    #[must_use]
    pub fn with_gzip(self, gzip: bool) -> Self {
        Self { gzip, ..self }
    }

    /// Sets the options of Parquet files.
    #[must_use]
    pub fn with_parquet(self, parquet: ParquetOptions) -> Self {
        Self { parquet, ..self }
    }

    /// Stores tables for query engines: one Parquet file per partition, in a folder named after it, which newer
    /// attempts replace. [`HiveLayout`] lists the consequences. Other forms of data keep the versioned layout.
    #[must_use]
    pub fn with_hive_layout(self, layout: HiveLayout) -> Self {
        let hive = Some(layout);
        Self { hive, ..self }
    }

    /// Stores a table in the Hive layout, and returns its pointer and size in bytes.
    async fn replace_table(
        &self,
        address: &Address,
        table: &Table,
        hive: &HiveLayout,
    ) -> Result<(String, usize), IoError> {
        let unsupported = |message: String| IoError::Unsupported {
            message: format!("{}: {message}", describe_address(address)),
        };
        if self.format != TableFormat::Parquet {
            return Err(unsupported(format!(
                "the Hive layout holds Parquet files, not `.{}`; leave `with_format` out",
                self.format.extension()
            )));
        }
        // The key may have another number of dimensions than the layout has columns.
        let pointer = hive.partition_path(address).map_err(unsupported)?;
        let file = ReplaceableFile {
            store: &self.store,
            files: self.files.as_ref(),
            path: self.resolve_pointer(&pointer)?,
        };
        let bytes = file
            .encode_attempt(address, table, &self.parquet)
            .map_err(|error| format_error(address, "encode it", error))?;
        let size = bytes.len();
        file.put_if_newer(address, bytes)
            .await
            .map_err(|error| store_error(&format!("store `{pointer}`"), &self.location, error))?;
        Ok((pointer, size))
    }

    /// Stores a stream as a Parquet file, batch by batch.
    async fn store_stream(&self, address: &Address, rows: TableStream) -> Result<Stored, IoError> {
        let pointer = layout::attempt_path(address, TableFormat::Parquet.extension());
        let path = self.resolve_pointer(&pointer)?;
        let columns = to_table_schema(rows.schema());
        self.prepare_folder(&pointer, &path)?;
        let write = streamed::write_file(self.store.as_ref(), &path, rows, &self.parquet);
        let written = write.await.map_err(|error| match error {
            StreamError::Store(error) => {
                store_error(&format!("store `{pointer}`"), &self.location, error)
            }
            other => rows_error(address, other),
        })?;
        self.close_file(&pointer, &path)?;
        let mut metadata = table_metadata(written.rows, columns);
        metadata.insert("bytes".to_owned(), written.bytes.into());
        Ok(Stored { pointer, metadata })
    }

    /// Creates the folder of a file, if only its owner may read it: the store itself would let others in.
    fn prepare_folder(&self, pointer: &str, path: &Path) -> Result<(), IoError> {
        let prepared = self
            .files
            .iter()
            .try_for_each(|files| files.prepare_folder(path));
        prepared.map_err(|error| store_error(&format!("store `{pointer}`"), &self.location, error))
    }

    /// Removes the rights of others from a stored file, if only its owner may read it.
    fn close_file(&self, pointer: &str, path: &Path) -> Result<(), IoError> {
        let closed = self
            .files
            .iter()
            .try_for_each(|files| files.close_file(path));
        closed.map_err(|error| store_error(&format!("store `{pointer}`"), &self.location, error))
    }

    /// Returns the error for a stored file that is damaged.
    fn damaged_file(&self, address: &Address, pointer: &str, damage: DamagedFile) -> IoError {
        damaged_error(address, pointer, &self.location, damage)
    }

    /// Returns whether a stored file is found under small letters as well, as on file systems that ignore case.
    fn ignores_case(&self, pointer: &str) -> bool {
        let small = self.resolve_pointer(&pointer.to_ascii_lowercase()).ok();
        let file = self.files.as_ref().zip(small);
        file.and_then(|(files, small)| files.file_path(&small).ok())
            .is_some_and(|file| file.exists())
    }

    /// Encodes a value, and returns the extension of its file and the content.
    fn encode_value(&self, value: &Value) -> Result<(String, Vec<u8>), FormatError> {
        let (extension, content) = match value {
            Value::Table(table) => (
                self.format.extension(),
                self.format.encode_table(table, &self.parquet)?,
            ),
            Value::Json(json) => ("json", json.to_string().into_bytes()),
            Value::Text(text) => ("txt", text.clone().into_bytes()),
            Value::Bytes(bytes) => ("bin", bytes.to_vec()),
        };
        // Parquet compresses its pages itself.
        if self.gzip && extension != TableFormat::Parquet.extension() {
            let file = gzip::compress(&content).map_err(arrow_schema::ArrowError::from)?;
            Ok((format!("{extension}{}", gzip::EXTENSION), file))
        } else {
            Ok((extension.to_owned(), content))
        }
    }

    /// Returns the path of a pointer.
    ///
    /// # Errors
    /// [`IoError::Unsupported`] when this manager cannot have returned the pointer.
    fn resolve_pointer(&self, pointer: &str) -> Result<Path, IoError> {
        let foreign = || IoError::Unsupported {
            message: format!(
                "`{pointer}` is not a path within `{}`: it was stored by another IO manager",
                self.location
            ),
        };
        // Parsing refuses `..` and empty names.
        let within = Path::parse(pointer).map_err(|_| foreign())?;
        // A path that is normalized by parsing is not one that this manager has written.
        if within.as_ref() != pointer || pointer.is_empty() {
            return Err(foreign());
        }
        Ok(self.folder.clone().join_path(&within))
    }
}

/// Joins paths by name, without escaping them again.
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

/// Decodes a file by the extension of its pointer.
fn decode_value(pointer: &str, file: Bytes, request: &LoadRequest) -> Result<Value, FormatError> {
    let (name, content) = match pointer.strip_suffix(gzip::EXTENSION) {
        None => (pointer, file),
        Some(name) => {
            let decompressed = gzip::decompress(&file).map_err(arrow_schema::ArrowError::from)?;
            (name, Bytes::from(decompressed))
        }
    };
    let damaged = |error: &dyn std::fmt::Display| {
        FormatError::Damaged(arrow_schema::ArrowError::ParseError(error.to_string()))
    };
    let extension = name.rsplit('.').next().unwrap_or_default();
    match extension {
        "json" => serde_json::from_slice(&content)
            .map(Value::Json)
            .map_err(|error| damaged(&error)),
        "txt" => String::from_utf8(content.into())
            .map(Value::Text)
            .map_err(|error| damaged(&error)),
        "bin" => Ok(Value::Bytes(content)),
        extension => match TableFormat::from_extension(extension) {
            Some(format) => format.decode_table(content, request).map(Value::Table),
            None => Err(FormatError::Unsupported(format!(
                "`.{extension}` files were not written by this IO manager"
            ))),
        },
    }
}

/// Returns the error for a stored file that is damaged: which one, and how to make it again.
fn damaged_error(address: &Address, pointer: &str, location: &str, damage: DamagedFile) -> IoError {
    let key = shell_word(address.asset.as_str());
    let partition = address.partition.as_ref();
    let partition = partition.map_or_else(String::new, |partition| {
        format!(" --partitions {}", shell_word(partition.as_str()))
    });
    IoError::Failed {
        message: format!(
            "{}: `{pointer}` in `{location}` is damaged; make it again with `materialize --select {key}{partition}`",
            describe_address(address)
        ),
        source: Box::new(damage),
    }
}

/// Converts the error of a file format, adding the address and the operation.
fn format_error(address: &Address, doing: &str, error: FormatError) -> IoError {
    match error {
        FormatError::Unsupported(message) | FormatError::Unfit(message) => IoError::Unsupported {
            message: format!("{}: {message}", describe_address(address)),
        },
        // Only a stored file is compared with checksums; its reader has named it.
        FormatError::Corrupt(message) => IoError::Failed {
            message: format!("{}: failed to {doing}", describe_address(address)),
            source: Box::new(DamagedFile(message)),
        },
        FormatError::Damaged(source) => IoError::Failed {
            message: format!("{}: failed to {doing}", describe_address(address)),
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
            // CSV, JSON and the Hive layout need the whole table.
            Ok(rows) => collect_value(address, AssetValue::new(rows)).await?,
            Err(value) => builtin_value(address, value)?,
        };
        if let (Some(hive), Value::Table(table)) = (&self.hive, &value) {
            let (pointer, size) = self.replace_table(address, table, hive).await?;
            let metadata = value_metadata(&value, Some(size));
            return Ok(Stored { pointer, metadata });
        }
        let (extension, file) = self
            .encode_value(&value)
            .map_err(|error| format_error(address, "encode it", error))?;
        let extension = if extension == TableFormat::Parquet.extension() {
            extension
        } else {
            layout::checked_extension(&extension, &file)
        };
        let pointer = layout::attempt_path(address, &extension);
        let path = self.resolve_pointer(&pointer)?;
        let metadata = value_metadata(&value, Some(file.len()));
        self.prepare_folder(&pointer, &path)?;
        self.store
            .put(&path, file.into())
            .await
            .map_err(|error| store_error(&format!("store `{pointer}`"), &self.location, error))?;
        self.close_file(&pointer, &path)?;
        Ok(Stored { pointer, metadata })
    }

    async fn make_durable(&self, pointers: &[String]) -> Result<(), IoError> {
        let Some(files) = &self.files else {
            return Ok(());
        };
        let paths: Vec<Path> = pointers
            .iter()
            .map(|pointer| self.resolve_pointer(pointer))
            .collect::<Result<_, _>>()?;
        let synced = files.make_durable(&paths).await;
        synced.map_err(|error| store_error("sync the stored files", &self.location, error))
    }

    async fn load(
        &self,
        address: &Address,
        pointer: &str,
        request: &LoadRequest,
    ) -> Result<AssetValue, IoError> {
        let path = self.resolve_pointer(pointer)?;
        // The store names the missing path; readers know the pointer.
        let fail = |error| match store_error(&format!("load `{pointer}`"), &self.location, error) {
            IoError::NotFound { .. } => IoError::NotFound {
                pointer: pointer.to_owned(),
            },
            other => other,
        };
        // Other formats are read as a whole; their table is a stream of its batches for the reader.
        if request.streamed && pointer.ends_with(".parquet") {
            // The size comes first, so that a missing file is distinguished from an unreadable one.
            let size = self.store.head(&path).await.map_err(fail)?.size;
            let (at, name, location) = (address.clone(), pointer.to_owned(), self.location.clone());
            let report =
                move |damage: DamagedFile| damaged_error(&at, &name, &location, damage).into();
            let rows = streamed::read_file(&self.store, &path, size, request, Arc::new(report));
            return match rows.await {
                Ok(rows) => Ok(AssetValue::new(rows)),
                Err(ReadError::Damaged(damage)) => Err(self.damaged_file(address, pointer, damage)),
                Err(ReadError::Parquet(error)) => Err(format_error(
                    address,
                    &format!("read `{pointer}`"),
                    error.into(),
                )),
            };
        }
        let object = self.store.get(&path).await.map_err(fail)?;
        let file = object.bytes().await.map_err(fail)?;
        let sum = layout::checksum_of(pointer);
        if sum.is_some_and(|sum| sum != crc32fast::hash(&file)) {
            let damage = DamagedFile("its content does not match its checksum".to_owned());
            return Err(self.damaged_file(address, pointer, damage));
        }
        match decode_value(pointer, file, request) {
            Ok(value) => Ok(AssetValue::from(value)),
            Err(FormatError::Corrupt(problem)) => {
                Err(self.damaged_file(address, pointer, DamagedFile(problem)))
            }
            Err(error) => Err(format_error(address, &format!("read `{pointer}`"), error)),
        }
    }

    async fn remove(&self, pointer: &str) -> Result<(), IoError> {
        let failed = |error| store_error(&format!("remove `{pointer}`"), &self.location, error);
        if let (Some(files), Some((of, number))) = (&self.files, split_staged(pointer)) {
            let file = files
                .file_path(&self.resolve_pointer(of)?)
                .map_err(failed)?;
            return remove_staged(&file, number).map_err(|error| failed(generic_error(error)));
        }
        let path = self.resolve_pointer(pointer)?;
        match self.store.delete(&path).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }

    async fn list(&self, asset: &AssetKey) -> Result<Vec<StoredAttempt>, IoError> {
        let folder = self.resolve_pointer(asset.as_str())?;
        let files: Vec<_> = self
            .store
            .list(Some(&folder))
            .try_collect()
            .await
            .map_err(|error| store_error(&format!("list `{asset}`"), &self.location, error))?;
        // Pointers are relative to the folder, with its slash.
        let prefix_length = match self.folder.as_ref() {
            "" => 0,
            folder => folder.len() + 1,
        };
        let attempt = |file: ObjectMeta| {
            let pointer = &file.location.as_ref()[prefix_length..];
            let address = layout::parse_path(asset, pointer)?;
            // The folder may be that of another key as well, so that its files are of an unknown one of them.
            if layout::has_unmarked_capitals(&address, pointer) && self.ignores_case(pointer) {
                return None;
            }
            Some(StoredAttempt {
                pointer: pointer.to_owned(),
                address,
                bytes: file.size,
                written: file.last_modified,
            })
        };
        let mut attempts: Vec<StoredAttempt> = files.into_iter().filter_map(attempt).collect();
        if let Some(files) = &self.files {
            let failed = |error| store_error(&format!("list `{asset}`"), &self.location, error);
            let local = files.file_path(&folder).map_err(failed)?;
            // Attempts that were never finished, by processes that were killed.
            let staged = tokio::task::spawn_blocking(move || list_staged(&local)).await;
            let staged = staged.unwrap_or_else(|error| Err(io::Error::other(error)));
            for file in staged.map_err(|error| failed(generic_error(error)))? {
                let pointer = format!("{asset}/{}", file.path);
                attempts.extend(
                    layout::parse_path(asset, &pointer).map(|address| StoredAttempt {
                        pointer: pointer.clone(),
                        address,
                        bytes: file.bytes,
                        written: file.written,
                    }),
                );
            }
        }
        Ok(attempts)
    }
}

#[cfg(test)]
mod tests;
