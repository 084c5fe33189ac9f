//! [`AssetGraph`] itself.

use std::{collections::BTreeMap, ops::Range};

use crate::{
    graph::{AssetId, CheckId, InvalidGraph, OpId},
    key::{AssetKey, CheckKey},
    mapping::PartitionMapping,
    partitions::PartitionsDefinition,
    spec::{AssetSpec, CheckSpec, OpSpec},
};

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
///
/// ```
/// use precip_core::{
///     graph::AssetGraph,
///     spec::{AssetSpec, DepSpec, OpSpec},
/// };
///
/// let raw = AssetSpec::new("raw/flights".parse()?);
/// let mut daily = AssetSpec::new("daily_flights".parse()?);
/// daily.deps.push(DepSpec::new(raw.key.clone()));
///
/// // Nothing here makes `raw/flights`: somebody else puts it there.
/// let graph = AssetGraph::new(vec![OpSpec::single(daily)], vec![raw])?;
/// let keys: Vec<_> = graph.topological().iter().map(|id| graph.key(*id).as_str()).collect();
/// assert_eq!(keys, ["raw/flights", "daily_flights"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct AssetGraph {
    pub(super) ops: Vec<OpSpec>,
    pub(super) external: Vec<AssetSpec>,
    pub(super) ids: BTreeMap<AssetKey, AssetId>,
    /// Where each asset's declaration is.
    pub(super) places: Vec<Place>,
    pub(super) upstream: Vec<Vec<Edge>>,
    pub(super) downstream: Vec<Vec<Edge>>,
    pub(super) order: Vec<AssetId>,
    /// Op and place in the op, by check.
    pub(super) checks: Vec<(OpId, usize)>,
    /// The checks of each asset.
    pub(super) checks_of: Vec<Range<u32>>,
}

/// Where the declaration of an asset is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// An op, and the place in the op.
    Op(OpId, usize),
    /// The place among the external assets.
    External(usize),
}

impl AssetGraph {
    /// Puts declarations together: the ops, and the *external* assets, which something outside the
    /// project makes.
    ///
    /// # Errors
    /// [`InvalidGraph`] with everything that is wrong: duplicates, unknown upstream assets, cycles,
    /// mappings that do not fit, and whatever else [`GraphProblem`](super::GraphProblem) lists.
    pub fn new(ops: Vec<OpSpec>, external: Vec<AssetSpec>) -> Result<Self, InvalidGraph> {
        super::build::build(ops, external)
    }

    /// The external assets as they were given.
    pub fn external(&self) -> &[AssetSpec] {
        &self.external
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
        (0..AssetId::at(self.places.len()).0).map(AssetId)
    }

    /// The assets, each after everything it is made from; by key where that leaves a choice.
    pub fn topological(&self) -> &[AssetId] {
        &self.order
    }

    /// The asset with this key.
    pub fn id(&self, key: &AssetKey) -> Option<AssetId> {
        self.ids.get(key).copied()
    }

    /// The asset with a key that is only a string yet.
    pub fn id_of(&self, key: &str) -> Option<AssetId> {
        self.ids.get(key).copied()
    }

    /// The keys, in order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &AssetKey> {
        self.ids.keys()
    }

    /// What was declared of an asset.
    pub fn asset(&self, id: AssetId) -> &AssetSpec {
        match self.places[id.index()] {
            Place::Op(op, place) => &self.ops[op.0 as usize].assets[place],
            Place::External(place) => &self.external[place],
        }
    }

    /// The key of an asset.
    pub fn key(&self, id: AssetId) -> &AssetKey {
        &self.asset(id).key
    }

    /// How an asset is divided.
    pub fn partitions(&self, id: AssetId) -> Option<&PartitionsDefinition> {
        self.asset(id).partitions.as_deref()
    }

    /// The op that makes an asset; `None` for an external asset.
    pub fn op_of(&self, id: AssetId) -> Option<OpId> {
        match self.places[id.index()] {
            Place::Op(op, _) => Some(op),
            Place::External(_) => None,
        }
    }

    /// Whether something outside the project makes an asset.
    pub fn is_external(&self, id: AssetId) -> bool {
        self.op_of(id).is_none()
    }

    /// What was declared of an op.
    pub fn op(&self, id: OpId) -> &OpSpec {
        &self.ops[id.0 as usize]
    }

    /// The op with this name.
    pub fn op_id(&self, name: &str) -> Option<OpId> {
        let place = self
            .ops
            .binary_search_by(|op| op.name.as_str().cmp(name))
            .ok()?;
        Some(OpId(u32::try_from(place).ok()?))
    }

    /// The ops in the order of their names, those that only check among them.
    pub fn ops(&self) -> impl Iterator<Item = (OpId, &OpSpec)> {
        (0..).map(OpId).zip(&self.ops)
    }

    /// The assets that an op makes, in the order in which it declares them.
    pub fn assets_of(&self, id: OpId) -> impl Iterator<Item = AssetId> + '_ {
        self.op(id)
            .assets
            .iter()
            .filter_map(|asset| self.id(&asset.key))
    }

    /// What an asset is made from, by key. May hold the asset itself.
    pub fn upstream(&self, id: AssetId) -> &[Edge] {
        &self.upstream[id.index()]
    }

    /// What is made from an asset, by key. May hold the asset itself.
    pub fn downstream(&self, id: AssetId) -> &[Edge] {
        &self.downstream[id.index()]
    }

    /// All checks in the order of their keys.
    pub fn checks(&self) -> impl Iterator<Item = (CheckId, &CheckSpec)> {
        (0..)
            .map(CheckId)
            .zip(&self.checks)
            .map(|(id, (op, place))| (id, self.check_at(*op, *place)))
    }

    /// The checks of one asset in the order of their names.
    pub fn checks_of(&self, asset: AssetId) -> impl ExactSizeIterator<Item = CheckId> + use<> {
        self.checks_of[asset.index()].clone().map(CheckId)
    }

    /// What was declared of a check.
    pub fn check(&self, id: CheckId) -> &CheckSpec {
        let (op, place) = self.checks[id.0 as usize];
        self.check_at(op, place)
    }

    /// The check with this key.
    pub fn check_id(&self, key: &CheckKey) -> Option<CheckId> {
        self.checks_of(self.id(&key.asset)?)
            .find(|id| self.check(*id).key.name == key.name)
    }

    /// The op that runs a check. It is the op that makes the checked asset when that returns the
    /// check's result; any other op runs after the asset.
    pub fn op_of_check(&self, id: CheckId) -> OpId {
        self.checks[id.0 as usize].0
    }

    fn check_at(&self, op: OpId, place: usize) -> &CheckSpec {
        &self.ops[op.0 as usize].checks[place]
    }
}
