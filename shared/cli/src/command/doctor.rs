//! `doctor`: problems of the project and its target, with advice.

use std::{io::Write, path::Path};

use precip_core::trigger::{EventPattern, SensorSource, scheduler_expressions};
use precip_engine::{
    deployment::Finding,
    settings::ProcessEnvironment,
    state::{PageRequest, Run, RunFilter, RunStatus},
    system_error::SystemProblem,
    trigger::read_bucket,
};
use precip_local::home::Home;

use crate::{
    exit::Exit,
    failure::Failure,
    launch,
    output::{format_count, write_json},
    session::Session,
    target::{Deployment, Target},
};

/// Checks definitions, environment, folders and record, or a deployment's parts and its record. Invalid
/// definitions do not get here: every command refuses them first.
///
/// # Errors
/// [`Failure`] when the answer cannot be written.
pub(crate) async fn run_doctor(session: &Session, out: &mut dyn Write) -> Result<Exit, Failure> {
    let mut findings = vec![check_definitions(session)];
    findings.extend(check_settings(session).await);
    findings.extend(check_sensors(session).await);
    findings.extend(check_schedules(session));
    match &session.target {
        Target::Local(home) => {
            findings.extend(check_home(session, home));
            findings.extend(check_record(session, home).await);
        }
        Target::Aws(deployment) => findings.extend(check_deployment(session, deployment).await),
    }
    if session.json {
        write_json(out, &findings)?;
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

fn check_definitions(session: &Session) -> Finding {
    let graph = session.definitions.graph();
    let (checks, ops) = (graph.checks().count(), session.definitions.ops().len());
    let counts = [
        format_count(graph.len() as u64, "asset"),
        format_count(ops as u64, "op"),
        format_count(checks as u64, "check"),
    ];
    let note = counts.join(", ");
    Finding::without_problem("definitions", note)
}

async fn check_settings(session: &Session) -> Vec<Finding> {
    let environment = match launch::chosen_environment(session) {
        Ok(environment) => environment,
        Err(failure) => {
            return vec![Finding::with_problem(
                "environment",
                failure.message,
                "name another with `--env`",
            )];
        }
    };
    let name = format!("environment `{}`", environment.name());
    let problems = environment
        .check_settings(session.target.setting_reader().as_ref())
        .await;
    if problems.is_empty() {
        let count = environment.settings().count();
        return vec![Finding::without_problem(
            name,
            format!("{count} settings read"),
        )];
    }
    let wrong = |(by, problem): (String, _)| {
        Finding::with_problem(name.clone(), format!("{problem}"), format!("read by {by}"))
    };
    problems.into_iter().map(wrong).collect()
}

/// Checks that the bucket of every sensor is known. Targets, templates and resources were checked with
/// the definitions.
async fn check_sensors(session: &Session) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut well = 0;
    for sensor in session.definitions.sensors() {
        let objects = match &sensor.spec.source {
            SensorSource::Objects(objects) => objects,
            SensorSource::Assets { .. } | SensorSource::Runs { .. } => {
                well += 1;
                continue;
            }
        };
        let what = format!("sensor `{}`", sensor.name());
        let declared = format!("declared at {}", sensor.source);
        let bucket = match read_bucket(&objects.bucket, &ProcessEnvironment).await {
            Ok(bucket) => bucket,
            Err(problem) => {
                findings.push(Finding::with_problem(
                    what,
                    format!("its bucket: {problem}"),
                    declared,
                ));
                continue;
            }
        };
        match EventPattern::new(objects, &bucket) {
            Ok(_) => well += 1,
            Err(problem) => {
                findings.push(Finding::with_problem(what, problem.to_string(), declared))
            }
        }
    }
    if well > 0 {
        let note = format!("{} checked", format_count(well, "sensor"));
        findings.push(Finding::without_problem("sensors", note));
    }
    findings
}

/// Checks that EventBridge Scheduler can express every schedule.
fn check_schedules(session: &Session) -> Vec<Finding> {
    let graph = session.definitions.graph();
    let mut findings = Vec::new();
    let mut well = 0;
    for schedule in session.definitions.schedules() {
        let what = format!("schedule `{}`", schedule.name());
        let declared = format!("declared at {}", schedule.source);
        let checked = match schedule.spec.resolve(graph) {
            Err(problem) => Err(problem.to_string()),
            Ok(ticking) => scheduler_expressions(ticking.cron())
                .map(drop)
                .map_err(|problem| problem.to_string()),
        };
        match checked {
            Ok(()) => well += 1,
            Err(problem) => findings.push(Finding::with_problem(what, problem, declared)),
        }
    }
    if well > 0 {
        let note = format!("{} checked", format_count(well, "schedule"));
        findings.push(Finding::without_problem("schedules", note));
    }
    findings
}

/// Checks the home, by writing a file to each folder that a run writes to and removing it again.
fn check_home(session: &Session, home: &Home) -> Vec<Finding> {
    let root = home.root();
    let what = format!("home `{}`", root.display());
    match home.find_root() {
        Ok(true) => {}
        Ok(false) => return vec![Finding::without_problem(what, "created by the first run")],
        Err(error) => {
            return vec![Finding::with_problem(
                what,
                error.to_string(),
                "its owner can give your user the right to read it",
            )];
        }
    }
    let mut folders = vec![home.data_folder(), home.runs_folder(), home.locks_folder()];
    // The folders of assets may have come from another user.
    let graph = session.definitions.graph();
    let assets = graph.ids().map(|asset| graph.key(asset));
    folders.extend(assets.map(|key| home.data_folder().join(key.as_str())));
    let mut findings: Vec<Finding> = check_folder_is_writable(root, &what).into_iter().collect();
    for folder in folders.iter().filter(|folder| folder.exists()) {
        let what = format!("folder `{}`", folder.display());
        findings.extend(check_folder_is_writable(folder, &what));
    }
    if findings.is_empty() {
        findings.push(Finding::without_problem(what, "is writable"));
    }
    findings
}

/// Returns the problem of a folder that cannot be written.
fn check_folder_is_writable(folder: &Path, what: &str) -> Option<Finding> {
    let probe = folder.join(format!(".doctor-{}", std::process::id()));
    let written = std::fs::write(&probe, b"precip").and_then(|()| std::fs::remove_file(&probe));
    let error = written.err()?;
    let help = match SystemProblem::of(&error) {
        SystemProblem::Denied => "give your user write permission, or choose another folder with `--home`",
        problem => problem
            .advice()
            .unwrap_or("give your user write permission, free some space, or choose another folder with `--home`"),
    };
    Some(Finding::with_problem(
        what,
        format!("is not writable: {error}"),
        help,
    ))
}

/// Checks the parts of a deployment and, if they have no problem, its record.
async fn check_deployment(session: &Session, deployment: &Deployment) -> Vec<Finding> {
    let mut findings = deployment.examine.examine_deployment().await;
    if findings.iter().all(|finding| finding.problem.is_none()) {
        findings.extend(check_partition_numbers(session).await);
        findings.extend(check_executions(session, deployment).await);
    }
    findings
}

/// Checks that the record on AWS has the partition numbers of these definitions.
async fn check_partition_numbers(session: &Session) -> Option<Finding> {
    match launch::find_partition_mismatch(session).await {
        Ok(None) => None,
        Ok(Some(other)) | Err(other) => Some(Finding::with_problem(
            "definitions",
            other.message,
            other.help.unwrap_or_default(),
        )),
    }
}

/// Checks that every active run of the record has a running execution.
async fn check_executions(session: &Session, deployment: &Deployment) -> Vec<Finding> {
    let runs = match active_runs(session).await {
        Ok(runs) => runs,
        Err(wrong) => return vec![wrong],
    };
    let mut findings = Vec::new();
    for run in runs {
        let arn = deployment.executions.execution_of_run(&run);
        // The record and Step Functions must agree that the run is active.
        let problem = match deployment.executions.describe_execution(&arn).await {
            Ok(Some(execution)) if execution.status.is_ended() => "its execution has ended",
            Ok(None) => "its execution does not exist",
            Ok(Some(_)) => continue,
            Err(error) => {
                findings.push(Finding::with_problem(
                    format!("run {}", run.id),
                    error.message,
                    error.help,
                ));
                continue;
            }
        };
        findings.push(Finding::with_problem(
            format!("run {}", run.id),
            format!("is {} on record, and {problem}", run.status),
            format!(
                "`cancel {}{}` corrects the record",
                run.id,
                session.target.option_suffix()
            ),
        ));
    }
    if findings.is_empty() {
        findings.push(Finding::without_problem(
            "record",
            "can be read; every active run has its execution",
        ));
    }
    findings
}

/// Returns the runs that are active by the record, at most 100.
async fn active_runs(session: &Session) -> Result<Vec<Run>, Finding> {
    let filter = RunFilter {
        statuses: vec![RunStatus::Running, RunStatus::Canceling],
        ..RunFilter::default()
    };
    let runs = session
        .store
        .list_runs(&filter, &PageRequest::first(100))
        .await;
    runs.map(|runs| runs.items).map_err(|error| {
        Finding::with_problem(
            "record",
            error.to_string(),
            "no run can start before this is fixed",
        )
    })
}

/// Checks that the record can be read, and that the process of every active run is alive.
async fn check_record(session: &Session, home: &Home) -> Vec<Finding> {
    let runs = match active_runs(session).await {
        Ok(runs) => runs,
        Err(wrong) => return vec![wrong],
    };
    // A run without a living owner was interrupted.
    let interrupted = runs.iter().filter(|run| {
        let owner = run.owner.as_ref().map(|owner| home.is_alive(&owner.id));
        !matches!(owner, Some(Ok(true)))
    });
    let findings: Vec<Finding> = interrupted
        .map(|run| {
            Finding::with_problem(
                format!("run {}", run.id),
                "was interrupted: its process is gone",
                format!("`resume {}` resumes it", run.id),
            )
        })
        .collect();
    if findings.is_empty() {
        vec![Finding::without_problem(
            "record",
            "can be read; no run was interrupted",
        )]
    } else {
        findings
    }
}
