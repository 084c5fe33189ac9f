//! `plan`: what would run, in waves, and why.

use std::io::Write;

use precip_core::{
    graph::AssetId,
    key::AssetKey,
    partitions::{PartitionSet, PartitionsDefinition},
    plan::{InclusionReason, LeftOut, Plan},
};

use crate::{
    args::PlanArgs,
    exit::Exit,
    failure::Failure,
    launch::{self, Request},
    output::{Table, format_count, write_json},
    session::Session,
};

/// Prints the plan of a request; `materialize` with the same arguments runs it.
///
/// # Errors
/// [`Failure`] when the request cannot be planned.
pub(crate) async fn show_plan(
    session: &Session,
    args: &PlanArgs,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let mut request = Request::from_plan_args(args)?;
    let planned = launch::plan_request(session, &mut request).await?;
    if session.json {
        write_json(out, &planned.plan)?;
    } else if planned.plan.is_empty() {
        launch::print_waiting(session, &planned.plan);
        session.print_note(&launch::nothing_to_do_message(&request, &planned.plan));
    } else {
        write_plan(session, &planned.plan, out)?;
    }
    Ok(Exit::Done)
}

fn write_plan(session: &Session, plan: &Plan, out: &mut dyn Write) -> std::io::Result<()> {
    let mut table = Table::new(["WAVE #", "ASSET", "PARTITIONS #", "WHICH", "WHY"]);
    for (_, stage, step) in plan.steps() {
        for asset in &step.assets {
            table.add_row([
                (stage.wave + 1).to_string(),
                asset.to_string(),
                stage.partitions.len().to_string(),
                describe_partitions(session, asset, &stage.partitions),
                plan.why.get(asset).map(reason_label).unwrap_or_default(),
            ]);
        }
        // Checks that run with their asset have no row of their own.
        for check in &step.checks {
            if step.assets.is_empty() {
                table.add_row([
                    (stage.wave + 1).to_string(),
                    check.to_string(),
                    stage.partitions.len().to_string(),
                    describe_partitions(session, &check.asset, &stage.partitions),
                    "check".to_owned(),
                ]);
            }
        }
    }
    table.write_to(out)?;
    writeln!(out, "{}", summarize_plan(plan))?;
    for left in &plan.left_out {
        writeln!(out, "{}", left_out_line(session, left))?;
    }
    for needed in &plan.needed {
        writeln!(
            out,
            "warning: {} needs {} of {}, neither materialized nor part of the plan: {}",
            needed.asset,
            format_count(needed.partitions.len(), "partition"),
            needed.upstream,
            describe_partitions(session, &needed.upstream, &needed.partitions),
        )?;
    }
    Ok(())
}

/// Returns the line about requested partitions that do not run.
pub(crate) fn left_out_line(session: &Session, left: &LeftOut) -> String {
    let partitions = describe_partitions(session, &left.asset, &left.partitions);
    let reason = left.reason.describe();
    format!("left out: {} {partitions}: {reason}", left.asset)
}

/// Summarizes a plan, such as `31 partitions of 2 assets in 1 wave`.
pub(crate) fn summarize_plan(plan: &Plan) -> String {
    format!(
        "{} of {} in {}",
        format_count(plan.pair_count(), "partition"),
        format_count(plan.partition_counts().len() as u64, "asset"),
        format_count(plan.wave_count().into(), "wave")
    )
}

fn reason_label(why: &InclusionReason) -> String {
    match why {
        InclusionReason::Selected => "selected".to_owned(),
        InclusionReason::Keys => "its keys were named".to_owned(),
        InclusionReason::All => "all partitions".to_owned(),
        InclusionReason::Latest => "its last partition".to_owned(),
        InclusionReason::MadeFrom(asset) => format!("made from {asset}"),
        InclusionReason::Makes(asset) => format!("{asset} is made from it"),
        InclusionReason::Together(asset) => format!("made together with {asset}"),
    }
}

/// Describes a set of partitions by its keys: up to three ranges.
fn describe_partitions(session: &Session, asset: &AssetKey, set: &PartitionSet) -> String {
    let graph = session.definitions.graph();
    let definition = graph.id(asset).and_then(|id: AssetId| graph.partitions(id));
    let Some(definition) = definition else {
        return String::new();
    };
    if matches!(definition, PartitionsDefinition::Multi(_)) && set.len() > 3 {
        // Consecutive ordinals of a product are no range that `--partitions` could express.
        let mut keys = definition.keys(set, &session.context);
        let first = keys.next().map(|key| key.to_selector());
        let first = first.unwrap_or_default();
        return format!("{first}, ...");
    }
    let key = |ordinal| {
        let key = definition.key(ordinal, &session.context);
        key.map_or_else(|| format!("#{ordinal}"), |key| key.to_selector())
    };
    let mut words: Vec<String> = Vec::new();
    for (index, range) in set.ranges().enumerate() {
        if index == 3 {
            words.push("...".to_owned());
            break;
        }
        let (first, last) = (range.start, range.end - 1);
        words.push(if first == last {
            key(first)
        } else {
            format!("{}...{}", key(first), key(last))
        });
    }
    words.join(", ")
}
