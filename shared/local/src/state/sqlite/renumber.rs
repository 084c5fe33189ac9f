//! New ordinals for the partitions of an asset whose definition changed.

use precip_core::{key::AssetKey, partitions::PartitionKey};
use precip_engine::state::{OrdinalOf, StateError, StateResult};
use rusqlite::params;

use super::{
    SqliteStore,
    codec::PartitionColumn,
    write::{Status, Write, to_integer},
};

/// The new ordinals of all keys of an asset; `None` for a key that is no longer in the definition.
type Numbered = Vec<(Option<PartitionKey>, Option<u64>)>;

impl SqliteStore {
    pub(super) async fn renumber_asset(
        &self,
        asset: &AssetKey,
        layout: &str,
        ordinal: &OrdinalOf<'_>,
    ) -> StateResult<()> {
        // The caller's function cannot be sent to the writing thread, so the ordinals are computed
        // here. A key that is added meanwhile is detected inside the transaction, and all is repeated.
        loop {
            let (key, wanted) = (asset.clone(), layout.to_owned());
            let keys: Option<Vec<_>> = self
                .run_read(move |read| {
                    let sql = "SELECT layout FROM assets WHERE key = ?1";
                    let known: Option<Option<String>> =
                        read.query_one(sql, [key.as_str()], |row| row.get(0))?;
                    if known.flatten() == Some(wanted) {
                        return Ok(None);
                    }
                    let sql = "SELECT p.partition FROM partitions p
                               JOIN assets a ON a.id = p.asset WHERE a.key = ?1";
                    let keys = read.query_many(sql, [key.as_str()], |row| row.get(0))?;
                    Ok(Some(keys))
                })
                .await?;
            let Some(keys) = keys else { return Ok(()) };
            let numbered: Numbered = keys
                .into_iter()
                .map(|PartitionColumn(key)| {
                    let number = ordinal(key.as_ref());
                    (key, number)
                })
                .collect();
            let (asset, layout) = (asset.clone(), layout.to_owned());
            if self
                .run_write(move |write| write.renumber_rows(&asset, &layout, numbered))
                .await?
            {
                return Ok(());
            }
        }
    }
}

impl Write<'_> {
    /// Renumbers an asset. Returns `false`, with nothing changed, if `numbered` does not hold every key
    /// of it.
    fn renumber_rows(
        &mut self,
        asset: &AssetKey,
        layout: &str,
        numbered: Numbered,
    ) -> Result<bool, StateError> {
        let asset = self.asset_row(asset)?;
        // The number of keys suffices for the comparison: a row is never deleted.
        let sql = "SELECT count(*) FROM partitions WHERE asset = ?1";
        let count: Option<i64> = self.query_one(sql, [asset], |row| row.get(0))?;
        if count.map(i64::cast_unsigned) != Some(numbered.len() as u64) {
            return Ok(false);
        }
        // The bitmaps are rebuilt from the rows.
        self.execute_change("DELETE FROM segments WHERE asset = ?1", [asset])?;
        for (partition, ordinal) in numbered {
            let number = ordinal.map(to_integer).transpose()?;
            let sql = "UPDATE partitions SET ordinal = ?3 WHERE asset = ?1 AND partition = ?2
                       RETURNING made_event IS NOT NULL, failed_event IS NOT NULL, skipped";
            let row = params![asset, PartitionColumn(partition), number];
            let marks: Option<(bool, bool, bool)> =
                self.query_one(sql, row, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            if let (Some(ordinal), Some((made, unpublished, skipped))) = (ordinal, marks) {
                if made {
                    self.mark_status(asset, Status::Materialized, ordinal, true)?;
                }
                if unpublished {
                    let status = if skipped {
                        Status::Skipped
                    } else {
                        Status::Failed
                    };
                    self.mark_status(asset, status, ordinal, true)?;
                }
            }
        }
        self.execute_change(
            "UPDATE assets SET layout = ?2 WHERE id = ?1",
            params![asset, layout],
        )?;
        Ok(true)
    }
}
