//! `materialize`, and the planning it shares with `plan` and `cost`.

use std::{io::Write, sync::Arc};

use precip_core::plan::{CheckSelection, LeftOut, LeftOutReason, Plan};
use precip_engine::{
    machine::StartInput,
    run::{
        CreateRun, PlanRunError, PlannedRun, changed_layouts, create_run, next_run_id, plan_run,
    },
    run_id::RunId,
    state::{OwnerId, RequestedWork, RunKey},
};
use precip_local::{
    executor::{Executor, Stop},
    home::Home,
};

use super::{open, plan_file, remote, report, stop::Interrupts};
use crate::{
    args::{MaterializeArgs, PlanArgs, RunControlArgs},
    command::left_out_line,
    exit::Exit,
    failure::Failure,
    progress,
    session::Session,
    target::{Deployment, Target},
};

/// A request for a run, read from the command line.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    work: RequestedWork,
    checks: CheckSelection,
    run_key: Option<String>,
}

impl Request {
    /// Reads the request of `plan` and `cost`.
    ///
    /// # Errors
    /// [`Failure`] when its config cannot be read.
    pub(crate) fn from_plan_args(args: &PlanArgs) -> Result<Self, Failure> {
        let config = open::read_config(args.config.as_deref(), args.config_json.as_deref())?;
        let checks = if args.without_checks {
            CheckSelection::None
        } else {
            CheckSelection::All
        };
        let work = RequestedWork {
            selection: args.selection.select.clone(),
            partitions: args.selection.partitions.to_expression(),
            config,
            ..RequestedWork::default()
        };
        Ok(Self {
            work,
            checks,
            run_key: None,
        })
    }

    /// Reads the request of `materialize`.
    ///
    /// # Errors
    /// [`Failure`] when its config or a tag cannot be read.
    pub(crate) fn from_materialize_args(args: &MaterializeArgs) -> Result<Self, Failure> {
        let mut request = Self::from_plan_args(&args.plan)?;
        for tag in &args.tags {
            let (key, value) = tag.split_once('=').ok_or_else(|| {
                Failure::usage(format!("`{tag}` is not a tag")).with_help("write `--tag KEY=VALUE`")
            })?;
            request.work.tags.insert(key.to_owned(), value.to_owned());
        }
        request.run_key.clone_from(&args.run_key);
        Ok(request)
    }
}

/// Plans a request. Without partitions it is for the missing ones.
///
/// # Errors
/// [`Failure`] when the request is invalid or the record cannot be read.
pub(crate) async fn plan_request(
    session: &Session,
    request: &mut Request,
) -> Result<PlannedRun, Failure> {
    if let Some(mismatch) = find_partition_mismatch(session).await? {
        return Err(mismatch);
    }
    let selection = &request.work.selection;
    if session.resolve_selection(selection)?.is_empty() {
        return Err(session.empty_selection_failure(selection));
    }
    let partitions = request
        .work
        .partitions
        .get_or_insert_with(|| "missing".to_owned());
    let missing_only = partitions == "missing";
    match plan_now(session, request).await {
        // `missing` applies to partitioned assets; a selection without any is planned as it is.
        Err(PlanRunError::Plan(precip_core::plan::PlanError::NotPartitioned)) if missing_only => {
            request.work.partitions = None;
            plan_now(session, request).await.map_err(plan_failure)
        }
        planned => planned.map_err(plan_failure),
    }
}

/// Returns the failure for assets whose partitions differ between these definitions and the record on
/// AWS, which cannot be read for those assets then. The record of this machine is renumbered instead.
///
/// # Errors
/// [`Failure`] when the record cannot be read.
pub(crate) async fn find_partition_mismatch(session: &Session) -> Result<Option<Failure>, Failure> {
    if matches!(session.target, Target::Local(_)) {
        return Ok(None);
    }
    let changed = changed_layouts(&session.definitions, &session.store).await?;
    let Some(first) = changed.first() else {
        return Ok(None);
    };
    let message = match changed.len() {
        1 => format!("`{first}` has other partitions here than on AWS"),
        count => format!(
            "`{first}` and {} more have other partitions here than on AWS",
            count - 1
        ),
    };
    Ok(Some(Failure::usage(message).with_help(
        "deploy this project and start a run there, which renumbers the record; or use the \
         version of the project that is deployed",
    )))
}

async fn plan_now(session: &Session, request: &Request) -> Result<PlannedRun, PlanRunError> {
    let checks = request.checks.clone();
    let now = session.context.now;
    plan_run(
        &session.definitions,
        &session.store,
        now,
        &request.work,
        checks,
    )
    .await
}

pub(super) fn plan_failure(error: PlanRunError) -> Failure {
    match error {
        PlanRunError::Selection(invalid) => (*invalid).into(),
        PlanRunError::State(error) => error.into(),
        error => Failure::usage(error.to_string()),
    }
}

/// Plans a request and runs it.
///
/// # Errors
/// [`Failure`] when the request cannot be planned or the run cannot be executed to its end. Failed
/// assets are no [`Failure`] but [`Exit::RunFailed`].
pub(crate) async fn materialize_assets(
    session: &Session,
    args: &MaterializeArgs,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let mut request = Request::from_materialize_args(args)?;
    match &session.target {
        Target::Local(_) => refuse_detach(&args.control)?,
        Target::Aws(_) => remote::refuse_local_options(session, &args.control)?,
    }
    let planned = plan_request(session, &mut request).await?;
    print_waiting(session, &planned.plan);
    if planned.plan.is_empty() {
        session.print_note(&nothing_to_do_message(&request, &planned.plan));
        return Ok(Exit::Done);
    }
    let materialized = |left: &&LeftOut| left.reason == LeftOutReason::Materialized;
    let kept = planned.plan.left_out.iter().filter(materialized);
    let kept: u64 = kept.map(|left| left.partitions.len()).sum();
    if kept > 0 && !request.work.config.is_null() {
        session.print_note(&format!(
            "{} already materialized and stay as they are, without this config: name partitions to \
             materialize them again with it, like `--partitions all`",
            match kept {
                1 => "1 partition is".to_owned(),
                kept => format!("{kept} partitions are"),
            }
        ));
    }
    let control = &args.control;
    match &session.target {
        Target::Local(home) => {
            let key = request.run_key.as_deref().map(RunKey::from_request);
            start_run(session, home, request.work, key, planned, control, out).await
        }
        Target::Aws(deployment) => {
            materialize_remotely(session, deployment, request, &planned.plan, control, out).await
        }
    }
}

/// Starts a run on a deployment, which plans the request again when it starts.
async fn materialize_remotely(
    session: &Session,
    deployment: &Deployment,
    request: Request,
    plan: &Plan,
    control: &RunControlArgs,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    // The planner receives the request, not the plan: it reads a newer record.
    let work = request.work;
    let input = StartInput {
        select: work.selection,
        partitions: work.partitions,
        config: work.config,
        tags: work.tags,
        run_key: request.run_key.clone(),
        without_checks: request.checks == CheckSelection::None,
        ..StartInput::default()
    };
    let start = remote::RunStart {
        input,
        plan,
        control,
    };
    match &request.run_key {
        Some(key) => remote::materialize_once(session, deployment, key, start, out).await,
        None => remote::start_run(session, deployment, start, out).await,
    }
}

/// Refuses `--detach` for a run on this machine.
///
/// # Errors
/// [`Failure`] when the option is given.
pub(super) fn refuse_detach(control: &RunControlArgs) -> Result<(), Failure> {
    if control.detach {
        return Err(Failure::usage(
            "a run on this machine executes in this process and cannot be detached",
        )
        .with_help("leave `--detach` out, or add `--on aws`"));
    }
    Ok(())
}

/// Prints the requested partitions that wait for an upstream window, with its key.
pub(crate) fn print_waiting(session: &Session, plan: &Plan) {
    for left in plan.left_out.iter().filter(|left| left.reason.is_waiting()) {
        session.print_note(&left_out_line(session, left));
    }
}

/// Returns the message for an empty plan.
pub(crate) fn nothing_to_do_message(request: &Request, plan: &Plan) -> String {
    let asked = request.work.partitions.as_deref().unwrap_or_default();
    if plan.left_out.iter().any(|left| left.reason.is_waiting()) {
        return "nothing to do yet: the partitions that are left wait for upstream".to_owned();
    }
    match asked.split(':').next() {
        Some("missing") if !request.work.config.is_null() => {
            "nothing is missing: everything requested is materialized, and the config is not used; \
             name partitions to materialize them again with it, like `--partitions all`"
                .to_owned()
        }
        Some("failed") => "nothing to do: nothing that was requested failed".to_owned(),
        Some("skipped") => "nothing to do: nothing that was requested is skipped".to_owned(),
        Some("missing") => {
            "nothing is missing: everything requested is materialized or skipped; name partitions \
             to materialize them again, like `--partitions all` or `--partitions skipped`"
                .to_owned()
        }
        _ => "nothing to do: no requested partition exists yet".to_owned(),
    }
}

/// Records a run and executes it in this process.
pub(super) async fn start_run(
    session: &Session,
    home: &Home,
    request: RequestedWork,
    key: Option<RunKey>,
    planned: PlannedRun,
    control: &RunControlArgs,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let observer = progress::new_observer(count_steps(&planned.plan));
    let ports = open::local_ports(session, home, Arc::clone(&observer));
    let (clock, randomness) = (ports.clock.as_ref(), ports.randomness.as_ref());
    let id = next_run_id(ports.state.as_ref(), clock, randomness).await?;
    // Opened before anything is recorded, so that a missing setting leaves nothing behind.
    let opened = open::open_run_session(session, ports.clone(), id, &planned).await?;
    let run = open::as_of_command(session, opened);
    plan_file::write_plan(home, id, &planned.plan)?;
    let new = CreateRun {
        id,
        key,
        request,
        plan: &planned.plan,
        pointer: None,
    };
    let created = create_run(&ports, new).await?;
    if !created.is_new() {
        let existing = created.run();
        plan_file::remove_plan(home, id);
        session.print_note(&format!(
            "run {} was started for this key already: it {}",
            existing.id, existing.status
        ));
        return Ok(Exit::Done);
    }
    // The lock is the sign of life by which other processes know that the run is active.
    let lock = home
        .lock_process(OwnerId(id.to_string()))
        .map_err(home_failure)?;
    let executor = new_executor(&lock, control);
    let stop = Stop::default();
    let interrupts = Interrupts::listen_for(stop.clone());
    let report = executor.execute_run(Arc::new(run), &planned, &stop).await;
    // The progress bar ends before the report is printed.
    drop((interrupts, observer, ports));
    report_outcome(session, id, &planned.plan, report, out).await
}

/// Reports how a run ended.
pub(super) async fn report_outcome(
    session: &Session,
    run: RunId,
    plan: &Plan,
    report: Result<precip_local::executor::RunReport, precip_local::executor::ExecuteError>,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    match report {
        Ok(report) => report::report_run(session, run, plan, &report, out).await,
        Err(error) => Err(Failure::environment(error.to_string())
            .with_detail(&crate::failure::cause_lines(&error))
            .with_help(format!("fix the cause, then run `resume {run}`"))),
    }
}

pub(crate) fn new_executor(
    lock: &precip_local::home::ProcessLock,
    control: &RunControlArgs,
) -> Executor {
    let executor = Executor::new(lock.owner().clone());
    match control.concurrency {
        Some(concurrency) => executor.with_concurrency(concurrency),
        None => executor,
    }
}

pub(crate) fn home_failure(error: precip_local::home::HomeError) -> Failure {
    Failure::environment(error.to_string()).with_detail(&crate::failure::cause_lines(&error))
}

/// Counts the (step, partition) pairs of a plan.
pub(crate) fn count_steps(plan: &Plan) -> u64 {
    plan.steps()
        .map(|(_, stage, _)| stage.partitions.len())
        .sum()
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use precip_core::plan::LeftOutReason;
    use serde_json::json;

    use super::*;

    fn plan_without(reasons: Vec<LeftOutReason>) -> Plan {
        let left_out = reasons.into_iter().map(|reason| LeftOut {
            asset: "smoothed".parse().expect("an asset key"),
            partitions: [5].into_iter().collect(),
            reason,
        });
        Plan {
            at: DateTime::UNIX_EPOCH,
            run_key: None,
            config: serde_json::Value::Null,
            tags: Default::default(),
            stages: Vec::new(),
            why: Default::default(),
            left_out: left_out.collect(),
            basis: Default::default(),
            needed: Vec::new(),
        }
    }

    #[test]
    fn an_empty_plan_says_what_it_does_not_use_or_waits_for() {
        let mut request = Request {
            work: RequestedWork::default(),
            checks: CheckSelection::All,
            run_key: None,
        };
        request.work.partitions = Some("missing".to_owned());
        let materialized = plan_without(vec![LeftOutReason::Materialized]);
        let message = nothing_to_do_message(&request, &materialized);
        assert!(!message.contains("config"), "{message}");
        request.work.config = json!({ "smoothed": { "width": 2 } });
        let message = nothing_to_do_message(&request, &materialized);
        assert!(message.contains("the config is not used"), "{message}");
        assert!(message.contains("`--partitions all`"), "{message}");
        let waiting = LeftOutReason::UpstreamToCome {
            upstream: "readings".parse().expect("an asset key"),
            key: "2025-01-01-06:00".into(),
        };
        let message = nothing_to_do_message(&request, &plan_without(vec![waiting]));
        assert!(message.contains("wait for upstream"), "{message}");
    }
}
