//! New ordinals for the partitions of an asset whose definition changed.

use precip_core::{key::AssetKey, partitions::PartitionKey};
use precip_engine::state::{OrdinalOf, StateError, StateResult};
use rusqlite::params;

use super::{
    SqliteStore,
    codec::PartitionColumn,
    write::{Status, Write, column},
};

/// Keys that are numbered in one transaction.
type Numbered = Vec<(Option<PartitionKey>, Option<u64>)>;

impl SqliteStore {
    pub(super) async fn renumber_asset(
        &self,
        asset: &AssetKey,
        layout: &str,
        ordinal: &OrdinalOf<'_>,
    ) -> StateResult<()> {
        // The caller's function stays on the caller's side; a key that is added while this is under
        // way is found by looking again inside the transaction.
        loop {
            let (key, wanted) = (asset.clone(), layout.to_owned());
            let keys: Option<Vec<_>> = self
                .read(move |read| {
                    let sql = "SELECT layout FROM assets WHERE key = ?1";
                    let known: Option<Option<String>> =
                        read.one(sql, [key.as_str()], |row| row.get(0))?;
                    if known.flatten() == Some(wanted) {
                        return Ok(None);
                    }
                    let sql = "SELECT p.partition FROM partitions p
                               JOIN assets a ON a.id = p.asset WHERE a.key = ?1";
                    let keys = read.many(sql, [key.as_str()], |row| row.get(0))?;
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
                .write(move |write| write.renumber(&asset, &layout, numbered))
                .await?
            {
                return Ok(());
            }
        }
    }
}

impl Write<'_> {
    /// Answers whether the keys were all that the asset has; if not, nothing was done.
    fn renumber(
        &mut self,
        asset: &AssetKey,
        layout: &str,
        numbered: Numbered,
    ) -> Result<bool, StateError> {
        let asset = self.asset_row(asset)?;
        let sql = "SELECT count(*) FROM partitions WHERE asset = ?1";
        let count: Option<i64> = self.one(sql, [asset], |row| row.get(0))?;
        if count.map(i64::cast_unsigned) != Some(numbered.len() as u64) {
            return Ok(false);
        }
        self.change("DELETE FROM segments WHERE asset = ?1", [asset])?;
        for (partition, ordinal) in numbered {
            let number = ordinal.map(column).transpose()?;
            let sql = "UPDATE partitions SET ordinal = ?3 WHERE asset = ?1 AND partition = ?2
                       RETURNING made_event IS NOT NULL, failed_event IS NOT NULL";
            let row = params![asset, PartitionColumn(partition), number];
            let marks: Option<(bool, bool)> =
                self.one(sql, row, |row| Ok((row.get(0)?, row.get(1)?)))?;
            if let (Some(ordinal), Some((made, failed))) = (ordinal, marks) {
                if made {
                    self.mark(asset, Status::Materialized, ordinal, true)?;
                }
                if failed {
                    self.mark(asset, Status::Failed, ordinal, true)?;
                }
            }
        }
        self.change(
            "UPDATE assets SET layout = ?2 WHERE id = ?1",
            params![asset, layout],
        )?;
        Ok(true)
    }
}
