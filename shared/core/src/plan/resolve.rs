//! Resolving a request to a plan.

use crate::plan::{
    AssetStatuses, Lineage, MissingUpstream, Plan, PlanBasis, PlanError, PlanRequest,
    node::finest_nodes,
    stages::divide_into_stages,
    target::{Target, resolve_target},
    waiting::leave_out_waiting,
};

/// Plans a request.
pub(super) fn plan_request(
    lineage: Lineage<'_>,
    request: &PlanRequest,
    statuses: &AssetStatuses,
) -> Result<Plan, PlanError> {
    let mut target = resolve_target(lineage, request, statuses)?;
    leave_out_waiting(lineage, &mut target, statuses)?;
    let needed = missing_upstream(lineage, &target, statuses)?;
    let nodes = finest_nodes(lineage, &target, &request.checks)?;
    let stages = divide_into_stages(lineage, &nodes)?;
    let basis = PlanBasis::from_graph(lineage.graph, &stages, &target.left_out, &needed);
    Ok(Plan {
        at: lineage.context.now,
        run_key: request.run_key.clone(),
        config: request.config.clone(),
        tags: request.tags.clone(),
        stages,
        why: target
            .why
            .into_iter()
            .filter(|(asset, _)| target.pairs.contains_asset(*asset))
            .map(|(asset, why)| (lineage.graph.key(asset).clone(), why))
            .collect(),
        left_out: target.left_out,
        needed,
        basis,
    })
}

/// Returns the upstream partitions that are neither materialized nor part of the target. External
/// assets have no recorded status and are left out.
fn missing_upstream(
    lineage: Lineage<'_>,
    target: &Target,
    statuses: &AssetStatuses,
) -> Result<Vec<MissingUpstream>, PlanError> {
    let graph = lineage.graph;
    let skipped = statuses.nothing_to_make(lineage)?;
    let mut needed = Vec::new();
    for (asset, set) in target.pairs.iter() {
        for edge in graph.upstream(asset) {
            let above = lineage.to_upstream(asset, set, edge)?;
            let mut open = &above.existing - target.pairs.of(edge.asset);
            open -= statuses.materialized.of(edge.asset);
            // What needs a skipped partition is skipped as well, and does not fail.
            open -= skipped.of(edge.asset);
            if !open.is_empty() && !graph.is_external(edge.asset) {
                needed.push(MissingUpstream {
                    asset: graph.key(asset).clone(),
                    upstream: graph.key(edge.asset).clone(),
                    partitions: open,
                });
            }
        }
    }
    Ok(needed)
}
