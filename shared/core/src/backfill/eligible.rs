//! Which partitions of a target can be asked for in a wave.

use crate::{
    backfill::{
        BackfillError,
        queue::{Queue, Unit},
        run_request::policy,
        waiting::Waiting,
    },
    graph::{AssetId, Edge},
    partitions::PartitionSet,
    plan::{AssetPartitions, Lineage},
    spec::BackfillPolicy,
};

/// Everything a wave is decided from.
#[derive(Clone, Copy)]
pub(super) struct Wave<'a> {
    pub lineage: Lineage<'a>,
    pub target: &'a AssetPartitions,
    pub requested: &'a AssetPartitions,
    pub materialized: &'a AssetPartitions,
    pub given_up: &'a AssetPartitions,
}

/// Walks down from the candidates, and keeps what can run: what waits for nothing, and what can run
/// together with everything it waits for. `seen` are the candidates at the start.
pub(super) fn eligible(
    wave: &Wave<'_>,
    mut queue: Queue<'_>,
    mut seen: AssetPartitions,
) -> Result<AssetPartitions, BackfillError> {
    let graph = wave.lineage.graph;
    let mut asked = AssetPartitions::new();
    while let Some(unit) = queue.pop() {
        let mut set = unit.set.clone();
        for &asset in &unit.assets {
            if set.is_empty() {
                break;
            }
            set = can_run(wave, asset, set, &unit, &asked)?;
        }
        for &asset in &unit.assets {
            asked.add(asset, &set);
        }
        for &asset in &unit.assets {
            for edge in graph.downstream(asset).iter().filter(|e| e.asset != asset) {
                let below = wave.lineage.to_downstream(asset, &set, edge)?;
                let new = &below - seen.of(edge.asset);
                if !new.is_empty() {
                    queue.push(edge.asset, &new);
                    seen.add(edge.asset, &new);
                }
            }
        }
    }
    Ok(asked)
}

/// The partitions in `set` that `asset` can run in this wave, given what has been `asked` for in it.
fn can_run(
    wave: &Wave<'_>,
    asset: AssetId,
    set: PartitionSet,
    unit: &Unit,
    asked: &AssetPartitions,
) -> Result<PartitionSet, BackfillError> {
    let graph = wave.lineage.graph;
    let mut set = &set & wave.target.of(asset);
    set -= wave.given_up.of(asset);
    set -= wave.materialized.of(asset);
    set -= wave.requested.of(asset);
    let upstream_asked = graph
        .upstream(asset)
        .iter()
        .any(|edge| asked.has(edge.asset));
    for edge in graph.upstream(asset) {
        if set.is_empty() {
            break;
        }
        let above = existing_upstream(wave.lineage, asset, &set, edge)?;
        let unmade = &(&above & wave.target.of(edge.asset)) - wave.materialized.of(edge.asset);
        let held = held_by(wave.lineage, asset, edge.asset, &unmade)?;
        let held = &held & &set;
        if held.is_empty() {
            continue;
        }
        let itself = edge.asset == asset;
        let waiting = Waiting {
            wave,
            asset,
            edge,
            set: &set,
            unit,
            asked,
            unmade: &unmade,
        };
        if waiting.has_to_wait() {
            // What runs together with its upstream has to ask for the same partitions, or the two
            // would land in different runs: then nothing of it can run yet.
            if !itself && upstream_asked {
                set = PartitionSet::empty();
            } else {
                set -= &held;
            }
        }
        if itself && let BackfillPolicy::MultiRun(most) = policy(wave.lineage, asset) {
            let most = usize::try_from(most.get()).unwrap_or(usize::MAX);
            set = set.iter().take(most).collect();
        }
    }
    Ok(set)
}

/// The upstream partitions of `set`, all of which have to exist.
fn existing_upstream(
    lineage: Lineage<'_>,
    asset: AssetId,
    set: &PartitionSet,
    edge: &Edge,
) -> Result<PartitionSet, BackfillError> {
    let above = lineage.to_upstream(asset, set, edge)?;
    match above.nonexistent.into_iter().next() {
        None => Ok(above.existing),
        Some(key) => Err(BackfillError::NonexistentUpstream {
            asset: lineage.graph.key(asset).clone(),
            upstream: lineage.graph.key(edge.asset).clone(),
            key,
        }),
    }
}

/// The partitions of `asset` that are made from `unmade` partitions of `upstream`.
fn held_by(
    lineage: Lineage<'_>,
    asset: AssetId,
    upstream: AssetId,
    unmade: &PartitionSet,
) -> Result<PartitionSet, BackfillError> {
    let mut down = lineage.graph.downstream(upstream).iter();
    match down.find(|edge| edge.asset == asset) {
        Some(edge) => Ok(lineage.to_downstream(upstream, unmade, edge)?),
        None => Ok(PartitionSet::empty()),
    }
}
