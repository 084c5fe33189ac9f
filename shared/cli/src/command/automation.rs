//! `automation`: what the automation conditions ask for, and why.

use std::{collections::BTreeMap, io::Write};

use chrono::{DateTime, Utc};
use precip_core::{automation::Explanation, key::AssetKey};
use precip_engine::automation::{AutomationError, AutomationTick, evaluate_automation};
use serde::Serialize;

use crate::{
    exit::Exit,
    failure::{Failure, causes},
    output::{Table, ago, json},
    session::Session,
};

/// One asset under a condition, in the list.
#[derive(Debug, Serialize)]
struct Row {
    asset: String,
    condition: String,
    requested: u64,
}

/// Why an asset is to be made now, and why not.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    asset: &'a AssetKey,
    condition: String,
    evaluated_before: Option<DateTime<Utc>>,
    requested: Vec<String>,
    explanation: &'a Explanation,
}

/// Lists the assets that carry a condition, with how many partitions each would request now.
///
/// # Errors
/// [`Failure`] when a condition makes no sense or the record cannot be read.
pub async fn automation(session: &Session, out: &mut dyn Write) -> Result<Exit, Failure> {
    let tick = tick(session).await?;
    let conditions = conditions(session);
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
        json(out, &rows)?;
        return Ok(Exit::Done);
    }
    if rows.is_empty() {
        session.say("no asset has an automation condition: give one with `automation = ..`");
        return Ok(Exit::Done);
    }
    let mut table = Table::new(["ASSET", "REQUESTS #", "CONDITION"]);
    for row in &rows {
        table.row([&row.asset, &row.requested.to_string(), &row.condition]);
    }
    table.write(out)?;
    session.say("`automation explain ASSET` says why");
    Ok(Exit::Done)
}

/// Explains what the condition of an asset asks for, at the present moment and with what is on
/// record. It starts nothing.
///
/// # Errors
/// [`Failure`] when there is no such asset, it has no condition, or the record cannot be read.
pub async fn explain(session: &Session, key: &str, out: &mut dyn Write) -> Result<Exit, Failure> {
    let id = session.asset(key)?;
    let graph = session.definitions.graph();
    let asset = graph.key(id);
    let known = conditions(session);
    let Some(condition) = known.get(asset) else {
        let failure = Failure::usage(format!(
            "asset `{asset}` has no automation condition: it is made only when asked for"
        ));
        return Err(match known.keys().next() {
            None => failure.help(
                "give it one in its declaration, like `automation = AutomationCondition::eager()`",
            ),
            Some(_) => {
                let known: Vec<String> = known.keys().map(|key| format!("`{key}`")).collect();
                failure.help(format!("these have one: {}", known.join(", ")))
            }
        });
    };
    let tick = tick(session).await?;
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
    let targets = session.targets(id, &requested);
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
        json(out, &answer)?;
    } else {
        write(session, &answer, out)?;
    }
    Ok(Exit::Done)
}

fn write(session: &Session, answer: &Answer<'_>, out: &mut dyn Write) -> std::io::Result<()> {
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
        Some(at) => format!("evaluated before, {}", ago(at, session.context.now)),
        None => "evaluated for the first time".to_owned(),
    };
    writeln!(out, "{requests}; {before}")?;
    writeln!(out)?;
    write!(
        out,
        "{}",
        answer.explanation.render(graph, &session.context)
    )
}

/// The assets that carry a condition.
fn conditions(session: &Session) -> BTreeMap<&AssetKey, String> {
    let graph = session.definitions.graph();
    let conditions = graph.ids().filter_map(|id| {
        let condition = graph.asset(id).automation.as_ref()?;
        let named = condition
            .label
            .clone()
            .unwrap_or_else(|| condition.to_string());
        Some((graph.key(id), named))
    });
    conditions.collect()
}

async fn tick(session: &Session) -> Result<AutomationTick, Failure> {
    evaluate_automation(&session.definitions, &session.store, &session.context)
        .await
        .map_err(|error| match error {
            AutomationError::State(error) => error.into(),
            AutomationError::Cursor(_) => {
                Failure::environment(error.to_string()).detail(&causes(&error))
            }
            error => Failure::new(Exit::Definitions, error.to_string()),
        })
}
