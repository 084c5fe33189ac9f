//! Building a graph from declarations, and collecting every error in them.

use std::collections::{BTreeMap, btree_map::Entry};

use crate::{
    graph::{
        AssetGraph, AssetId, GraphError, InvalidGraph, OpId,
        asset_graph::DeclaredAt,
        edges::{self, Edges},
        order,
    },
    key::{AssetKey, CheckKey},
    nearest,
    spec::{AssetSpec, BackfillPolicy, OpSpec},
};

/// The largest number of kinds of an asset, as in Dagster.
const MOST_KINDS: usize = 10;

/// Builds a graph.
///
/// # Errors
/// [`InvalidGraph`] with every error of the declarations.
pub(super) fn build_graph(
    mut ops: Vec<OpSpec>,
    external: Vec<AssetSpec>,
) -> Result<AssetGraph, InvalidGraph> {
    ops.sort_by(|a, b| a.name.cmp(&b.name));
    let mut errors = Vec::new();
    // Each step adds its errors and leaves something usable to the next, so that one attempt
    // reports everything.
    check_ops(&ops, &mut errors);
    let (ids, declared_at) = index_assets(&ops, &external, &mut errors);
    let assets = Assets {
        ops: &ops,
        external: &external,
        ids: &ids,
        declared_at: &declared_at,
    };
    check_assets(&assets, &mut errors);
    let Edges {
        upstream,
        downstream,
    } = edges::connect_assets(&assets, &mut errors);
    let order = order::topological_order(&assets, &upstream, &downstream, &mut errors);
    let (checks, checks_of) = index_checks(&assets, &mut errors);
    InvalidGraph::unless_empty(errors)?;
    Ok(AssetGraph {
        ops,
        external,
        ids,
        declared_at,
        upstream,
        downstream,
        order,
        checks,
        checks_of,
    })
}

/// The declarations of a graph under construction, with the position of each asset.
pub(super) struct Assets<'a> {
    pub(super) ops: &'a [OpSpec],
    pub(super) external: &'a [AssetSpec],
    pub(super) ids: &'a BTreeMap<AssetKey, AssetId>,
    pub(super) declared_at: &'a [DeclaredAt],
}

impl Assets<'_> {
    /// Returns the declaration of an asset.
    pub(super) fn spec(&self, id: AssetId) -> &AssetSpec {
        match self.declared_at[id.index()] {
            DeclaredAt::Op(op, index) => &self.ops[op.0 as usize].assets[index],
            DeclaredAt::External(index) => &self.external[index],
        }
    }

    /// Iterates over the assets in the order of their keys.
    pub(super) fn ids(&self) -> impl Iterator<Item = AssetId> + use<> {
        (0..AssetId::from_index(self.declared_at.len()).0).map(AssetId)
    }

    /// Returns the declared keys nearest to one that is not declared.
    pub(super) fn nearest(&self, key: &AssetKey) -> Vec<AssetKey> {
        nearest::nearest_names(key.as_str(), self.ids.keys().map(AssetKey::as_str))
            .into_iter()
            .filter_map(|near| self.ids.get_key_value(near).map(|(key, _)| key.clone()))
            .collect()
    }
}

/// Checks each op by itself.
fn check_ops(ops: &[OpSpec], errors: &mut Vec<GraphError>) {
    // The ops are sorted by name, so that duplicates are neighbours.
    for pair in ops.windows(2) {
        if pair[0].name == pair[1].name {
            errors.push(GraphError::DuplicateOp {
                name: pair[0].name.clone(),
            });
        }
    }
    for op in ops {
        let name = op.name.clone();
        if name.split(':').any(|part| AssetKey::new(part).is_err()) {
            errors.push(GraphError::InvalidOpName { name });
        } else if op.assets.is_empty() && op.checks.is_empty() {
            errors.push(GraphError::EmptyOp { op: name });
        } else if let Some((first, rest)) = op.assets.split_first()
            && let Some(second) = rest
                .iter()
                .find(|asset| asset.partitions != first.partitions)
        {
            let (first, second) = (first.key.clone(), second.key.clone());
            errors.push(GraphError::MixedPartitions {
                op: name,
                first,
                second,
            });
        } else if matches!(op.backfill, BackfillPolicy::MultiRun(_))
            && op.assets.iter().any(|asset| asset.partitions.is_none())
        {
            errors.push(GraphError::BatchedUnpartitioned { op: name });
        }
    }
}

/// Assigns an id to every key. Of two assets with the same key the first is kept.
fn index_assets(
    ops: &[OpSpec],
    external: &[AssetSpec],
    errors: &mut Vec<GraphError>,
) -> (BTreeMap<AssetKey, AssetId>, Vec<DeclaredAt>) {
    let made = (0..).map(OpId).zip(ops).flat_map(|(id, op)| {
        op.assets
            .iter()
            .enumerate()
            .map(move |(index, asset)| (&asset.key, DeclaredAt::Op(id, index)))
    });
    let found = external
        .iter()
        .enumerate()
        .map(|(index, asset)| (&asset.key, DeclaredAt::External(index)));

    let op_name = |declared_at: DeclaredAt| match declared_at {
        DeclaredAt::Op(op, _) => Some(ops[op.0 as usize].name.clone()),
        DeclaredAt::External(_) => None,
    };
    // Ids follow the order of the keys: the position in the sorted map is the id.
    let mut by_key: BTreeMap<AssetKey, DeclaredAt> = BTreeMap::new();
    for (key, declared_at) in made.chain(found) {
        match by_key.entry(key.clone()) {
            Entry::Vacant(free) => {
                free.insert(declared_at);
            }
            Entry::Occupied(taken) => errors.push(GraphError::DuplicateAsset {
                key: key.clone(),
                first: op_name(*taken.get()),
                second: op_name(declared_at),
            }),
        }
    }
    let declared_at = by_key.values().copied().collect();
    let ids = by_key.into_keys().zip((0..).map(AssetId)).collect();
    (ids, declared_at)
}

/// Checks each asset by itself.
fn check_assets(assets: &Assets<'_>, errors: &mut Vec<GraphError>) {
    for id in assets.ids() {
        let spec = assets.spec(id);
        if spec.kinds.len() > MOST_KINDS {
            let (asset, count) = (spec.key.clone(), spec.kinds.len());
            errors.push(GraphError::TooManyKinds { asset, count });
        }
    }
}

/// The declaration of each check, and the range of checks of each asset.
type Checks = (Vec<(OpId, usize)>, Vec<std::ops::Range<u32>>);

/// Sorts the checks by key, so that the checks of one asset are contiguous.
fn index_checks(assets: &Assets<'_>, errors: &mut Vec<GraphError>) -> Checks {
    let mut by_key: BTreeMap<(AssetId, &str), (OpId, usize)> = BTreeMap::new();
    for (id, op) in (0..).map(OpId).zip(assets.ops) {
        for (index, check) in op.checks.iter().enumerate() {
            let key = &check.key;
            check_asset_check(assets, op, index, errors);
            let Some(asset) = assets.ids.get(&key.asset) else {
                continue;
            };
            if by_key.insert((*asset, &key.name), (id, index)).is_some() {
                errors.push(GraphError::DuplicateCheck { key: key.clone() });
            }
        }
    }
    // An asset without checks keeps the empty range 0..0.
    let mut checks_of = vec![0..0; assets.declared_at.len()];
    for (index, (asset, _)) in (0u32..).zip(by_key.keys()) {
        let range = &mut checks_of[asset.index()];
        if range.end == 0 {
            range.start = index;
        }
        range.end = index + 1;
    }
    (by_key.into_values().collect(), checks_of)
}

/// Checks one asset check by itself.
fn check_asset_check(assets: &Assets<'_>, op: &OpSpec, index: usize, errors: &mut Vec<GraphError>) {
    let check = &op.checks[index];
    let CheckKey { asset, name } = &check.key;
    if !CheckKey::is_name(name) {
        let (asset, name) = (asset.clone(), name.clone());
        errors.push(GraphError::InvalidCheckName { asset, name });
    }
    // Both the checked asset and the additional dependencies have to exist.
    let deps = check.additional_deps.iter().map(|dep| &dep.asset);
    for named in std::iter::once(asset).chain(deps.clone()) {
        if !assets.ids.contains_key(named) {
            errors.push(GraphError::UnknownCheckedAsset {
                check: check.key.clone(),
                asset: named.clone(),
                nearest: assets.nearest(named),
            });
        }
    }
    if deps.clone().any(|dep| dep == asset) {
        errors.push(GraphError::CheckReadsItsAsset {
            check: check.key.clone(),
        });
    }
    // An op that materializes assets runs checks of those only; any other check is an op of its
    // own.
    let makes = |key: &AssetKey| op.assets.iter().any(|made| made.key == *key);
    if !op.assets.is_empty() && assets.ids.contains_key(asset) && !makes(asset) {
        let (op, check) = (op.name.clone(), check.key.clone());
        errors.push(GraphError::CheckOnOtherAsset { op, check });
    }
}
