//! `automation` and `automation explain`: what automation conditions request now, and why.

use std::{collections::BTreeMap, io::Write};

use chrono::{DateTime, Utc};
use precip_core::{automation::Explanation, key::AssetKey};
use precip_engine::automation::{AutomationError, AutomationTick, evaluate_automation};
use serde::Serialize;

use crate::{
    exit::Exit,
    failure::{Failure, cause_lines},
    output::{Table, format_ago, write_json},
    session::Session,
};

/// One asset with a condition, in the list.
#[derive(Debug, Serialize)]
struct Row {
    asset: String,
    condition: String,
    requested: u64,
}

/// The answer of `automation explain`.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    asset: &'a AssetKey,
    condition: String,
    evaluated_before: Option<DateTime<Utc>>,
    requested: Vec<String>,
    explanation: &'a Explanation,
}

/// Lists the assets that have a condition, with the number of partitions that each would request now.
///
/// # Errors
/// [`Failure`] when a condition is invalid or the record cannot be read.
pub(crate) async fn list_conditions(
    session: &Session,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let tick = evaluate_conditions(session).await?;
    let conditions = labelled_conditions(session);
    let rows: Vec<Row> = conditions
        .into_iter()
        .map(|(asset, condition)| Row {
            requested: tick
                .evaluation
                .requested
                .get(asset)
                .map_or(0, |set| set.len()),
            asset: asset.to_string(),
            condition,
        })
        .collect();
    if session.json {
        write_json(out, &rows)?;
        return Ok(Exit::Done);
    }
    if rows.is_empty() {
        session.print_note("no asset has an automation condition: give one with `automation = ..`");
        return Ok(Exit::Done);
    }
    let mut table = Table::new(["ASSET", "REQUESTS #", "CONDITION"]);
    for row in &rows {
        table.add_row([&row.asset, &row.requested.to_string(), &row.condition]);
    }
    table.write_to(out)?;
    session.print_note("`automation explain ASSET` explains an asset's condition");
    Ok(Exit::Done)
}

/// Explains what the condition of an asset requests now, by the present record. Starts no run.
///
/// # Errors
/// [`Failure`] when there is no such asset, it has no condition, or the record cannot be read.
pub(crate) async fn explain_condition(
    session: &Session,
    key: &str,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let id = session.asset_id(key)?;
    let graph = session.definitions.graph();
    let asset = graph.key(id);
    let conditions = labelled_conditions(session);
    let Some(condition) = conditions.get(asset) else {
        let failure = Failure::usage(format!(
            "asset `{asset}` has no automation condition: only requests materialize it"
        ));
        return Err(match conditions.keys().next() {
            None => failure.with_help(
                "give it one in its declaration, like `automation = AutomationCondition::eager()`",
            ),
            Some(_) => {
                let known: Vec<String> = conditions.keys().map(|key| format!("`{key}`")).collect();
                failure.with_help(format!("assets with a condition: {}", known.join(", ")))
            }
        });
    };
    let tick = evaluate_conditions(session).await?;
    let (Some(explanation), requested) = (
        tick.evaluation.explanations.get(asset),
        tick.evaluation
            .requested
            .get(asset)
            .cloned()
            .unwrap_or_default(),
    ) else {
        return Err(Failure::usage(format!(
            "the condition of `{asset}` was not evaluated"
        )));
    };
    // An unpartitioned asset is requested under its own key.
    let targets = session.partition_refs(id, &requested);
    let answer = Answer {
        asset,
        condition: condition.clone(),
        evaluated_before: tick.before.evaluated_at(asset),
        requested: targets
            .into_iter()
            .map(|target| {
                target
                    .partition
                    .map_or_else(|| asset.to_string(), |key| key.to_string())
            })
            .collect(),
        explanation,
    };
    if session.json {
        write_json(out, &answer)?;
    } else {
        write_explanation(session, &answer, out)?;
    }
    Ok(Exit::Done)
}

fn write_explanation(
    session: &Session,
    answer: &Answer<'_>,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    let graph = session.definitions.graph();
    writeln!(out, "{}: {}", answer.asset, answer.condition)?;
    let partitioned = graph
        .id(answer.asset)
        .is_some_and(|id| graph.partitions(id).is_some());
    let requests = match (answer.requested.len(), partitioned) {
        (0, _) => "requests nothing now".to_owned(),
        (_, false) => "requests the asset now".to_owned(),
        (1, true) => "requests 1 partition now".to_owned(),
        (count, true) => format!("requests {count} partitions now"),
    };
    let before = match answer.evaluated_before {
        Some(at) => format!("evaluated before, {}", format_ago(at, session.context.now)),
        None => "evaluated for the first time".to_owned(),
    };
    writeln!(out, "{requests}; {before}")?;
    writeln!(out)?;
    write!(
        out,
        "{}",
        answer.explanation.render_tree(graph, &session.context)
    )
}

/// Returns the assets that have a condition, with its label.
fn labelled_conditions(session: &Session) -> BTreeMap<&AssetKey, String> {
    let graph = session.definitions.graph();
    let conditions = graph.ids().filter_map(|id| {
        let condition = graph.asset(id).automation.as_ref()?;
        let label = condition
            .label
            .clone()
            .unwrap_or_else(|| condition.to_string());
        Some((graph.key(id), label))
    });
    conditions.collect()
}

async fn evaluate_conditions(session: &Session) -> Result<AutomationTick, Failure> {
    evaluate_automation(&session.definitions, &session.store, &session.context)
        .await
        .map_err(|error| match error {
            AutomationError::State(error) => error.into(),
            AutomationError::Cursor(_) => {
                Failure::environment(error.to_string()).with_detail(&cause_lines(&error))
            }
            error => Failure::new(Exit::Definitions, error.to_string()),
        })
}
