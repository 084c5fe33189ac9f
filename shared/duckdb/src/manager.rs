//! [`DuckDbIoManager`].

use std::{path::Path, sync::Arc};

use async_trait::async_trait;
use precip_engine::{
    asset::AssetValue,
    io::{Address, IoError, IoManager, LoadRequest, Stored},
};
use precip_io::tables::{StoreInput, format_pointer, parse_pointer};

use crate::{database::Database, error::DuckDbError, load, names, store};

/// Keeps assets as tables of a DuckDB database, which is one file.
///
/// Asset `raw/flights` is table `raw.flights`, and `carriers` is `main.carriers`. The table of a
/// partitioned asset has an additional column `_partition` with the partition's key. Other forms of data are kept in
/// the schema `_precip`.
///
/// ```no_run
/// use precip_duckdb::DuckDbIoManager;
///
/// let manager = DuckDbIoManager::open("data/warehouse.duckdb")?.with_memory("400MB");
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # What it guarantees
///
/// - A partition's rows are replaced in one transaction: readers see the old rows or the new ones. A late, older
///   attempt replaces nothing.
/// - A table holds the newest stored attempt, which is visible shortly before it is committed; the data of an older
///   materialization is not kept. A run that stores a partition and then fails has replaced it.
/// - New optional columns are added to the table. Any other difference to the rows of other partitions is refused,
///   with the differences.
/// - The rows of a stream are spooled next to the file: when storing, before the file is opened, and when loading,
///   before the first is used. The disk needs room for one more partition; memory does not.
/// - A process keeps the file open while it uses it, for a quarter of a second at most when others wait. Processes
///   take turns by a lock on `{file}.lock`; other DuckDB programs can open the file in between.
#[derive(Debug, Clone)]
pub struct DuckDbIoManager {
    database: Arc<Database>,
}

impl DuckDbIoManager {
    /// Uses the database in a file, which is created when something is stored.
    ///
    /// # Errors
    /// When the folder of the file is not usable.
    pub fn open(file: impl AsRef<Path>) -> Result<Self, std::io::Error> {
        Ok(Self {
            database: Database::open_file(file.as_ref())?,
        })
    }

    /// Sets the memory that DuckDB may use before it spills to the disk, such as `400MB`; 80 % of the machine's by
    /// default. A function on AWS needs some memory for itself. The limit applies to all managers of the file in this
    /// process.
    #[must_use]
    pub fn with_memory(self, limit: impl Into<String>) -> Self {
        self.database.set_option("max_memory", limit.into());
        self
    }

    /// Sets the number of threads that DuckDB uses; one per processor by default.
    #[must_use]
    pub fn with_threads(self, threads: u16) -> Self {
        self.database
            .set_option("threads", threads.max(1).to_string());
        self
    }

    /// Runs some work with the database on a thread that may block. The work runs to its end even if the caller is
    /// canceled.
    pub(crate) async fn run_blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Database) -> Result<T, DuckDbError> + Send + 'static,
    ) -> Result<T, DuckDbError> {
        let database = Arc::clone(&self.database);
        let result = tokio::task::spawn_blocking(move || work(&database)).await;
        result.unwrap_or_else(|error| Err(std::io::Error::other(error).into()))
    }

    /// Returns the name of the database for messages.
    fn name(&self) -> String {
        self.database.path().display().to_string()
    }
}

#[async_trait]
impl IoManager for DuckDbIoManager {
    async fn store(&self, address: &Address, value: AssetValue) -> Result<Stored, IoError> {
        let input = StoreInput::from_value(address, value, self.database.folder()).await?;
        // The pointer names the partition only: a table keeps one attempt of it.
        let pointer = format_pointer(&address.asset, address.partition.as_ref());
        let mut metadata = input.to_metadata();
        if matches!(input, StoreInput::Rows(_)) {
            let table = names::TableName::for_asset(&address.asset).quoted_name();
            metadata.insert("table".to_owned(), table.into());
        }
        let target = address.clone();
        let stored = self
            .run_blocking(move |database| {
                database.run_write(|sql| store::store_partition(sql, &target, input))
            })
            .await;
        stored.map_err(|error| error.into_io_error(address, "store it in", &self.name()))?;
        Ok(Stored { pointer, metadata })
    }

    async fn load(
        &self,
        address: &Address,
        pointer: &str,
        request: &LoadRequest,
    ) -> Result<AssetValue, IoError> {
        let not_found = || IoError::NotFound {
            pointer: pointer.to_owned(),
        };
        let (asset, partition) = parse_pointer(pointer).ok_or_else(not_found)?;
        let request = request.clone();
        let loaded = self
            .run_blocking(move |database| {
                let folder = database.folder();
                database.run_read(|sql| {
                    load::load_partition(sql, &asset, partition.as_ref(), &request, folder)
                })
            })
            .await;
        loaded
            .map_err(|error| error.into_io_error(address, "load it from", &self.name()))?
            .ok_or_else(not_found)
    }

    async fn remove(&self, pointer: &str) -> Result<(), IoError> {
        let Some((asset, partition)) = parse_pointer(pointer) else {
            return Ok(());
        };
        let address = Address {
            asset,
            partition,
            // The attempt is irrelevant for removing.
            run: precip_engine::run_id::RunId::new(Default::default()),
            attempt: 0,
        };
        let target = address.clone();
        let removed = self
            .run_blocking(move |database| {
                database.run_write(|sql| store::remove_partition(sql, &target))
            })
            .await;
        removed.map_err(|error| error.into_io_error(&address, "remove it from", &self.name()))
    }
}

#[cfg(test)]
mod tests;
