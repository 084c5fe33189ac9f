//! `assets`: the list of assets.

use std::io::Write;

use precip_core::{freshness::FreshnessState, graph::AssetId, spec::Owner};
use serde::Serialize;

use crate::{
    exit::Exit,
    failure::Failure,
    graph::Tally,
    label,
    output::{Table, write_json},
    session::Session,
};

/// One asset in the list.
#[derive(Debug, Serialize)]
struct Row {
    key: String,
    group: String,
    partitions: String,
    kinds: Vec<String>,
    owners: Vec<Owner>,
    materialized: u64,
    failed: u64,
    skipped: u64,
    missing: u64,
    total: u64,
    freshness: Option<FreshnessState>,
    description: Option<String>,
}

/// Lists the assets of a selection with the status of their partitions.
///
/// # Errors
/// [`Failure`] when the selection is invalid or the record cannot be read.
pub(crate) async fn list_assets(
    session: &Session,
    select: &str,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let selected = session.select_assets(select)?;
    let freshness = session.freshness_states().await?;
    let states = session.partition_states(&selected).await?;
    let mut rows = Vec::new();
    for id in selected.iter() {
        let key = session.definitions.graph().key(id);
        let tally = states.tally(id, &session.existing_partitions(id));
        rows.push(build_row(session, id, tally, freshness.get(key).copied()));
    }
    if session.json {
        write_json(out, &rows)?;
        return Ok(Exit::Done);
    }
    let mut headings = vec![
        "ASSET",
        "GROUP",
        "PARTITIONS",
        "MATERIALIZED #",
        "TOTAL #",
        "FAILED #",
    ];
    // Columns that most projects have no use for are shown when some asset has a value.
    let any_skipped = rows.iter().any(|row| row.skipped > 0);
    headings.extend(any_skipped.then_some("SKIPPED #"));
    let any_policy = rows.iter().any(|row| row.freshness.is_some());
    headings.extend(any_policy.then_some("FRESHNESS"));
    headings.push("KINDS");
    let mut table = Table::new(headings);
    for row in &rows {
        let mut cells = vec![
            row.key.clone(),
            row.group.clone(),
            row.partitions.clone(),
            row.materialized.to_string(),
            row.total.to_string(),
            if row.failed == 0 {
                String::new()
            } else {
                row.failed.to_string()
            },
        ];
        let nonzero = |count: u64| {
            if count == 0 {
                String::new()
            } else {
                count.to_string()
            }
        };
        cells.extend(any_skipped.then(|| nonzero(row.skipped)));
        let freshness = row
            .freshness
            .map_or_else(String::new, |state| state.to_string());
        cells.extend(any_policy.then_some(freshness));
        cells.push(row.kinds.join(", "));
        table.add_row(cells);
    }
    table.write_to(out)?;
    Ok(Exit::Done)
}

fn build_row(
    session: &Session,
    id: AssetId,
    tally: Tally,
    freshness: Option<FreshnessState>,
) -> Row {
    let spec = session.definitions.graph().asset(id);
    Row {
        key: spec.key.to_string(),
        group: spec.group.to_string(),
        partitions: label::partitions_label(spec.partitions.as_deref()),
        kinds: spec.kinds.iter().map(ToString::to_string).collect(),
        owners: spec.owners.clone(),
        materialized: tally.materialized,
        failed: tally.failed,
        skipped: tally.skipped,
        missing: tally.missing,
        total: tally.total,
        freshness,
        description: spec.description.clone(),
    }
}
