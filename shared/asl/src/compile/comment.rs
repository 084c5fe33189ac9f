//! What a person reads at the top of a machine.

use precip_core::{
    graph::AssetGraph,
    partitions::{PartitionContext, PartitionsDefinition},
};
use serde_json::{Value, json};

use super::CompileOptions;

/// How many partitions the example asks for at most.
const EXAMPLE_PARTITIONS: u64 = 3;

/// How a run is started, with an example from the project itself.
pub(super) fn run(graph: &AssetGraph, options: &CompileOptions) -> String {
    format!(
        "Makes assets of {project}. Start it with an input like {example}. `select` chooses assets \
         (`a`, `a+` with what is made from it, `+a` with what it is made from, `group:g`), `partitions` is a key, a range `a...b`, \
         a list `a,b`, `all`, `latest`, `missing` or `failed`. `config`, `tags` and `run_key` may \
         stand beside them. Generated: change the assets, not this.",
        project = options.project,
        example = example(graph),
    )
}

/// That nobody starts it.
pub(super) fn backfill(options: &CompileOptions) -> String {
    format!(
        "Makes many partitions of {}. The machine that people start starts it. Generated: change \
         the assets, not this.",
        options.project
    )
}

/// An input: an asset with partitions if there is one, and everything made from it.
fn example(graph: &AssetGraph) -> Value {
    let own = graph
        .topological()
        .iter()
        .filter(|id| !graph.is_external(**id));
    let mut own: Vec<_> = own.copied().collect();
    // Stable: the first in the order of the graph stays first.
    own.sort_by_key(|id| graph.partitions(*id).is_none());
    let Some(asset) = own.first() else {
        return json!({"select": "*"});
    };
    let select = format!("{}+", graph.key(*asset));
    match graph.partitions(*asset).map(keys) {
        Some(partitions) => json!({"select": select, "partitions": partitions}),
        None => json!({"select": select}),
    }
}

/// The first keys of a definition, if it can say them without looking at the clock or the record.
fn keys(definition: &PartitionsDefinition) -> String {
    let context = PartitionContext::at(chrono::DateTime::UNIX_EPOCH);
    let key = |ordinal| definition.key(ordinal, &context);
    match (key(0), (1..EXAMPLE_PARTITIONS).rev().find_map(key)) {
        (Some(first), Some(last)) => format!("{first}...{last}"),
        (Some(only), None) => only.to_string(),
        (None, _) => "all".to_owned(),
    }
}
