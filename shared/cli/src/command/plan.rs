//! `plan`: what would run, in waves, and why.

use std::io::Write;

use precip_core::{
    graph::AssetId,
    key::AssetKey,
    partitions::{PartitionSet, PartitionsDefinition},
    plan::{Plan, Why},
};

use crate::{
    args::PlanArgs,
    exit::Exit,
    failure::Failure,
    launch::{self, Request},
    output::{Table, counted, json},
    session::Session,
};

/// Prints the plan of a request; `materialize` with the same arguments runs it.
///
/// # Errors
/// [`Failure`], which says what to write instead.
pub async fn plan(
    session: &Session,
    args: &PlanArgs,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let mut request = Request::of_plan(args)?;
    let planned = launch::plan(session, &mut request).await?;
    if session.json {
        json(out, &planned.plan)?;
    } else if planned.plan.is_empty() {
        session.say(&launch::nothing_to_do(&request));
    } else {
        write(session, &planned.plan, out)?;
    }
    Ok(Exit::Done)
}

fn write(session: &Session, plan: &Plan, out: &mut dyn Write) -> std::io::Result<()> {
    let mut table = Table::new(["WAVE #", "ASSET", "PARTITIONS #", "WHICH", "WHY"]);
    for (_, stage, step) in plan.steps() {
        for asset in &step.assets {
            table.row([
                (stage.wave + 1).to_string(),
                asset.to_string(),
                stage.partitions.len().to_string(),
                which(session, asset, &stage.partitions),
                plan.why.get(asset).map(why).unwrap_or_default(),
            ]);
        }
        for check in &step.checks {
            if step.assets.is_empty() {
                table.row([
                    (stage.wave + 1).to_string(),
                    check.to_string(),
                    stage.partitions.len().to_string(),
                    which(session, &check.asset, &stage.partitions),
                    "check".to_owned(),
                ]);
            }
        }
    }
    table.write(out)?;
    writeln!(out, "{}", summary(plan))?;
    for left in &plan.left_out {
        let partitions = which(session, &left.asset, &left.partitions);
        writeln!(
            out,
            "left out: {} {partitions}: {}",
            left.asset,
            left.reason.describe()
        )?;
    }
    for needed in &plan.needed {
        writeln!(
            out,
            "warning: {} is made from {} of {}, not materialized and not part of the plan: {}",
            needed.asset,
            counted(needed.partitions.len(), "partition"),
            needed.upstream,
            which(session, &needed.upstream, &needed.partitions),
        )?;
    }
    Ok(())
}

/// How much a plan is, such as `31 partitions of 2 assets in 1 wave`.
pub(crate) fn summary(plan: &Plan) -> String {
    format!(
        "{} of {} in {}",
        counted(plan.items(), "partition"),
        counted(plan.assets().len() as u64, "asset"),
        counted(plan.waves().into(), "wave")
    )
}

fn why(why: &Why) -> String {
    match why {
        Why::Selected => "selected".to_owned(),
        Why::Keys => "its keys were named".to_owned(),
        Why::All => "all partitions".to_owned(),
        Why::Latest => "its last partition".to_owned(),
        Why::MadeFrom(asset) => format!("made from {asset}"),
        Why::Makes(asset) => format!("{asset} is made from it"),
        Why::Together(asset) => format!("made together with {asset}"),
    }
}

/// A set of partitions in few words: up to three ranges, or a count.
fn which(session: &Session, asset: &AssetKey, set: &PartitionSet) -> String {
    let graph = session.definitions.graph();
    let definition = graph.id(asset).and_then(|id: AssetId| graph.partitions(id));
    let Some(definition) = definition else {
        return String::new();
    };
    if matches!(definition, PartitionsDefinition::Multi(_)) && set.len() > 3 {
        // Neighbours in a product are no range that a person could write.
        let mut keys = definition.keys(set, &session.context);
        let first = keys.next().map(|key| key.to_string()).unwrap_or_default();
        return format!("{first}, ...");
    }
    let key = |ordinal| {
        let key = definition.key(ordinal, &session.context);
        key.map_or_else(|| format!("#{ordinal}"), |key| key.to_string())
    };
    let mut words: Vec<String> = Vec::new();
    for (place, range) in set.ranges().enumerate() {
        if place == 3 {
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
