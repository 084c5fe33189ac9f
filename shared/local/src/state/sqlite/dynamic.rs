//! Dynamic partition keys in SQLite.

use async_trait::async_trait;
use precip_core::partitions::{DynamicKeys, PartitionKey};
use precip_engine::state::{DynamicPartitionStore, StateError, StateResult, check_dynamic_keys};
use rusqlite::params;

use super::{SqliteStore, write::Write};

impl Write<'_> {
    fn add_partition(&mut self, set: &str, key: &PartitionKey) -> Result<u64, StateError> {
        // A removed key keeps its row, so no ordinal is ever assigned twice.
        let sql = "INSERT INTO dynamic_partitions (name, ordinal, partition, present)
                   VALUES (?1, (SELECT coalesce(max(ordinal) + 1, 0) FROM dynamic_partitions
                                WHERE name = ?1), ?2, 1)
                   ON CONFLICT (name, partition) DO UPDATE SET present = 1 RETURNING ordinal";
        let ordinal: Option<i64> = self.query_one(sql, [set, key.as_str()], |row| row.get(0))?;
        Ok(ordinal.unwrap_or_default().cast_unsigned())
    }
}

#[async_trait]
impl DynamicPartitionStore for SqliteStore {
    async fn add_dynamic_keys(&self, set: &str, keys: &[PartitionKey]) -> StateResult<Vec<u64>> {
        check_dynamic_keys(set, keys)?;
        let (set, keys) = (set.to_owned(), keys.to_vec());
        self.run_write(move |write| {
            keys.iter()
                .map(|key| write.add_partition(&set, key))
                .collect()
        })
        .await
    }

    async fn remove_dynamic_keys(&self, set: &str, keys: &[PartitionKey]) -> StateResult<u64> {
        let (set, keys) = (set.to_owned(), keys.to_vec());
        self.run_write(move |write| {
            let sql = "UPDATE dynamic_partitions SET present = 0
                       WHERE name = ?1 AND partition = ?2 AND present";
            let mut removed = 0;
            for key in &keys {
                removed += write.execute_change(sql, params![set, key.as_str()])? as u64;
            }
            Ok(removed)
        })
        .await
    }

    async fn dynamic_keys(&self, set: &str) -> StateResult<DynamicKeys> {
        let set = set.to_owned();
        self.run_read(move |read| {
            let sql = "SELECT partition, present FROM dynamic_partitions
                       WHERE name = ?1 ORDER BY ordinal";
            let keys = read.query_many(sql, [set], |row| {
                let (key, present): (String, bool) = (row.get(0)?, row.get(1)?);
                Ok((PartitionKey::from(key), present))
            })?;
            Ok(DynamicKeys::from_history(keys))
        })
        .await
    }
}
