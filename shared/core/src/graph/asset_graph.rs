//! [`AssetGraph`] itself.

use std::collections::BTreeMap;

use crate::{
    graph::InvalidGraph,
    key::AssetKey,
    mapping::PartitionMapping,
    partitions::PartitionsDefinition,
    spec::{AssetSpec, CheckSpec, OpSpec},
};

/// The place of an asset in its graph. Ids follow the order of the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AssetId(pub u32);

/// The place of an op in its graph. Ids follow the order of the op names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpId(pub u32);

/// One dependency, seen from one of its two ends.
#[derive(Debug, Clone, PartialEq)]
pub struct Edge {
    /// The asset at the other end.
    pub asset: AssetId,
    /// How partitions of the upstream and the downstream end correspond (given or inferred).
    pub mapping: PartitionMapping,
}

/// Every asset of a project and how they depend on each other. It has no cycles, and every mapping
/// in it fits the definitions on its sides. An asset may depend on *earlier partitions of itself*.
#[derive(Debug, Clone)]
pub struct AssetGraph {
    ops: Vec<OpSpec>,
    checks: Vec<CheckSpec>,
    ids: BTreeMap<AssetKey, AssetId>,
    /// Op and place in the op, by asset.
    places: Vec<(OpId, usize)>,
    upstream: Vec<Vec<Edge>>,
    downstream: Vec<Vec<Edge>>,
    order: Vec<AssetId>,
}

impl AssetGraph {
    /// Puts declarations together. `checks` are the checks that are functions of their own; those
    /// that an op returns are in its [`OpSpec::checks`].
    ///
    /// # Errors
    /// [`InvalidGraph`]: a duplicate, an unknown upstream, a cycle, or a mapping that does not fit.
    pub fn new(ops: Vec<OpSpec>, checks: Vec<CheckSpec>) -> Result<Self, InvalidGraph> {
        let _ = (ops, checks);
        todo!()
    }

    /// How many assets there are.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The assets in the order of their keys.
    pub fn ids(&self) -> impl ExactSizeIterator<Item = AssetId> + use<> {
        (0..u32::try_from(self.places.len()).unwrap_or(u32::MAX)).map(AssetId)
    }

    /// The assets, each after everything it is made from; by key where that leaves a choice.
    pub fn topological(&self) -> &[AssetId] {
        &self.order
    }

    /// The asset with this key.
    pub fn id(&self, key: &AssetKey) -> Option<AssetId> {
        self.ids.get(key).copied()
    }

    /// What was declared of an asset.
    pub fn asset(&self, id: AssetId) -> &AssetSpec {
        let (op, place) = self.places[id.0 as usize];
        &self.ops[op.0 as usize].assets[place]
    }

    /// The key of an asset.
    pub fn key(&self, id: AssetId) -> &AssetKey {
        &self.asset(id).key
    }

    /// How an asset is divided.
    pub fn partitions(&self, id: AssetId) -> Option<&PartitionsDefinition> {
        self.asset(id).partitions.as_deref()
    }

    /// The op that makes an asset.
    pub fn op_of(&self, id: AssetId) -> OpId {
        self.places[id.0 as usize].0
    }

    /// What was declared of an op.
    pub fn op(&self, id: OpId) -> &OpSpec {
        &self.ops[id.0 as usize]
    }

    /// The ops in the order of their names.
    pub fn ops(&self) -> impl ExactSizeIterator<Item = (OpId, &OpSpec)> {
        (0..)
            .map(OpId)
            .zip(&self.ops)
            .collect::<Vec<_>>()
            .into_iter()
    }

    /// The checks that are functions of their own.
    pub fn checks(&self) -> &[CheckSpec] {
        &self.checks
    }

    /// What an asset is made from, by key. May hold the asset itself.
    pub fn upstream(&self, id: AssetId) -> &[Edge] {
        &self.upstream[id.0 as usize]
    }

    /// What is made from an asset, by key. May hold the asset itself.
    pub fn downstream(&self, id: AssetId) -> &[Edge] {
        &self.downstream[id.0 as usize]
    }
}
