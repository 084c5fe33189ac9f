//! `asset`: one asset in full.

use std::io::Write;

use precip_core::{
    freshness::FreshnessState,
    graph::{AssetId, AssetSet},
    mapping::PartitionMapping,
    metadata::Metadata,
    spec::Owner,
};
use precip_engine::state::ReadConsistency;
use serde::Serialize;

use self::latest::{LatestAnswer, write_field};
use crate::{
    exit::Exit,
    failure::Failure,
    graph::Tally,
    label,
    output::{format_metadata, write_json},
    session::Session,
};

mod latest;

/// The answer of `asset`.
#[derive(Debug, Serialize)]
struct Answer {
    key: String,
    group: String,
    description: Option<String>,
    declared_at: Option<String>,
    op: Option<String>,
    partitions: String,
    materialized: u64,
    failed: u64,
    skipped: u64,
    missing: u64,
    total: u64,
    freshness: Option<FreshnessState>,
    automation: Option<String>,
    upstream: Vec<Neighbour>,
    downstream: Vec<Neighbour>,
    checks: Vec<String>,
    kinds: Vec<String>,
    owners: Vec<Owner>,
    tags: std::collections::BTreeMap<String, String>,
    code_version: Option<String>,
    io_manager: Option<String>,
    metadata: Metadata,
    /// State of the given partition, or of an unpartitioned asset.
    latest: Option<LatestAnswer>,
}

/// An upstream or downstream asset.
#[derive(Debug, Serialize)]
struct Neighbour {
    key: String,
    mapping: PartitionMapping,
}

/// Shows one asset, with the latest materialization of one partition.
///
/// # Errors
/// [`Failure`] when there is no such asset or partition, or the record cannot be read.
pub(crate) async fn show_asset(
    session: &Session,
    key: &str,
    partition: Option<&str>,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let id = session.asset_id(key)?;
    let latest = load_latest(session, id, partition).await?;
    let graph = session.definitions.graph();
    let spec = graph.asset(id);
    let states = session.partition_states(&AssetSet::from(id)).await?;
    let Tally {
        materialized,
        failed,
        skipped,
        missing,
        total,
    } = states.tally(id, &session.existing_partitions(id));
    let neighbours = |edges: &[precip_core::graph::Edge]| {
        edges
            .iter()
            .map(|edge| Neighbour {
                key: graph.key(edge.asset).to_string(),
                mapping: edge.mapping.clone(),
            })
            .collect()
    };
    // The answer has everything that is printed in either format.
    let answer = Answer {
        key: spec.key.to_string(),
        group: spec.group.to_string(),
        description: spec.description.clone(),
        declared_at: session
            .definitions
            .source_of(&spec.key)
            .map(|source| source.to_string()),
        op: graph.op_of(id).map(|op| graph.op(op).name.clone()),
        partitions: label::partitions_label(spec.partitions.as_deref()),
        materialized,
        failed,
        skipped,
        missing,
        total,
        freshness: session.freshness_states().await?.get(key).copied(),
        automation: spec.automation.as_ref().map(|condition| {
            condition
                .label
                .clone()
                .unwrap_or_else(|| condition.to_string())
        }),
        upstream: neighbours(graph.upstream(id)),
        downstream: neighbours(graph.downstream(id)),
        checks: graph
            .checks_of(id)
            .map(|check| graph.check(check).key.name.clone())
            .collect(),
        kinds: spec.kinds.iter().map(ToString::to_string).collect(),
        owners: spec.owners.clone(),
        tags: spec
            .tags
            .iter()
            .map(|(key, value)| (key.to_string(), value.to_string()))
            .collect(),
        code_version: spec.code_version.clone(),
        io_manager: spec.io_manager.clone(),
        metadata: spec.metadata.clone(),
        latest,
    };
    if session.json {
        write_json(out, &answer)?;
    } else {
        write_asset(&answer, out)?;
    }
    Ok(Exit::Done)
}

async fn load_latest(
    session: &Session,
    asset: AssetId,
    partition: Option<&str>,
) -> Result<Option<LatestAnswer>, Failure> {
    let partitioned = session.definitions.graph().partitions(asset).is_some();
    // Without `--partition` there is no one state to show.
    if partitioned && partition.is_none() {
        return Ok(None);
    }
    let target = session.partition_ref(asset, partition)?;
    let known = session
        .store
        .latest_materialization(&target, ReadConsistency::Strong)
        .await?;
    Ok(Some(LatestAnswer::new(target, known)))
}

/// Returns a count as the end of a list; empty for none.
fn counted(count: u64, what: &str) -> String {
    if count == 0 {
        String::new()
    } else {
        format!(", {count} {what}")
    }
}

fn write_asset(answer: &Answer, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "{}", answer.key)?;
    if let Some(description) = &answer.description {
        description
            .lines()
            .try_for_each(|line| writeln!(out, "  {line}"))?;
    }
    let keys = |neighbours: &[Neighbour]| {
        neighbours
            .iter()
            .map(|n| n.key.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    };
    let owners: Vec<String> = answer.owners.iter().map(ToString::to_string).collect();
    let tags: Vec<String> = answer
        .tags
        .iter()
        .map(|(key, value)| {
            if value.is_empty() {
                key.clone()
            } else {
                format!("{key}={value}")
            }
        })
        .collect();
    let status = format!(
        "{} of {} materialized{}{}",
        answer.materialized,
        answer.total,
        counted(answer.failed, "failed"),
        counted(answer.skipped, "skipped"),
    );
    // Fields with an empty value are not printed.
    let lines = [
        ("group", answer.group.clone()),
        ("partitions", answer.partitions.clone()),
        ("status", status),
        (
            "freshness",
            answer
                .freshness
                .map(|state| state.to_string())
                .unwrap_or_default(),
        ),
        ("automation", answer.automation.clone().unwrap_or_default()),
        ("upstream", keys(&answer.upstream)),
        ("downstream", keys(&answer.downstream)),
        ("checks", answer.checks.join(", ")),
        ("kinds", answer.kinds.join(", ")),
        ("owners", owners.join(", ")),
        ("tags", tags.join(", ")),
        (
            "code version",
            answer.code_version.clone().unwrap_or_default(),
        ),
        ("IO manager", answer.io_manager.clone().unwrap_or_default()),
        (
            "declared at",
            answer.declared_at.clone().unwrap_or_default(),
        ),
    ];
    for (name, value) in lines {
        write_field(out, name, &value)?;
    }
    for (name, value) in &answer.metadata {
        write_field(out, name, &format_metadata(value))?;
    }
    match &answer.latest {
        Some(latest) => latest.write_to(out),
        None => Ok(()),
    }
}
