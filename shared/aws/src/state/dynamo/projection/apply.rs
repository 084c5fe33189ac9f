//! [`Projector`].

use std::collections::BTreeMap;

use futures::{StreamExt, TryStreamExt, stream};
use precip_core::{key::AssetKey, partitions::PartitionSet};
use precip_engine::{
    react::Happened,
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
    effects::{Effects, Known, assets, doubtful},
};

/// Brings the derived rows of a table up to date.
#[derive(Debug, Clone)]
pub struct Projector {
    pub(super) store: DynamoStore,
}

/// What a batch of changes held.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Projected {
    /// The partitions that were published, by asset.
    pub published: BTreeMap<AssetKey, PartitionSet>,
    /// What else happened.
    pub(super) others: Happened,
}

impl Projected {
    /// What follows from it is evaluated by [`react`](precip_engine::react::react).
    pub fn happened(&self) -> Happened {
        Happened {
            published: self.published.keys().cloned().collect(),
            ..self.others.clone()
        }
    }
}

impl Projector {
    pub(in super::super) fn new(store: DynamoStore) -> Self {
        Self { store }
    }

    /// Applies changes in the order of the stream. After an error apply the same changes again.
    ///
    /// # Errors
    /// As every call of the port.
    pub async fn apply(&self, changes: &[Change]) -> StateResult<Projected> {
        let table = &self.store.table;
        let known = self.known(changes).await?;
        let effects = Effects::of(changes, &known);
        table.write_all(effects.archive, Vec::new()).await?;
        self.write_each(effects.checks).await?;
        table.set_bits(effects.bits).await?;
        self.write_each(effects.failing).await?;
        let made_good = effects.made_good.into_iter().collect();
        table.write_all(Vec::new(), made_good).await?;
        // Last: who is told of an update finds everything else in its place.
        let mut projected = Projected {
            others: effects.happened,
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

    async fn known(&self, changes: &[Change]) -> StateResult<Known> {
        let table = &self.store.table;
        let mut known = Known::default();
        let assets = assets(changes);
        let heads = assets.iter().map(keys::statuses_head);
        let heads = table.get_many(heads, ReadConsistency::Strong).await?;
        for asset in assets {
            let head = heads.get(&keys::statuses_head(&asset));
            if let Some(generation) = head.and_then(|head| head.number("g")) {
                known.generations.insert(asset, generation);
            }
        }
        let doubtful = doubtful(changes, &known.generations);
        if !doubtful.is_empty() {
            let rows = table.get_many(doubtful, ReadConsistency::Strong).await?;
            let rows = rows.into_iter();
            known.current = rows
                .filter_map(|(key, row)| Some((key, Row::of(&row)?)))
                .collect();
        }
        Ok(known)
    }

    /// Makes conditional writes. Those of one row in order, different rows side by side; one that is
    /// refused is out of date.
    async fn write_each(&self, ops: Vec<Op>) -> StateResult<()> {
        let mut by_row: BTreeMap<keys::Key, Vec<Op>> = BTreeMap::new();
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
                    self.store.table.write(op).await?;
                }
                StateResult::Ok(())
            })
            .buffer_unordered(REQUESTS_AT_ONCE)
            .try_collect()
            .await
    }
}

/// What tests do to the derived rows.
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
            let key = keys::statuses(asset, 0, segment);
            bits.entry(key).or_default().push(bit);
        }
        self.store.table.set_bits(bits).await
    }

    pub(in super::super) async fn drop_statuses(&self, asset: &AssetKey) -> StateResult<()> {
        let query = super::super::call::Query::all(keys::statuses_pk(asset));
        let rows = self.store.table.query(query).await?;
        let keys = rows.iter().map(Attributes::key).collect();
        self.store.table.write_all(Vec::new(), keys).await
    }

    /// The size of the status bitmaps, by DynamoDB's rule: the bytes of names and values.
    pub(in super::super) async fn status_bytes(&self, asset: &AssetKey) -> StateResult<usize> {
        use aws_sdk_dynamodb::types::AttributeValue as V;
        let query = super::super::call::Query::all(keys::statuses_pk(asset));
        let rows = self.store.table.query(query).await?;
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
