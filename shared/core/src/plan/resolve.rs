//! From a request to a plan.

use crate::plan::{
    Lineage, Needed, Plan, PlanError, PlanRequest, Record,
    node::finest,
    stages::stages,
    target::{Target, target},
};

pub(super) fn plan(
    lineage: Lineage<'_>,
    request: &PlanRequest,
    record: &Record,
) -> Result<Plan, PlanError> {
    let target = target(lineage, request, record)?;
    let needed = needed(lineage, &target, record)?;
    let nodes = finest(lineage, &target, &request.checks)?;
    let stages = stages(lineage, &nodes)?;
    Ok(Plan {
        at: lineage.context.now,
        run_key: request.run_key.clone(),
        config: request.config.clone(),
        tags: request.tags.clone(),
        stages,
        why: target
            .why
            .into_iter()
            .filter(|(asset, _)| target.pairs.has(*asset))
            .map(|(asset, why)| (lineage.graph.key(asset).clone(), why))
            .collect(),
        left_out: target.left_out,
        needed,
    })
}

/// What the target is made from and nobody has made or makes. External assets are not on record, so
/// nothing is said of them.
fn needed(
    lineage: Lineage<'_>,
    target: &Target,
    record: &Record,
) -> Result<Vec<Needed>, PlanError> {
    let graph = lineage.graph;
    let mut needed = Vec::new();
    for (asset, set) in target.pairs.iter() {
        for edge in graph.upstream(asset) {
            let above = lineage.to_upstream(asset, set, edge)?;
            if let Some(key) = above.nonexistent.into_iter().next() {
                return Err(PlanError::NonexistentUpstream {
                    asset: graph.key(asset).clone(),
                    upstream: graph.key(edge.asset).clone(),
                    key,
                });
            }
            let mut open = &above.existing - target.pairs.of(edge.asset);
            open -= record.materialized.of(edge.asset);
            if !open.is_empty() && !graph.is_external(edge.asset) {
                needed.push(Needed {
                    asset: graph.key(asset).clone(),
                    upstream: graph.key(edge.asset).clone(),
                    partitions: open,
                });
            }
        }
    }
    Ok(needed)
}
