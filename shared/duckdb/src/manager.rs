//! [`DuckDbIoManager`].

use std::{path::Path, sync::Arc};

use async_trait::async_trait;
use precip_engine::{
    asset::AssetValue,
    io::{Address, IoError, IoManager, LoadRequest, Stored},
};
use precip_io::tables::{Given, parse_pointer, pointer};

use crate::{database::Database, error::Failed, load, names, store};

/// Keeps assets as tables of a DuckDB database, which is one file.
///
/// Asset `raw/flights` is table `raw.flights`, and `carriers` is `main.carriers`. The table of a
/// partitioned asset has a column `_partition` more, with the partition's key. What is no table is kept
/// beside them, in `_precip`.
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
/// - A partition's rows are replaced in one transaction: who reads sees the old or the new. An older
///   attempt that is late replaces nothing.
/// - What is there is the newest that was stored, a little before it is committed; what an older
///   materialization pointed at is not kept. So a run that stores a partition and then fails has
///   replaced it.
/// - A table takes the columns of new rows if those that are new are optional. Any other difference
///   to the rows of other partitions is refused, and shown.
/// - The rows of a stream are made before the file is opened for them, and those that are loaded as one are
///   taken out of it before the first is used. Both wait beside the file in one without a name: the disk
///   needs room for a partition more, and memory need not have it.
/// - The file is open as long as this process has something to do with it, and other processes have
///   their turn after a quarter of a second. They wait for each other by a lock on `{file}.lock`;
///   other programs of DuckDB find the file free in between.
#[derive(Debug, Clone)]
pub struct DuckDbIoManager {
    database: Arc<Database>,
}

impl DuckDbIoManager {
    /// Uses a database in a file, which is made when something is stored.
    ///
    /// # Errors
    /// When the file's folder cannot be used.
    pub fn open(file: impl AsRef<Path>) -> Result<Self, std::io::Error> {
        Ok(Self {
            database: Database::at(file.as_ref())?,
        })
    }

    /// How much memory DuckDB takes for itself, such as `400MB`, before it uses the disk: 80 % of the
    /// machine's unless given. A function on AWS needs some for itself. It holds for all managers of the
    /// file in this process.
    #[must_use]
    pub fn with_memory(self, most: impl Into<String>) -> Self {
        self.database.set("max_memory", most.into());
        self
    }

    /// How many threads DuckDB uses; as many as there are processors unless given.
    #[must_use]
    pub fn with_threads(self, threads: u16) -> Self {
        self.database.set("threads", threads.max(1).to_string());
        self
    }

    /// Does something with the database on a thread that may wait, and to its end: who stops waiting
    /// for it does not stop it.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Database) -> Result<T, Failed> + Send + 'static,
    ) -> Result<T, Failed> {
        let database = Arc::clone(&self.database);
        let done = tokio::task::spawn_blocking(move || work(&database)).await;
        done.unwrap_or_else(|error| Err(std::io::Error::other(error).into()))
    }

    fn name(&self) -> String {
        self.database.path().display().to_string()
    }
}

#[async_trait]
impl IoManager for DuckDbIoManager {
    async fn store(&self, address: &Address, value: AssetValue) -> Result<Stored, IoError> {
        let given = Given::take(address, value, self.database.folder()).await?;
        let pointer = pointer(&address.asset, address.partition.as_ref());
        let mut metadata = given.facts();
        if matches!(given, Given::Rows(_)) {
            let table = names::TableName::of(&address.asset).quoted();
            metadata.insert("table".to_owned(), table.into());
        }
        let of = address.clone();
        let stored = self
            .run(move |database| database.write(|sql| store::store(sql, &of, given)))
            .await;
        stored.map_err(|failed| failed.at(address, "store it in", &self.name()))?;
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
            .run(move |database| {
                let folder = database.folder();
                database.read(|sql| load::load(sql, &asset, partition.as_ref(), &request, folder))
            })
            .await;
        let loaded = loaded.map_err(|failed| failed.at(address, "load it from", &self.name()))?;
        loaded.ok_or_else(not_found)
    }

    async fn remove(&self, pointer: &str) -> Result<(), IoError> {
        let Some((asset, partition)) = parse_pointer(pointer) else {
            return Ok(());
        };
        let address = Address {
            asset,
            partition,
            // Whose it is does not matter.
            run: precip_engine::run_id::RunId::new(Default::default()),
            attempt: 0,
        };
        let of = address.clone();
        let removed = self
            .run(move |database| database.write(|sql| store::remove(sql, &of)))
            .await;
        removed.map_err(|failed| failed.at(&address, "remove it from", &self.name()))
    }
}

#[cfg(test)]
mod tests;
