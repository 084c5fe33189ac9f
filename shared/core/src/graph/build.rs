//! Putting declarations together, and finding everything that is wrong with them.

use std::collections::{BTreeMap, btree_map::Entry};

use crate::{
    graph::{
        AssetGraph, AssetId, GraphProblem, InvalidGraph, OpId,
        asset_graph::Place,
        edges::{self, Edges},
        order,
    },
    key::{AssetKey, CheckKey},
    nearest,
    spec::{AssetSpec, BackfillPolicy, OpSpec},
};

/// As Dagster: more kinds than this are refused.
const MOST_KINDS: usize = 10;

pub(super) fn build(
    mut ops: Vec<OpSpec>,
    external: Vec<AssetSpec>,
) -> Result<AssetGraph, InvalidGraph> {
    ops.sort_by(|a, b| a.name.cmp(&b.name));
    let mut problems = Vec::new();
    check_ops(&ops, &mut problems);
    let (ids, places) = index_assets(&ops, &external, &mut problems);
    let assets = Assets {
        ops: &ops,
        external: &external,
        ids: &ids,
        places: &places,
    };
    check_assets(&assets, &mut problems);
    let Edges {
        upstream,
        downstream,
    } = edges::connect(&assets, &mut problems);
    let order = order::order(&assets, &upstream, &downstream, &mut problems);
    let (checks, checks_of) = index_checks(&assets, &mut problems);
    InvalidGraph::unless_empty(problems)?;
    Ok(AssetGraph {
        ops,
        external,
        ids,
        places,
        upstream,
        downstream,
        order,
        checks,
        checks_of,
    })
}

/// The declarations, and where each asset is among them, while the graph is being put together.
pub(super) struct Assets<'a> {
    pub(super) ops: &'a [OpSpec],
    pub(super) external: &'a [AssetSpec],
    pub(super) ids: &'a BTreeMap<AssetKey, AssetId>,
    pub(super) places: &'a [Place],
}

impl Assets<'_> {
    pub(super) fn spec(&self, id: AssetId) -> &AssetSpec {
        match self.places[id.index()] {
            Place::Op(op, place) => &self.ops[op.0 as usize].assets[place],
            Place::External(place) => &self.external[place],
        }
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = AssetId> + use<> {
        (0..AssetId::at(self.places.len()).0).map(AssetId)
    }

    /// The declared keys most like one that is not declared.
    pub(super) fn nearest(&self, key: &AssetKey) -> Vec<AssetKey> {
        nearest::nearest(key.as_str(), self.ids.keys().map(AssetKey::as_str))
            .into_iter()
            .filter_map(|near| self.ids.get_key_value(near).map(|(key, _)| key.clone()))
            .collect()
    }
}

/// What can be said of each op by itself.
fn check_ops(ops: &[OpSpec], problems: &mut Vec<GraphProblem>) {
    for pair in ops.windows(2) {
        if pair[0].name == pair[1].name {
            problems.push(GraphProblem::DuplicateOp {
                name: pair[0].name.clone(),
            });
        }
    }
    for op in ops {
        let name = op.name.clone();
        if name.split(':').any(|part| AssetKey::new(part).is_err()) {
            problems.push(GraphProblem::InvalidOpName { name });
        } else if op.assets.is_empty() && op.checks.is_empty() {
            problems.push(GraphProblem::EmptyOp { op: name });
        } else if let Some((first, rest)) = op.assets.split_first()
            && let Some(second) = rest
                .iter()
                .find(|asset| asset.partitions != first.partitions)
        {
            let (first, second) = (first.key.clone(), second.key.clone());
            problems.push(GraphProblem::MixedPartitions {
                op: name,
                first,
                second,
            });
        } else if matches!(op.backfill, BackfillPolicy::MultiRun(_))
            && op.assets.iter().any(|asset| asset.partitions.is_none())
        {
            problems.push(GraphProblem::BatchedUnpartitioned { op: name });
        }
    }
}

/// Gives every key an id; of two assets with one key the first is kept.
fn index_assets(
    ops: &[OpSpec],
    external: &[AssetSpec],
    problems: &mut Vec<GraphProblem>,
) -> (BTreeMap<AssetKey, AssetId>, Vec<Place>) {
    let made = (0..).map(OpId).zip(ops).flat_map(|(id, op)| {
        op.assets
            .iter()
            .enumerate()
            .map(move |(place, asset)| (&asset.key, Place::Op(id, place)))
    });
    let found = external
        .iter()
        .enumerate()
        .map(|(place, asset)| (&asset.key, Place::External(place)));

    let op_name = |place: Place| match place {
        Place::Op(op, _) => Some(ops[op.0 as usize].name.clone()),
        Place::External(_) => None,
    };
    let mut by_key: BTreeMap<AssetKey, Place> = BTreeMap::new();
    for (key, place) in made.chain(found) {
        match by_key.entry(key.clone()) {
            Entry::Vacant(free) => {
                free.insert(place);
            }
            Entry::Occupied(taken) => problems.push(GraphProblem::DuplicateAsset {
                key: key.clone(),
                first: op_name(*taken.get()),
                second: op_name(place),
            }),
        }
    }
    let places = by_key.values().copied().collect();
    let ids = by_key.into_keys().zip((0..).map(AssetId)).collect();
    (ids, places)
}

/// What can be said of each asset by itself.
fn check_assets(assets: &Assets<'_>, problems: &mut Vec<GraphProblem>) {
    for id in assets.ids() {
        let spec = assets.spec(id);
        if spec.kinds.len() > MOST_KINDS {
            let (asset, count) = (spec.key.clone(), spec.kinds.len());
            problems.push(GraphProblem::TooManyKinds { asset, count });
        }
    }
}

type Checks = (Vec<(OpId, usize)>, Vec<std::ops::Range<u32>>);

/// Orders the checks by key, so that the checks of one asset stand together.
fn index_checks(assets: &Assets<'_>, problems: &mut Vec<GraphProblem>) -> Checks {
    let mut by_key: BTreeMap<(AssetId, &str), (OpId, usize)> = BTreeMap::new();
    for (id, op) in (0..).map(OpId).zip(assets.ops) {
        for (place, check) in op.checks.iter().enumerate() {
            let key = &check.key;
            check_check(assets, op, place, problems);
            let Some(asset) = assets.ids.get(&key.asset) else {
                continue;
            };
            if by_key.insert((*asset, &key.name), (id, place)).is_some() {
                problems.push(GraphProblem::DuplicateCheck { key: key.clone() });
            }
        }
    }
    let mut checks_of = vec![0..0; assets.places.len()];
    for (place, (asset, _)) in (0u32..).zip(by_key.keys()) {
        let range = &mut checks_of[asset.index()];
        if range.end == 0 {
            range.start = place;
        }
        range.end = place + 1;
    }
    (by_key.into_values().collect(), checks_of)
}

/// What can be said of one check by itself.
fn check_check(assets: &Assets<'_>, op: &OpSpec, place: usize, problems: &mut Vec<GraphProblem>) {
    let check = &op.checks[place];
    let CheckKey { asset, name } = &check.key;
    if !CheckKey::is_name(name) {
        let (asset, name) = (asset.clone(), name.clone());
        problems.push(GraphProblem::InvalidCheckName { asset, name });
    }
    let deps = check.additional_deps.iter().map(|dep| &dep.asset);
    for named in std::iter::once(asset).chain(deps.clone()) {
        if !assets.ids.contains_key(named) {
            problems.push(GraphProblem::UnknownCheckedAsset {
                check: check.key.clone(),
                asset: named.clone(),
                nearest: assets.nearest(named),
            });
        }
    }
    if deps.clone().any(|dep| dep == asset) {
        problems.push(GraphProblem::CheckReadsItsAsset {
            check: check.key.clone(),
        });
    }
    let makes = |key: &AssetKey| op.assets.iter().any(|made| made.key == *key);
    if !op.assets.is_empty() && assets.ids.contains_key(asset) && !makes(asset) {
        let (op, check) = (op.name.clone(), check.key.clone());
        problems.push(GraphProblem::CheckOnOtherAsset { op, check });
    }
}
