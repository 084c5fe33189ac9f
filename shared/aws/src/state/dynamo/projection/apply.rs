//! [`Projector`].

use std::collections::BTreeMap;

use futures::{StreamExt, TryStreamExt, stream};
use precip_core::{key::AssetKey, partitions::PartitionSet};
use precip_engine::{
    react::ChangeSet,
    state::{ReadConsistency, StateResult},
};

use super::{
    super::{
        call::{Op, REQUESTS_AT_ONCE},
        item::Attributes,
        keys,
        row::Row,
        store::DynamoStore,
    },
    change::Change,
    effects::{Effects, KnownState, changed_assets, possibly_renumbered},
};

/// The projection of a table's stream: it keeps the derived rows up to date.
#[derive(Debug, Clone)]
pub struct Projector {
    pub(super) store: DynamoStore,
}

/// The content of a batch of changes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Projected {
    /// The published partitions, by asset.
    pub published: BTreeMap<AssetKey, PartitionSet>,
    /// Everything else that changed.
    pub(super) other_changes: ChangeSet,
}

impl Projected {
    /// Returns the changes for [`react`](precip_engine::react::react) to evaluate.
    pub fn change_set(&self) -> ChangeSet {
        ChangeSet {
            published: self.published.keys().cloned().collect(),
            ..self.other_changes.clone()
        }
    }
}

impl Projector {
    pub(in super::super) fn new(store: DynamoStore) -> Self {
        Self { store }
    }

    /// Applies changes in the order of the stream. After an error, apply the same changes again.
    ///
    /// # Errors
    /// As every call of the port.
    pub async fn apply_changes(&self, changes: &[Change]) -> StateResult<Projected> {
        let table = &self.store.table;
        let known = self.read_known_state(changes).await?;
        let effects = Effects::of_changes(changes, &known);
        // History first: a superseded record exists only in the stream until it is archived.
        table.write_all(effects.archive, Vec::new()).await?;
        self.write_each(effects.checks).await?;
        table.set_bits(effects.bits).await?;
        self.write_each(effects.failing).await?;
        let resolved = effects.resolved.into_iter().collect();
        table.write_all(Vec::new(), resolved).await?;
        // The update log last: a reader that finds an update there finds the other rows up to date.
        let mut projected = Projected {
            other_changes: effects.changes,
            ..Projected::default()
        };
        for (asset, updates) in effects.updates {
            let generation = known.generations.get(&asset).copied().unwrap_or_default();
            self.store.log_updates(&asset, &updates, generation).await?;
            let partitions = updates.iter().map(|update| update.ordinal).collect();
            projected.published.insert(asset, partitions);
        }
        Ok(projected)
    }

    /// Reads what the effects depend on besides the changes themselves.
    async fn read_known_state(&self, changes: &[Change]) -> StateResult<KnownState> {
        let table = &self.store.table;
        let mut known = KnownState::default();
        let assets = changed_assets(changes);
        let heads = assets.iter().map(keys::statuses_head_row);
        // An asset without a head was never renumbered: its generation is 0.
        let heads = table.get_many(heads, ReadConsistency::Strong).await?;
        for asset in assets {
            let head = heads.get(&keys::statuses_head_row(&asset));
            if let Some(generation) = head.and_then(|head| head.number("g")) {
                known.generations.insert(asset, generation);
            }
        }
        let outdated = possibly_renumbered(changes, &known.generations);
        if !outdated.is_empty() {
            let rows = table.get_many(outdated, ReadConsistency::Strong).await?;
            known.current = rows
                .into_iter()
                .filter_map(|(key, row)| Some((key, Row::from_item(&row)?)))
                .collect();
        }
        Ok(known)
    }

    /// Makes conditional writes: those of one row in order, different rows concurrently. A refused
    /// write is out of date and needs nothing more.
    async fn write_each(&self, ops: Vec<Op>) -> StateResult<()> {
        let mut by_row: BTreeMap<keys::Key, Vec<Op>> = BTreeMap::new();
        // Grouped by row, since only writes of one row depend on their order.
        for op in ops {
            let key = match &op {
                Op::Put(row, _) => row.key(),
                Op::Update(key, ..) | Op::Delete(key, _) | Op::Check(key, _) => key.clone(),
            };
            by_row.entry(key).or_default().push(op);
        }
        stream::iter(by_row.into_values())
            .map(|ops| async move {
                for op in ops {
                    self.store.table.write_op(op).await?;
                }
                StateResult::Ok(())
            })
            .buffer_unordered(REQUESTS_AT_ONCE)
            .try_collect()
            .await
    }
}

/// Access of tests to the derived rows.
#[cfg(test)]
impl Projector {
    pub(in super::super) fn meter(&self) -> &super::super::CapacityMeter {
        self.store.meter()
    }

    pub(in super::super) async fn mark_materialized(
        &self,
        asset: &AssetKey,
        partitions: &PartitionSet,
    ) -> StateResult<()> {
        let mut bits: BTreeMap<keys::Key, Vec<super::bits::Bit>> = BTreeMap::new();
        for ordinal in partitions.iter() {
            let segment = precip_engine::state::Segment::index(ordinal);
            let bit = super::bits::Bit {
                set: "m",
                ordinal,
                value: true,
            };
            let key = keys::statuses_row(asset, 0, segment);
            bits.entry(key).or_default().push(bit);
        }
        self.store.table.set_bits(bits).await
    }

    pub(in super::super) async fn drop_statuses(&self, asset: &AssetKey) -> StateResult<()> {
        let query = super::super::call::Query::rows_of(keys::statuses_pk(asset));
        let rows = self.store.table.query_rows(query).await?;
        let keys = rows.iter().map(Attributes::key).collect();
        self.store.table.write_all(Vec::new(), keys).await
    }

    /// Returns the size of the status bitmaps in bytes, by DynamoDB's rule: names plus values.
    pub(in super::super) async fn status_bytes(&self, asset: &AssetKey) -> StateResult<usize> {
        use aws_sdk_dynamodb::types::AttributeValue as V;
        let query = super::super::call::Query::rows_of(keys::statuses_pk(asset));
        let rows = self.store.table.query_rows(query).await?;
        let size = |(name, value): (&String, &V)| {
            name.len()
                + match value {
                    V::S(text) | V::N(text) => text.len(),
                    V::B(bytes) => bytes.as_ref().len(),
                    other => panic!("no status row holds {other:?}"),
                }
        };
        Ok(rows.iter().flatten().map(size).sum())
    }
}
