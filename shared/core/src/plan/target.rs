//! [`Target`]: the partitions of each asset that a request selects.

use std::collections::BTreeMap;

use crate::{
    graph::{AssetId, AssetSet},
    partitions::{PartitionKey, PartitionSet, PartitionsDefinition},
    plan::{
        AssetPartitions, AssetStatuses, InclusionReason, KeySpan, LeftOut, LeftOutReason, Lineage,
        PartitionChoice, PlanError, PlanRequest, StatusFilter, asset_partitions::all_partitions,
    },
};

/// The partitions that a request selects, with the reasons.
#[derive(Default)]
pub(super) struct Target {
    pub pairs: AssetPartitions,
    pub why: BTreeMap<AssetId, InclusionReason>,
    pub left_out: Vec<LeftOut>,
}

impl Target {
    fn add(&mut self, asset: AssetId, set: PartitionSet, why: InclusionReason) {
        self.pairs.set_partitions(asset, set);
        self.why.insert(asset, why);
    }

    fn leave_out(
        &mut self,
        lineage: Lineage<'_>,
        asset: AssetId,
        set: PartitionSet,
        reason: LeftOutReason,
    ) {
        self.left_out.push(LeftOut {
            asset: lineage.graph.key(asset).clone(),
            partitions: set,
            reason,
        });
    }
}

/// Resolves the partitions of each selected asset.
pub(super) fn resolve_target(
    lineage: Lineage<'_>,
    request: &PlanRequest,
    statuses: &AssetStatuses,
) -> Result<Target, PlanError> {
    let graph = lineage.graph;
    let mut target = Target::default();
    let external: AssetSet = request
        .assets
        .iter()
        .filter(|asset| graph.is_external(*asset))
        .collect();
    for asset in external.iter() {
        target.leave_out(
            lineage,
            asset,
            PartitionSet::empty(),
            LeftOutReason::External,
        );
    }
    let selected = &request.assets - &external;
    if selected.is_empty() {
        return Err(PlanError::Nothing);
    }
    let partitioned: Vec<AssetId> = graph
        .topological()
        .iter()
        .copied()
        .filter(|asset| selected.contains(*asset) && graph.partitions(*asset).is_some())
        .collect();
    for asset in selected
        .iter()
        .filter(|asset| graph.partitions(*asset).is_none())
    {
        target.add(asset, PartitionSet::single(0), InclusionReason::Selected);
    }
    // The status filter comes before completing ops: if one asset of an op needs a partition, the
    // others get it whatever their status.
    choose_partitions(lineage, request, &partitioned, &mut target)?;
    keep_only(lineage, request.partitions.status, statuses, &mut target)?;
    complete_ops(lineage, &selected, &mut target)?;
    Ok(target)
}

/// Adds the partitions of each selected, partitioned asset.
fn choose_partitions(
    lineage: Lineage<'_>,
    request: &PlanRequest,
    partitioned: &[AssetId],
    target: &mut Target,
) -> Result<(), PlanError> {
    let graph = lineage.graph;
    match &request.partitions.choice {
        PartitionChoice::Keys(spans) => return apply_keys(lineage, spans, partitioned, target),
        PartitionChoice::All => {
            for &asset in partitioned {
                target.add(
                    asset,
                    all_partitions(graph, asset, lineage.context),
                    InclusionReason::All,
                );
            }
        }
        PartitionChoice::Unspecified if request.partitions.status.is_some() => {
            for &asset in partitioned {
                target.add(
                    asset,
                    all_partitions(graph, asset, lineage.context),
                    InclusionReason::All,
                );
            }
        }
        PartitionChoice::Latest => {
            for &asset in partitioned {
                let definition = graph.partitions(asset);
                let last = definition.and_then(|definition| definition.last(lineage.context));
                target.add(asset, last.into_iter().collect(), InclusionReason::Latest);
            }
        }
        PartitionChoice::Unspecified => {
            if let Some(&asset) = partitioned.first() {
                return Err(PlanError::PartitionsNeeded {
                    asset: graph.key(asset).clone(),
                    example: example_key(lineage, asset),
                });
            }
        }
    }
    Ok(())
}

/// Returns a valid key to show in a message.
fn example_key(lineage: Lineage<'_>, asset: AssetId) -> String {
    let key = lineage.graph.partitions(asset).and_then(|definition| {
        let last = definition.last(lineage.context)?;
        definition.key(last, lineage.context)
    });
    key.map_or_else(|| "KEY".to_owned(), |key| key.to_selector())
}

/// Applies keys to the selected assets. The keys belong to the first asset that has all of them and
/// to every other with the same definition. The remaining assets get the partitions downstream or
/// upstream of those.
fn apply_keys(
    lineage: Lineage<'_>,
    spans: &[KeySpan],
    partitioned: &[AssetId],
    target: &mut Target,
) -> Result<(), PlanError> {
    let graph = lineage.graph;
    let Some(&first) = partitioned.first() else {
        return Err(PlanError::NotPartitioned);
    };
    let mut refusal = None;
    let mut found = None;
    let mut tried: Vec<&PartitionsDefinition> = Vec::new();
    // The first definition that has all of the keys; each definition is tried once.
    for &asset in partitioned {
        let Some(definition) = graph.partitions(asset) else {
            continue;
        };
        if tried.contains(&definition) {
            continue;
        }
        match select_spans(lineage, asset, definition, spans) {
            Ok(set) => {
                found = Some((definition, set));
                break;
            }
            Err(error) => {
                refusal.get_or_insert(error);
                tried.push(definition);
            }
        }
    }
    let Some((definition, set)) = found else {
        return Err(refusal.unwrap_or(PlanError::PartitionsNeeded {
            asset: graph.key(first).clone(),
            example: example_key(lineage, first),
        }));
    };
    // Downstream first: an asset between two with the keys is reached from above.
    let mut reached: BTreeMap<AssetId, (PartitionSet, InclusionReason)> = BTreeMap::new();
    for &asset in partitioned {
        if graph.partitions(asset) == Some(definition) {
            reached.insert(asset, (set.clone(), InclusionReason::Keys));
        }
    }
    reach_down(lineage, &mut reached)?;
    reach_up(lineage, &mut reached)?;
    for &asset in partitioned {
        match reached.remove(&asset) {
            Some((set, why)) => target.add(asset, set, why),
            None => match graph
                .partitions(asset)
                .map(|own| select_spans(lineage, asset, own, spans))
            {
                Some(Ok(set)) => target.add(asset, set, InclusionReason::Keys),
                _ => {
                    let reason = LeftOutReason::Unrelated;
                    target.leave_out(lineage, asset, PartitionSet::empty(), reason);
                }
            },
        }
    }
    Ok(())
}

/// Returns the partitions of one definition that spans name.
fn select_spans(
    lineage: Lineage<'_>,
    asset: AssetId,
    definition: &PartitionsDefinition,
    spans: &[KeySpan],
) -> Result<PartitionSet, PlanError> {
    let refuse = |source| PlanError::UnknownPartition {
        asset: lineage.graph.key(asset).clone(),
        source,
    };
    let mut set = PartitionSet::empty();
    for span in spans {
        match span {
            KeySpan::One(key) => {
                set.insert(definition.ordinal(key, lineage.context).map_err(refuse)?);
            }
            KeySpan::Range(start, end) => {
                let range = definition
                    .range(start, end, lineage.context)
                    .map_err(refuse)?;
                if range.is_empty() {
                    return Err(empty_range(start, end));
                }
                set |= &range;
            }
        }
    }
    Ok(set)
}

fn empty_range(start: &PartitionKey, end: &PartitionKey) -> PlanError {
    PlanError::EmptyRange {
        start: start.clone(),
        end: end.clone(),
    }
}

/// Adds the partitions downstream of the reached ones, through any partitioned asset of the graph.
fn reach_down(
    lineage: Lineage<'_>,
    reached: &mut BTreeMap<AssetId, (PartitionSet, InclusionReason)>,
) -> Result<(), PlanError> {
    let graph = lineage.graph;
    for &asset in graph.topological() {
        if reached.contains_key(&asset) || graph.partitions(asset).is_none() {
            continue;
        }
        let mut set = PartitionSet::empty();
        let mut from = None;
        for edge in graph.upstream(asset) {
            let Some((above, _)) = reached.get(&edge.asset) else {
                continue;
            };
            if let Some(down) = graph
                .downstream(edge.asset)
                .iter()
                .find(|e| e.asset == asset)
            {
                set |= &lineage.to_downstream(edge.asset, above, down)?;
                from = from.or(Some(edge.asset));
            }
        }
        if let Some(from) = from {
            reached.insert(
                asset,
                (set, InclusionReason::MadeFrom(graph.key(from).clone())),
            );
        }
    }
    Ok(())
}

/// Adds the partitions upstream of the reached ones, through any partitioned asset of the graph.
fn reach_up(
    lineage: Lineage<'_>,
    reached: &mut BTreeMap<AssetId, (PartitionSet, InclusionReason)>,
) -> Result<(), PlanError> {
    let graph = lineage.graph;
    for &asset in graph.topological().iter().rev() {
        if reached.contains_key(&asset) || graph.partitions(asset).is_none() {
            continue;
        }
        let mut set = PartitionSet::empty();
        let mut makes = None;
        for edge in graph.downstream(asset) {
            let Some((below, _)) = reached.get(&edge.asset) else {
                continue;
            };
            if let Some(up) = graph.upstream(edge.asset).iter().find(|e| e.asset == asset) {
                set |= &lineage.to_upstream(edge.asset, below, up)?.existing;
                makes = makes.or(Some(edge.asset));
            }
        }
        if let Some(makes) = makes {
            reached.insert(
                asset,
                (set, InclusionReason::Makes(graph.key(makes).clone())),
            );
        }
    }
    Ok(())
}

/// Leaves out the partitions whose status does not match the filter.
fn keep_only(
    lineage: Lineage<'_>,
    only: Option<StatusFilter>,
    statuses: &AssetStatuses,
    target: &mut Target,
) -> Result<(), PlanError> {
    let Some(only) = only else { return Ok(()) };
    let skipped = statuses.nothing_to_make(lineage)?;
    let before = std::mem::take(&mut target.pairs);
    for (asset, set) in before.iter() {
        let materialized = set & statuses.materialized.of(asset);
        let failed = set & statuses.failed.of(asset);
        let skipped_again = set & statuses.skipped.of(asset);
        let nothing = set & skipped.of(asset);
        // Each set of partitions to leave out, with its reason.
        let left_out = match only {
            // A partition that failed is tried again, even below a skipped one.
            StatusFilter::Missing => vec![
                (&nothing - &failed, LeftOutReason::Skipped),
                (materialized, LeftOutReason::Materialized),
            ],
            StatusFilter::Failed => vec![(set - &failed, LeftOutReason::NotFailed)],
            StatusFilter::Skipped => {
                let skipped = &nothing | &skipped_again;
                vec![(set - &skipped, LeftOutReason::NotSkipped)]
            }
        };
        let mut kept = set.clone();
        for (dropped, reason) in left_out {
            kept -= &dropped;
            if !dropped.is_empty() {
                target.leave_out(lineage, asset, dropped, reason);
            }
        }
        target.pairs.set_partitions(asset, kept);
    }
    Ok(())
}

/// Completes ops that materialize all of their assets at once: the same partitions of each.
fn complete_ops(
    lineage: Lineage<'_>,
    selected: &AssetSet,
    target: &mut Target,
) -> Result<(), PlanError> {
    let graph = lineage.graph;
    let assets: Vec<AssetId> = target.pairs.assets().collect();
    for asset in assets {
        let Some(op) = graph.op_of(asset).filter(|op| !graph.op(*op).can_subset) else {
            continue;
        };
        let missing: Vec<_> = graph
            .assets_of(op)
            .filter(|other| !selected.contains(*other))
            .map(|other| graph.key(other).clone())
            .collect();
        if !missing.is_empty() {
            return Err(PlanError::IncompleteOp {
                op: graph.op(op).name.clone(),
                missing,
            });
        }
        let set = target.pairs.of(asset).clone();
        for other in graph.assets_of(op).filter(|other| *other != asset) {
            if !set.is_subset(target.pairs.of(other)) {
                target.pairs.add(other, &set);
                target
                    .why
                    .insert(other, InclusionReason::Together(graph.key(asset).clone()));
                let added = graph.key(other);
                // What runs after all is no longer left out.
                target.left_out.retain_mut(|left| {
                    if left.asset == *added {
                        left.partitions -= &set;
                    }
                    left.asset != *added || !left.partitions.is_empty()
                });
            }
        }
    }
    Ok(())
}
