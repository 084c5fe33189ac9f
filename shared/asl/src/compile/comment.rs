//! The comment at the top of a machine.

use precip_core::{
    graph::AssetGraph,
    partitions::{PartitionContext, PartitionsDefinition},
};
use serde_json::{Value, json};

use super::CompileOptions;

/// Largest number of partitions in the example.
const EXAMPLE_PARTITIONS: u64 = 3;

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

/// Returns an example input: an asset, with partitions if possible, and everything downstream of
/// it.
fn example_input(graph: &AssetGraph) -> Value {
    let own = graph
        .topological()
        .iter()
        .filter(|id| !graph.is_external(**id));
    let mut candidates: Vec<_> = own.copied().collect();
    // Stable: the first in the order of the graph stays first.
    candidates.sort_by_key(|id| graph.partitions(*id).is_none());
    let Some(asset) = candidates.first() else {
        return json!({"select": "*"});
    };
    let select = format!("{}+", graph.key(*asset));
    match graph.partitions(*asset).map(example_partitions) {
        Some(partitions) => json!({"select": select, "partitions": partitions}),
        None => json!({"select": select}),
    }
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
