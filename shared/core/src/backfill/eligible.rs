//! [`Wave`]: deciding which partitions of a target can be requested in one wave.

use crate::{
    backfill::{
        BackfillError,
        queue::{Queue, Unit},
        run_request::policy_of_asset,
        waiting::Waiting,
    },
    graph::{AssetId, Edge},
    partitions::PartitionSet,
    plan::{AssetPartitions, Lineage},
    spec::BackfillPolicy,
};

/// The state of a backfill that a wave is decided from.
#[derive(Clone, Copy)]
pub(super) struct Wave<'a> {
    pub lineage: Lineage<'a>,
    pub target: &'a AssetPartitions,
    pub requested: &'a AssetPartitions,
    pub materialized: &'a AssetPartitions,
    pub given_up: &'a AssetPartitions,
}

/// Walks downstream from the candidates and returns what can run: partitions that wait for nothing,
/// and those that can share a run with everything they wait for. `seen` holds the candidates at the
/// start.
pub(super) fn find_eligible(
    wave: &Wave<'_>,
    mut queue: Queue<'_>,
    mut seen: AssetPartitions,
) -> Result<AssetPartitions, BackfillError> {
    let graph = wave.lineage.graph;
    let mut wave_requests = AssetPartitions::new();
    // The queue returns upstream assets first, so that `wave_requests` is final for everything above.
    while let Some(unit) = queue.pop_unit() {
        let mut set = unit.set.clone();
        // The assets of one op run the same partitions: each may narrow the set for all of them.
        for &asset in &unit.assets {
            if set.is_empty() {
                break;
            }
            set = can_run(wave, asset, set, &unit, &wave_requests)?;
        }
        for &asset in &unit.assets {
            wave_requests.add(asset, &set);
        }
        for &asset in &unit.assets {
            for edge in graph.downstream(asset).iter().filter(|e| e.asset != asset) {
                let below = wave.lineage.to_downstream(asset, &set, edge)?;
                let new = &below - seen.of(edge.asset);
                if !new.is_empty() {
                    queue.push_partitions(edge.asset, &new);
                    seen.add(edge.asset, &new);
                }
            }
        }
    }
    Ok(wave_requests)
}

/// Returns the partitions in `set` that `asset` can run in this wave, given the requests of the
/// wave so far.
fn can_run(
    wave: &Wave<'_>,
    asset: AssetId,
    set: PartitionSet,
    unit: &Unit,
    wave_requests: &AssetPartitions,
) -> Result<PartitionSet, BackfillError> {
    let graph = wave.lineage.graph;
    let mut set = &set & wave.target.of(asset);
    set -= wave.given_up.of(asset);
    set -= wave.materialized.of(asset);
    set -= wave.requested.of(asset);
    let upstream_in_wave = graph
        .upstream(asset)
        .iter()
        .any(|edge| wave_requests.contains_asset(edge.asset));
    for edge in graph.upstream(asset) {
        if set.is_empty() {
            break;
        }
        let above = existing_upstream(wave.lineage, asset, &set, edge)?;
        let unmade = &(&above & wave.target.of(edge.asset)) - wave.materialized.of(edge.asset);
        let held = &held_by(wave.lineage, asset, edge.asset, &unmade)? & &set;
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
            wave_requests,
            unmade: &unmade,
        };
        if waiting.has_to_wait() {
            // An asset that shares a run with its upstream has to request the same partitions, or
            // the two would be in different runs: then none of its partitions can run yet.
            if !itself && upstream_in_wave {
                set = PartitionSet::empty();
            } else {
                set -= &held;
            }
        }
        // One batch of an asset that depends on itself at a time: the next waits for it.
        if itself && let BackfillPolicy::MultiRun(most) = policy_of_asset(wave.lineage, asset) {
            let most = usize::try_from(most.get()).unwrap_or(usize::MAX);
            set = set.iter().take(most).collect();
        }
    }
    Ok(set)
}

/// Returns the upstream partitions of `set`.
///
/// # Errors
/// [`BackfillError::NonexistentUpstream`] when one of them does not exist.
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
            advice: edge
                .mapping
                .nonexistent_advice(lineage.graph.partitions(edge.asset)),
        }),
    }
}

/// Returns the partitions of `asset` that depend on `unmade` partitions of `upstream`.
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
