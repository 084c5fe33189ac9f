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
use precip_io::tables::{Given, parse_pointer, pointer};

use crate::{
    connection::SnowflakeConnection,
    error::Failed,
    load,
    names::TableName,
    session::{Open, Sessions},
    store,
};

/// Keeps assets as tables of a Snowflake database.
///
/// Asset `raw/flights` is table `RAW.FLIGHTS`, and `carriers` is in the connection's schema. A table has two
/// columns more: `_PARTITION` with the partition's key, and `_ROW` with the row's number in it, from 0.
/// What is no table is kept beside them, in schema `_PRECIP`.
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
/// - A partition's rows are replaced in one transaction: who reads sees the old or the new. An older
///   attempt that is late replaces nothing.
/// - What is there is the newest that was stored, a little before it is committed; what an older
///   materialization pointed at is not kept. So a run that stores a partition and then fails has
///   replaced it.
/// - A table takes the columns of new rows if those that are new are optional. Any other difference
///   to the rows of other partitions is refused, and shown.
/// - Writers of one asset take turns, whichever process they are in; those of different assets do not wait
///   for each other.
#[derive(Clone)]
pub struct SnowflakeIoManager {
    inner: Arc<Inner>,
}

struct Inner {
    connection: SnowflakeConnection,
    sessions: Sessions,
    /// One writer for each asset in this process, so that sessions do not wait within Snowflake.
    turns: Mutex<BTreeMap<AssetKey, Turn>>,
}

type Turn = Arc<tokio::sync::Mutex<Known>>;

/// What need not be asked for again, as long as nothing fails.
#[derive(Default)]
struct Known {
    notes: bool,
    /// Columns that the table has.
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
    /// Uses a database, which has to be there; schemas and tables are made when something is stored.
    /// Nothing is connected to yet.
    ///
    /// # Errors
    /// [`AssetError`], not to be tried again, when the connection's address or proxy cannot be used.
    pub fn new(connection: SnowflakeConnection) -> Result<Self, AssetError> {
        let sessions = Sessions::of(&connection)
            .map_err(|failed| AssetError::terminal(format!("{}: {failed}", connection.name())))?;
        Ok(Self {
            inner: Arc::new(Inner {
                connection,
                sessions,
                turns: Mutex::default(),
            }),
        })
    }

    /// [`new`](Self::new) for
    /// [`Environment::io_manager_from`](precip_engine::definitions::Environment::io_manager_from).
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub async fn connect(connection: SnowflakeConnection) -> Result<Self, AssetError> {
        Self::new(connection)
    }

    /// Does something in a session, and to its end: who stops waiting for it does not stop it, so that
    /// no transaction is left open.
    async fn run<T, F, Fut>(&self, work: F) -> Result<T, Failed>
    where
        T: Send + 'static,
        F: FnOnce(Arc<Inner>) -> Fut,
        Fut: Future<Output = Result<T, Failed>> + Send + 'static,
    {
        tokio::spawn(work(Arc::clone(&self.inner))).await?
    }
}

impl Inner {
    fn table(&self, asset: &AssetKey) -> TableName {
        TableName::of(asset, &self.connection.schema)
    }

    /// The lock of an asset's writers.
    fn turn(&self, asset: &AssetKey) -> Turn {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(turns.entry(asset.clone()).or_default())
    }

    async fn store(&self, address: &Address, given: Given) -> Result<(), Failed> {
        let turn = self.turn(&address.asset);
        let mut known = turn.lock().await;
        let open = self.sessions.take().await?;
        let table = self.table(&address.asset);
        let before = std::mem::take(&mut *known);
        let rows = match &given {
            Given::Rows(rows) => Some((Arc::clone(rows.schema()), rows.columns())),
            Given::Noted(..) => None,
        };
        let done = async {
            if !before.notes {
                store::notes(&open, &address.asset).await?;
            }
            if let Some((schema, columns)) = &rows
                && before.columns.as_ref() != Some(columns)
            {
                store::prepare(&open, address, &table, schema, columns).await?;
            }
            store::begin(&open, address).await?;
            store::replace(&open, address, &table, given).await
        };
        let done = store::end(&open, done.await).await;
        if done.is_ok() {
            *known = Known {
                notes: true,
                columns: rows.map(|(_, columns)| columns).or(before.columns),
            };
        }
        self.after(open, done)
    }

    async fn remove(&self, address: &Address) -> Result<(), Failed> {
        let turn = self.turn(&address.asset);
        let _alone = turn.lock().await;
        let open = self.sessions.take().await?;
        let table = self.table(&address.asset);
        let done = async {
            store::begin(&open, address).await?;
            store::remove(&open, address, &table).await
        };
        match store::end(&open, done.await).await {
            // Nothing was ever stored.
            Err(failed) if failed.is_missing() => Ok(()),
            done => self.after(open, done),
        }
    }

    async fn load(
        &self,
        address: &Address,
        request: &LoadRequest,
    ) -> Result<Option<AssetValue>, Failed> {
        let open = self.sessions.take().await?;
        let table = self.table(&address.asset);
        let loaded = load::load(&open, address, &table, request).await;
        self.after(open, loaded)
    }

    /// Keeps a session in which nothing failed.
    fn after<T>(&self, open: Open, done: Result<T, Failed>) -> Result<T, Failed> {
        if done.is_ok() {
            self.sessions.give_back(open);
        }
        done
    }
}

#[async_trait]
impl IoManager for SnowflakeIoManager {
    async fn store(&self, address: &Address, value: AssetValue) -> Result<Stored, IoError> {
        let given = Given::take(address, value, &std::env::temp_dir()).await?;
        let mut metadata = given.facts();
        if matches!(given, Given::Rows(_)) {
            let table = self.inner.table(&address.asset).quoted();
            metadata.insert("table".to_owned(), table.into());
        }
        let of = address.clone();
        let stored = self
            .run(|inner| async move { inner.store(&of, given).await })
            .await;
        stored
            .map_err(|failed| failed.at(address, "store it in", &self.inner.connection.name()))?;
        Ok(Stored {
            pointer: pointer(&address.asset, address.partition.as_ref()),
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
        let of = pointed(pointer).ok_or_else(not_found)?;
        let request = request.clone();
        let loaded = self
            .run(|inner| async move { inner.load(&of, &request).await })
            .await;
        let name = self.inner.connection.name();
        let loaded = loaded.map_err(|failed| failed.at(address, "load it from", &name))?;
        loaded.ok_or_else(not_found)
    }

    async fn remove(&self, pointer: &str) -> Result<(), IoError> {
        let Some(address) = pointed(pointer) else {
            return Ok(());
        };
        let of = address.clone();
        let removed = self
            .run(|inner| async move { inner.remove(&of).await })
            .await;
        let name = self.inner.connection.name();
        removed.map_err(|failed| failed.at(&address, "remove it from", &name))
    }
}

/// What a pointer says, as an address. Whose attempt it is does not matter.
fn pointed(pointer: &str) -> Option<Address> {
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
