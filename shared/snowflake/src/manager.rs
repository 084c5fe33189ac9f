//! [`SnowflakeIoManager`].

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use precip_core::{key::AssetKey, metadata::TableSchema};
use precip_engine::{
    asset::{AssetError, AssetValue},
    io::{Address, IoError, IoManager, LoadRequest, Stored},
};
use precip_io::tables::{StoreInput, format_pointer, parse_pointer};

use crate::{
    connection::SnowflakeConnection,
    error::SnowflakeError,
    load,
    names::TableName,
    session::{OpenSession, Sessions},
    store,
};

/// Keeps assets as tables of a Snowflake database.
///
/// Asset `raw/flights` is table `RAW.FLIGHTS`, and `carriers` is in the connection's schema. A table has two
/// additional columns: `_PARTITION` with the partition's key, and `_ROW` with the row's number in the partition, from
/// 0. Other forms of data are kept in the schema `_PRECIP`.
///
/// ```no_run
/// use precip_engine::settings::Secret;
/// use precip_snowflake::{SnowflakeConnection, SnowflakeIoManager};
///
/// let key = Secret::new(std::fs::read_to_string("key.p8")?);
/// let connection = SnowflakeConnection::with_key_pair("org-account", "PRECIP", "FLIGHTS", key, None)
///     .warehouse("LOADING");
/// let manager = SnowflakeIoManager::new(connection)?;
/// # Ok::<(), precip_engine::asset::AssetError>(())
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
/// - Writers of one asset take turns, in any process; writers of different assets do not wait for each other.
#[derive(Clone)]
pub struct SnowflakeIoManager {
    inner: Arc<Inner>,
}

struct Inner {
    connection: SnowflakeConnection,
    sessions: Sessions,
    /// A lock for the writers of each asset in this process, so that sessions do not wait within Snowflake.
    writer_locks: Mutex<BTreeMap<AssetKey, WriterLock>>,
}

/// The lock of an asset's writers, and what they know of its tables.
type WriterLock = Arc<tokio::sync::Mutex<KnownTables>>;

/// The known state of an asset's tables, which need not be queried again until a write fails.
#[derive(Default)]
struct KnownTables {
    /// `true` when the table of notes exists.
    has_notes: bool,
    /// The columns of the latest rows, which the table has.
    columns: Option<TableSchema>,
}

impl std::fmt::Debug for SnowflakeIoManager {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("SnowflakeIoManager")
            .field(&self.inner.connection.name())
            .finish()
    }
}

impl SnowflakeIoManager {
    /// Uses an existing database; schemas and tables are created when something is stored. This does not connect yet.
    ///
    /// # Errors
    /// A terminal [`AssetError`] when the connection's address or proxy is not usable.
    pub fn new(connection: SnowflakeConnection) -> Result<Self, AssetError> {
        let sessions = Sessions::new(&connection)
            .map_err(|error| AssetError::terminal(format!("{}: {error}", connection.name())))?;
        Ok(Self {
            inner: Arc::new(Inner {
                connection,
                sessions,
                writer_locks: Mutex::default(),
            }),
        })
    }

    /// Creates a manager like [`new`](Self::new), for
    /// [`Environment::io_manager_from`](precip_engine::definitions::Environment::io_manager_from).
    ///
    /// # Errors
    /// Those of [`new`](Self::new).
    pub async fn connect(connection: SnowflakeConnection) -> Result<Self, AssetError> {
        Self::new(connection)
    }

    /// Runs some work to its end even if the caller is canceled, so that no transaction is left open.
    async fn run_to_end<T, F, Fut>(&self, work: F) -> Result<T, SnowflakeError>
    where
        T: Send + 'static,
        F: FnOnce(Arc<Inner>) -> Fut,
        Fut: Future<Output = Result<T, SnowflakeError>> + Send + 'static,
    {
        tokio::spawn(work(Arc::clone(&self.inner))).await?
    }
}

impl Inner {
    /// Returns the name of an asset's table.
    fn table_name(&self, asset: &AssetKey) -> TableName {
        TableName::for_asset(asset, &self.connection.schema)
    }

    /// Returns the lock of an asset's writers.
    fn writer_lock(&self, asset: &AssetKey) -> WriterLock {
        let mut locks = self
            .writer_locks
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        Arc::clone(locks.entry(asset.clone()).or_default())
    }

    /// Prepares the tables, and replaces the data of a partition.
    async fn store_input(
        &self,
        address: &Address,
        input: StoreInput,
    ) -> Result<(), SnowflakeError> {
        let lock = self.writer_lock(&address.asset);
        let mut known = lock.lock().await;
        let session = self.sessions.take_session().await?;
        let table = self.table_name(&address.asset);
        // Forgotten until all has succeeded: after a failure, everything is checked again.
        let before = std::mem::take(&mut *known);
        let rows = match &input {
            StoreInput::Rows(rows) => Some((Arc::clone(rows.schema()), rows.columns())),
            StoreInput::Document(..) => None,
        };
        let work = async {
            if !before.has_notes {
                store::create_notes(&session, &address.asset).await?;
            }
            if let Some((schema, columns)) = &rows
                && before.columns.as_ref() != Some(columns)
            {
                store::prepare_table(&session, address, &table, schema, columns).await?;
            }
            store::begin_transaction(&session, address).await?;
            store::replace_partition(&session, address, &table, input).await
        };
        let result = store::end_transaction(&session, work.await).await;
        if result.is_ok() {
            *known = KnownTables {
                has_notes: true,
                columns: rows.map(|(_, columns)| columns).or(before.columns),
            };
        }
        self.keep_session(session, result)
    }

    /// Removes the data of a partition.
    async fn remove_partition(&self, address: &Address) -> Result<(), SnowflakeError> {
        let lock = self.writer_lock(&address.asset);
        let _alone = lock.lock().await;
        let session = self.sessions.take_session().await?;
        let table = self.table_name(&address.asset);
        let work = async {
            store::begin_transaction(&session, address).await?;
            store::remove_partition(&session, address, &table).await
        };
        match store::end_transaction(&session, work.await).await {
            // Nothing was ever stored.
            Err(error) if error.is_missing() => Ok(()),
            result => self.keep_session(session, result),
        }
    }

    /// Loads the value of a partition.
    async fn load_partition(
        &self,
        address: &Address,
        request: &LoadRequest,
    ) -> Result<Option<AssetValue>, SnowflakeError> {
        let session = self.sessions.take_session().await?;
        let table = self.table_name(&address.asset);
        let loaded = load::load_partition(&session, address, &table, request).await;
        self.keep_session(session, loaded)
    }

    /// Returns a session for reuse if nothing failed in it.
    fn keep_session<T>(
        &self,
        session: OpenSession,
        result: Result<T, SnowflakeError>,
    ) -> Result<T, SnowflakeError> {
        if result.is_ok() {
            self.sessions.give_back(session);
        }
        result
    }
}

#[async_trait]
impl IoManager for SnowflakeIoManager {
    async fn store(&self, address: &Address, value: AssetValue) -> Result<Stored, IoError> {
        let input = StoreInput::from_value(address, value, &std::env::temp_dir()).await?;
        let mut metadata = input.to_metadata();
        if matches!(input, StoreInput::Rows(_)) {
            let table = self.inner.table_name(&address.asset).quoted_name();
            metadata.insert("table".to_owned(), table.into());
        }
        let target = address.clone();
        let stored = self
            .run_to_end(|inner| async move { inner.store_input(&target, input).await })
            .await;
        stored.map_err(|error| {
            error.into_io_error(address, "store it in", &self.inner.connection.name())
        })?;
        Ok(Stored {
            pointer: format_pointer(&address.asset, address.partition.as_ref()),
            metadata,
        })
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
        let target = address_of_pointer(pointer).ok_or_else(not_found)?;
        let request = request.clone();
        let loaded = self
            .run_to_end(|inner| async move { inner.load_partition(&target, &request).await })
            .await;
        let name = self.inner.connection.name();
        loaded
            .map_err(|error| error.into_io_error(address, "load it from", &name))?
            .ok_or_else(not_found)
    }

    async fn remove(&self, pointer: &str) -> Result<(), IoError> {
        let Some(address) = address_of_pointer(pointer) else {
            return Ok(());
        };
        let target = address.clone();
        let removed = self
            .run_to_end(|inner| async move { inner.remove_partition(&target).await })
            .await;
        let name = self.inner.connection.name();
        removed.map_err(|error| error.into_io_error(&address, "remove it from", &name))
    }
}

/// Returns the partition of a pointer as an address. The attempt is irrelevant for loading and removing.
fn address_of_pointer(pointer: &str) -> Option<Address> {
    let (asset, partition) = parse_pointer(pointer)?;
    Some(Address {
        asset,
        partition,
        run: precip_engine::run_id::RunId::new(Default::default()),
        attempt: 0,
    })
}

#[cfg(test)]
mod tests;
