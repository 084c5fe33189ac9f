//! [`Read`]: a look at one state of the database.

use precip_core::key::AssetKey;
use precip_engine::state::{Event, StateError};
use rusqlite::{CachedStatement, Connection, OptionalExtension, Params, Row};
use serde::de::DeserializeOwned;

use super::error::Blame;

/// A look at one state of the database, inside a transaction.
pub(super) struct Read<'a> {
    pub(super) connection: &'a Connection,
    pub(super) blame: &'a Blame,
}

impl<'a> Read<'a> {
    pub(super) fn new(connection: &'a Connection, blame: &'a Blame) -> Self {
        Self { connection, blame }
    }

    pub(super) fn statement(&self, sql: &str) -> Result<CachedStatement<'a>, StateError> {
        self.blame.of(self.connection.prepare_cached(sql))
    }

    pub(super) fn one<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, StateError> {
        let mut statement = self.statement(sql)?;
        self.blame.of(statement.query_row(params, read).optional())
    }

    pub(super) fn many<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StateError> {
        let mut statement = self.statement(sql)?;
        let rows = self.blame.of(statement.query_map(params, read))?;
        self.blame.of(rows.collect())
    }

    pub(super) fn change(&self, sql: &str, params: impl Params) -> Result<usize, StateError> {
        self.blame.of(self.statement(sql)?.execute(params))
    }

    /// Reads a record back.
    pub(super) fn record<T: DeserializeOwned>(
        &self,
        what: &str,
        json: &str,
    ) -> Result<T, StateError> {
        serde_json::from_str(json).map_err(|error| self.blame.unreadable(what, error))
    }

    /// The row of an asset; `None` for one that nothing is known of.
    pub(super) fn asset(&self, asset: &AssetKey) -> Result<Option<i64>, StateError> {
        let sql = "SELECT id FROM assets WHERE key = ?1";
        self.one(sql, [asset.as_str()], |row| row.get(0))
    }

    /// Reads an event back.
    pub(super) fn event(&self, json: &str) -> Result<Event, StateError> {
        self.record("an event", json)
    }
}
