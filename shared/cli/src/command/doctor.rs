//! `doctor`: what is wrong, and how to mend it.

use std::io::Write;

use precip_core::trigger::{EventPattern, SensorSource, scheduler_expressions};
use precip_engine::{
    deployment::Finding,
    settings::ProcessEnvironment,
    state::{PageRequest, Run, RunFilter, RunStatus},
    trigger::read_bucket,
};
use precip_local::home::Home;

use crate::{
    exit::Exit,
    failure::Failure,
    launch,
    output::{counted, json},
    place::{Deployment, Place},
    session::Session,
};

/// Looks at definitions, environment, folders and record, or at a deployment's parts and its record.
/// Definitions that are wrong never get here: the command line says so before any command.
///
/// # Errors
/// [`Failure`] when the answer cannot be written.
pub async fn doctor(session: &Session, out: &mut dyn Write) -> Result<Exit, Failure> {
    let mut findings = vec![definitions(session)];
    findings.extend(settings(session).await);
    findings.extend(sensors(session).await);
    findings.extend(schedules(session));
    match &session.place {
        Place::Local(home) => {
            findings.push(folder(home));
            findings.extend(record(session, home).await);
        }
        Place::Aws(deployment) => findings.extend(deployed(session, deployment).await),
    }
    if session.json {
        json(out, &findings)?;
    } else {
        for finding in &findings {
            match &finding.problem {
                None => writeln!(out, "ok     {}: {}", finding.what, finding.note)?,
                Some(problem) => {
                    writeln!(out, "wrong  {}: {problem}", finding.what)?;
                    writeln!(out, "       {}", finding.note)?;
                }
            }
        }
    }
    let wrong = findings.iter().any(|finding| finding.problem.is_some());
    Ok(if wrong { Exit::Environment } else { Exit::Done })
}

fn definitions(session: &Session) -> Finding {
    let graph = session.definitions.graph();
    let (checks, ops) = (graph.checks().count(), session.definitions.ops().len());
    let counts = [
        counted(graph.len() as u64, "asset"),
        counted(ops as u64, "op"),
        counted(checks as u64, "check"),
    ];
    let note = counts.join(", ");
    Finding::well("definitions", note)
}

async fn settings(session: &Session) -> Vec<Finding> {
    let environment = match launch::environment(session) {
        Ok(environment) => environment,
        Err(failure) => {
            return vec![Finding::wrong(
                "environment",
                failure.message,
                "name another with `--env`",
            )];
        }
    };
    let name = format!("environment `{}`", environment.name());
    let problems = environment
        .check_settings(session.place.settings().as_ref())
        .await;
    if problems.is_empty() {
        let count = environment.settings().count();
        return vec![Finding::well(name, format!("{count} settings read"))];
    }
    let wrong = |(by, problem): (String, _)| {
        Finding::wrong(name.clone(), format!("{problem}"), format!("read by {by}"))
    };
    problems.into_iter().map(wrong).collect()
}

/// Whether every sensor knows its bucket. What can be told without looking (targets, templates,
/// resources) was checked with the definitions.
async fn sensors(session: &Session) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut well = 0;
    for sensor in session.definitions.sensors() {
        let SensorSource::Objects(objects) = &sensor.spec.source else {
            well += 1;
            continue;
        };
        let what = format!("sensor `{}`", sensor.name());
        let declared = format!("declared at {}", sensor.source);
        let bucket = match read_bucket(&objects.bucket, &ProcessEnvironment).await {
            Ok(bucket) => bucket,
            Err(problem) => {
                findings.push(Finding::wrong(
                    what,
                    format!("its bucket: {problem}"),
                    declared,
                ));
                continue;
            }
        };
        match EventPattern::new(objects, &bucket) {
            Ok(_) => well += 1,
            Err(problem) => findings.push(Finding::wrong(what, problem.to_string(), declared)),
        }
    }
    if well > 0 {
        let count = if well == 1 {
            "1 sensor".to_owned()
        } else {
            format!("{well} sensors")
        };
        findings.push(Finding::well("sensors", format!("{count} checked")));
    }
    findings
}

/// Whether every schedule can be put to EventBridge Scheduler.
fn schedules(session: &Session) -> Vec<Finding> {
    let graph = session.definitions.graph();
    let mut findings = Vec::new();
    let mut well = 0;
    for schedule in session.definitions.schedules() {
        let what = format!("schedule `{}`", schedule.name());
        let declared = format!("declared at {}", schedule.source);
        let told = match schedule.spec.ticking(graph) {
            Err(problem) => Err(problem.to_string()),
            Ok(ticking) => scheduler_expressions(ticking.cron())
                .map(drop)
                .map_err(|problem| problem.to_string()),
        };
        match told {
            Ok(()) => well += 1,
            Err(problem) => findings.push(Finding::wrong(what, problem, declared)),
        }
    }
    if well > 0 {
        let count = if well == 1 {
            "1 schedule".to_owned()
        } else {
            format!("{well} schedules")
        };
        findings.push(Finding::well("schedules", format!("{count} checked")));
    }
    findings
}

/// Writes a file where data goes and removes it again.
fn folder(home: &Home) -> Finding {
    let root = home.root();
    let what = format!("home `{}`", root.display());
    if !root.exists() {
        return Finding::well(what, "made by the first run");
    }
    let probe = root.join(format!(".doctor-{}", std::process::id()));
    match std::fs::write(&probe, b"precip").and_then(|()| std::fs::remove_file(&probe)) {
        Ok(()) => Finding::well(what, "can be written"),
        Err(error) => Finding::wrong(
            what,
            format!("cannot be written: {error}"),
            "give your user the right to write there, make room, or choose another with `--home`",
        ),
    }
}

/// The parts of a deployment and, if all is well with those, its record.
async fn deployed(session: &Session, deployment: &Deployment) -> Vec<Finding> {
    let mut findings = deployment.examine.examine().await;
    if findings.iter().all(|finding| finding.problem.is_none()) {
        findings.extend(layouts(session).await);
        findings.extend(executions(session, deployment).await);
    }
    findings
}

/// Whether the record is numbered as this project is.
async fn layouts(session: &Session) -> Option<Finding> {
    match launch::same_partitions(session).await {
        Ok(None) => None,
        Ok(Some(other)) | Err(other) => Some(Finding::wrong(
            "definitions",
            other.message,
            other.help.unwrap_or_default(),
        )),
    }
}

/// Runs that the record takes to be under way.
async fn executions(session: &Session, deployment: &Deployment) -> Vec<Finding> {
    let runs = match under_way(session).await {
        Ok(runs) => runs,
        Err(wrong) => return vec![wrong],
    };
    let mut findings = Vec::new();
    for run in runs {
        let arn = deployment.executions.of_run(&run);
        let problem = match deployment.executions.describe(&arn).await {
            Ok(Some(execution)) if execution.status.is_ended() => "its execution has ended",
            Ok(None) => "its execution is not there",
            Ok(Some(_)) => continue,
            Err(error) => {
                findings.push(Finding::wrong(
                    format!("run {}", run.id),
                    error.message,
                    error.help,
                ));
                continue;
            }
        };
        findings.push(Finding::wrong(
            format!("run {}", run.id),
            format!("is {} on record, and {problem}", run.status),
            format!(
                "`cancel {}{}` puts that right",
                run.id,
                session.place.suffix()
            ),
        ));
    }
    if findings.is_empty() {
        findings.push(Finding::well(
            "record",
            "can be read; every run that is under way has its execution",
        ));
    }
    findings
}

/// The runs that the record takes to be under way: at most 100.
async fn under_way(session: &Session) -> Result<Vec<Run>, Finding> {
    let filter = RunFilter {
        statuses: vec![RunStatus::Running, RunStatus::Canceling],
        ..RunFilter::default()
    };
    let runs = session.store.runs(&filter, &PageRequest::first(100)).await;
    runs.map(|runs| runs.items).map_err(|error| {
        Finding::wrong("record", error.to_string(), "no run can start before that")
    })
}

async fn record(session: &Session, home: &Home) -> Vec<Finding> {
    let runs = match under_way(session).await {
        Ok(runs) => runs,
        Err(wrong) => return vec![wrong],
    };
    let interrupted = runs.iter().filter(|run| {
        let owner = run.owner.as_ref().map(|owner| home.is_alive(&owner.id));
        !matches!(owner, Some(Ok(true)))
    });
    let findings: Vec<Finding> = interrupted
        .map(|run| {
            Finding::wrong(
                format!("run {}", run.id),
                "was interrupted: its process is gone",
                format!("`resume {}` goes on with it", run.id),
            )
        })
        .collect();
    if findings.is_empty() {
        vec![Finding::well(
            "record",
            "can be read; no run was interrupted",
        )]
    } else {
        findings
    }
}
