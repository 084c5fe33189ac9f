//! [`Read`]: a consistent view of the database.

use precip_core::key::AssetKey;
use precip_engine::state::{Event, StateError};
use rusqlite::{CachedStatement, Connection, OptionalExtension, Params, Row};
use serde::de::DeserializeOwned;

use super::error::ErrorMapper;

/// A consistent view of the database, inside a transaction.
pub(super) struct Read<'a> {
    pub(super) connection: &'a Connection,
    pub(super) errors: &'a ErrorMapper,
}

impl<'a> Read<'a> {
    pub(super) fn new(connection: &'a Connection, errors: &'a ErrorMapper) -> Self {
        Self { connection, errors }
    }

    /// Prepares a statement, or takes it from the cache.
    pub(super) fn prepare_statement(&self, sql: &str) -> Result<CachedStatement<'a>, StateError> {
        self.errors.map_result(self.connection.prepare_cached(sql))
    }

    /// Queries at most one row.
    pub(super) fn query_one<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, StateError> {
        let mut statement = self.prepare_statement(sql)?;
        self.errors
            .map_result(statement.query_row(params, read).optional())
    }

    /// Queries all rows.
    pub(super) fn query_many<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StateError> {
        let mut statement = self.prepare_statement(sql)?;
        let rows = self.errors.map_result(statement.query_map(params, read))?;
        self.errors.map_result(rows.collect())
    }

    /// Executes a change; returns the number of changed rows.
    pub(super) fn execute_change(
        &self,
        sql: &str,
        params: impl Params,
    ) -> Result<usize, StateError> {
        self.errors
            .map_result(self.prepare_statement(sql)?.execute(params))
    }

    /// Decodes a record; `what` names it in an error.
    pub(super) fn decode_record<T: DeserializeOwned>(
        &self,
        what: &str,
        json: &str,
    ) -> Result<T, StateError> {
        serde_json::from_str(json).map_err(|error| self.errors.unreadable_record(what, error))
    }

    /// Finds the row of an asset; `None` if nothing is recorded for it.
    pub(super) fn find_asset(&self, asset: &AssetKey) -> Result<Option<i64>, StateError> {
        let sql = "SELECT id FROM assets WHERE key = ?1";
        self.query_one(sql, [asset.as_str()], |row| row.get(0))
    }

    /// Decodes an event.
    pub(super) fn decode_event(&self, json: &str) -> Result<Event, StateError> {
        self.decode_record("an event", json)
    }
}
