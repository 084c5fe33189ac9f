//! The comment at the top of a machine.

use chrono::TimeDelta;
use precip_core::{
    graph::AssetGraph,
    partitions::{PartitionContext, PartitionsDefinition},
    plan::{AssetStatuses, Lineage, PartitionSelector, Plan, PlanRequest},
    selection::Selection,
};
use serde_json::{Value, json};

use super::CompileOptions;

/// Largest number of partitions in the example.
const EXAMPLE_PARTITIONS: u64 = 3;

/// A time after 1970 at which the first partitions of any definition exist: in 2150.
const LATE: TimeDelta = TimeDelta::days(65_745);

/// Returns the comment of the machine that people start, with an example from the project itself.
pub(super) fn run_comment(graph: &AssetGraph, options: &CompileOptions) -> String {
    format!(
        "Materializes assets of {project}. Start it with an input like {example}. `select` chooses \
         assets (`a`, `a+` with its downstream, `+a` with its upstream, `group:g`), `partitions` is a \
         key, a range `a...b`, a list `a,b`, `all`, `latest`, `missing` or `failed`. `config`, `tags` \
         and `run_key` are optional. Generated: change the assets, not this file.",
        project = options.project,
        example = example_input(graph),
    )
}

/// Returns the comment of the machine that only the other machine starts.
pub(super) fn backfill_comment(options: &CompileOptions) -> String {
    format!(
        "Materializes many partitions of {}. The project's other machine starts it. Generated: \
         change the assets, not this file.",
        options.project
    )
}

/// Returns an example input that the planner accepts: an asset, with partitions if possible, and
/// everything downstream of it; or all assets.
fn example_input(graph: &AssetGraph) -> Value {
    let own = graph
        .topological()
        .iter()
        .filter(|id| !graph.is_external(**id));
    let mut candidates: Vec<_> = own.copied().collect();
    // Stable: the first in the order of the graph stays first.
    candidates.sort_by_key(|id| graph.partitions(*id).is_none());
    let of_asset = candidates.into_iter().map(|asset| {
        let select = format!("{}+", graph.key(asset));
        (select, graph.partitions(asset).map(example_partitions))
    });
    let whole = ("*".to_owned(), Some("all".to_owned()));
    // One asset of an op that makes several at once is refused, for example.
    let accepted = of_asset
        .chain([whole])
        .find(|(select, partitions)| is_accepted(graph, select, partitions.as_deref()));
    match accepted {
        Some((select, Some(partitions))) => json!({"select": select, "partitions": partitions}),
        Some((select, None)) => json!({"select": select}),
        None => json!({"select": "*"}),
    }
}

/// Returns whether a request can be planned once every partition exists.
fn is_accepted(graph: &AssetGraph, select: &str, partitions: Option<&str>) -> bool {
    let context = PartitionContext::at(chrono::DateTime::UNIX_EPOCH + LATE);
    let assets = Selection::parse(select).ok();
    let assets = assets.and_then(|selection| selection.resolve(graph).ok());
    let partitions = match partitions {
        Some(written) => written.parse().ok(),
        None => Some(PartitionSelector::default()),
    };
    let (Some(assets), Some(partitions)) = (assets, partitions) else {
        return false;
    };
    let request = PlanRequest::new(assets, partitions);
    let lineage = Lineage::new(graph, &context);
    Plan::new(lineage, &request, &AssetStatuses::default()).is_ok()
}

/// Returns the first keys of a definition, or `all` if they depend on the clock or the record.
fn example_partitions(definition: &PartitionsDefinition) -> String {
    let context = PartitionContext::at(chrono::DateTime::UNIX_EPOCH);
    let key = |ordinal| definition.key(ordinal, &context);
    match (key(0), (1..EXAMPLE_PARTITIONS).rev().find_map(key)) {
        (Some(first), Some(last)) => format!("{first}...{last}"),
        (Some(only), None) => only.to_string(),
        (None, _) => "all".to_owned(),
    }
}
