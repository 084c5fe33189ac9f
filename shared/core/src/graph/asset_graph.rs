//! [`AssetGraph`]: assets and the dependencies between them.

use std::{collections::BTreeMap, ops::Range};

use crate::{
    graph::{AssetId, CheckId, InvalidGraph, OpId},
    key::{AssetKey, CheckKey},
    mapping::PartitionMapping,
    partitions::PartitionsDefinition,
    spec::{AssetSpec, CheckSpec, DepNeed, OpSpec},
};

/// A dependency, seen from one of its two ends.
#[derive(Debug, Clone, PartialEq)]
pub struct Edge {
    /// The asset at the other end.
    pub asset: AssetId,
    /// The mapping between partitions of the two ends, given or inferred.
    pub mapping: PartitionMapping,
    /// The effect of a skipped partition of the upstream end.
    pub need: DepNeed,
}

impl Edge {
    /// Returns `true` if skipped upstream partitions can skip partitions of `reader`. Earlier
    /// partitions of an asset itself that are only named give an order: one day without anything to
    /// make does not skip every day after it.
    pub fn passes_on_skips(&self, reader: AssetId) -> bool {
        match self.need {
            DepNeed::Data => true,
            DepNeed::Order => self.asset != reader,
            DepNeed::Optional => false,
        }
    }
}

/// The assets of a project and their dependencies. A graph has no cycles, and every mapping fits
/// the definitions on its two sides. An asset may depend on *earlier partitions of itself*.
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
/// // `raw/flights` is external: something outside the project writes it.
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
    /// The declaration of each asset.
    pub(super) declared_at: Vec<DeclaredAt>,
    pub(super) upstream: Vec<Vec<Edge>>,
    pub(super) downstream: Vec<Vec<Edge>>,
    pub(super) order: Vec<AssetId>,
    /// The declaration of each check: the op, and the index in the op.
    pub(super) checks: Vec<(OpId, usize)>,
    /// The checks of each asset: a range of indices in `checks`.
    pub(super) checks_of: Vec<Range<u32>>,
}

/// The position of an asset's declaration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DeclaredAt {
    /// The op, and the index in the op.
    Op(OpId, usize),
    /// The index among the external assets.
    External(usize),
}

impl AssetGraph {
    /// Builds a graph from ops and *external* assets, which something outside the project
    /// materializes.
    ///
    /// # Errors
    /// [`InvalidGraph`] with every error: duplicates, unknown upstream assets, cycles, mappings that
    /// do not fit, and the others that [`GraphError`](super::GraphError) lists.
    pub fn new(ops: Vec<OpSpec>, external: Vec<AssetSpec>) -> Result<Self, InvalidGraph> {
        super::build::build_graph(ops, external)
    }

    /// Returns the external assets in the order given.
    pub fn external_assets(&self) -> &[AssetSpec] {
        &self.external
    }

    /// Returns the number of assets.
    pub fn len(&self) -> usize {
        self.declared_at.len()
    }

    /// Returns `true` if the graph has no asset.
    pub fn is_empty(&self) -> bool {
        self.declared_at.is_empty()
    }

    /// Iterates over the assets in the order of their keys.
    pub fn ids(&self) -> impl ExactSizeIterator<Item = AssetId> + use<> {
        (0..AssetId::from_index(self.declared_at.len()).0).map(AssetId)
    }

    /// Returns the assets in topological order; by key where that leaves a choice.
    pub fn topological(&self) -> &[AssetId] {
        &self.order
    }

    /// Returns the asset with a key.
    pub fn id(&self, key: &AssetKey) -> Option<AssetId> {
        self.ids.get(key).copied()
    }

    /// Returns the asset with a key that is not parsed.
    pub fn id_of(&self, key: &str) -> Option<AssetId> {
        self.ids.get(key).copied()
    }

    /// Iterates over the keys in order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &AssetKey> {
        self.ids.keys()
    }

    /// Returns the declaration of an asset.
    pub fn asset(&self, id: AssetId) -> &AssetSpec {
        match self.declared_at[id.index()] {
            DeclaredAt::Op(op, index) => &self.ops[op.0 as usize].assets[index],
            DeclaredAt::External(index) => &self.external[index],
        }
    }

    /// Returns the key of an asset.
    pub fn key(&self, id: AssetId) -> &AssetKey {
        &self.asset(id).key
    }

    /// Returns the partitions definition of an asset; `None` for an unpartitioned one.
    pub fn partitions(&self, id: AssetId) -> Option<&PartitionsDefinition> {
        self.asset(id).partitions.as_deref()
    }

    /// Returns the op that materializes an asset; `None` for an external asset.
    pub fn op_of(&self, id: AssetId) -> Option<OpId> {
        match self.declared_at[id.index()] {
            DeclaredAt::Op(op, _) => Some(op),
            DeclaredAt::External(_) => None,
        }
    }

    /// Returns `true` if something outside the project materializes an asset.
    pub fn is_external(&self, id: AssetId) -> bool {
        self.op_of(id).is_none()
    }

    /// Returns the declaration of an op.
    pub fn op(&self, id: OpId) -> &OpSpec {
        &self.ops[id.0 as usize]
    }

    /// Returns the op with a name.
    pub fn op_named(&self, name: &str) -> Option<&OpSpec> {
        self.op_id(name).map(|id| self.op(id))
    }

    /// Returns the id of the op with a name.
    pub fn op_id(&self, name: &str) -> Option<OpId> {
        let index = self
            .ops
            .binary_search_by(|op| op.name.as_str().cmp(name))
            .ok()?;
        Some(OpId(u32::try_from(index).ok()?))
    }

    /// Iterates over the ops in the order of their names, including those that only check.
    pub fn ops(&self) -> impl Iterator<Item = (OpId, &OpSpec)> {
        (0..).map(OpId).zip(&self.ops)
    }

    /// Iterates over the assets of an op in the order of their declaration.
    pub fn assets_of(&self, id: OpId) -> impl Iterator<Item = AssetId> + '_ {
        self.op(id)
            .assets
            .iter()
            .filter_map(|asset| self.id(&asset.key))
    }

    /// Returns the edges to the upstream assets, in the order of their keys. One may lead to the
    /// asset itself.
    pub fn upstream(&self, id: AssetId) -> &[Edge] {
        &self.upstream[id.index()]
    }

    /// Returns the edges to the downstream assets, in the order of their keys. One may lead to the
    /// asset itself.
    pub fn downstream(&self, id: AssetId) -> &[Edge] {
        &self.downstream[id.index()]
    }

    /// Iterates over all checks in the order of their keys.
    pub fn checks(&self) -> impl Iterator<Item = (CheckId, &CheckSpec)> {
        (0..)
            .map(CheckId)
            .zip(&self.checks)
            .map(|(id, (op, index))| (id, self.check_at(*op, *index)))
    }

    /// Iterates over the checks of one asset in the order of their names.
    pub fn checks_of(&self, asset: AssetId) -> impl ExactSizeIterator<Item = CheckId> + use<> {
        self.checks_of[asset.index()].clone().map(CheckId)
    }

    /// Returns the declaration of a check.
    pub fn check(&self, id: CheckId) -> &CheckSpec {
        let (op, index) = self.checks[id.0 as usize];
        self.check_at(op, index)
    }

    /// Returns the check with a key.
    pub fn check_id(&self, key: &CheckKey) -> Option<CheckId> {
        self.checks_of(self.id(&key.asset)?)
            .find(|id| self.check(*id).key.name == key.name)
    }

    /// Returns the op that runs a check: the op that materializes the checked asset if it returns
    /// the check's result, otherwise an op that runs after the asset.
    pub fn op_of_check(&self, id: CheckId) -> OpId {
        self.checks[id.0 as usize].0
    }

    fn check_at(&self, op: OpId, index: usize) -> &CheckSpec {
        &self.ops[op.0 as usize].checks[index]
    }
}
