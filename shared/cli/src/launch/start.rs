//! `plan` and `materialize`.

use std::{io::Write, sync::Arc};

use precip_core::plan::{CheckSelection, Plan};
use precip_engine::{
    machine::StartInput,
    run::{CreateRun, PlanRunError, PlannedRun, changed_layouts, create_run, new_run_id, plan_run},
    run_id::RunId,
    state::{OwnerId, RunKey, RunRequest},
};
use precip_local::{
    executor::{Executor, Stop},
    home::Home,
};

use super::{open, plan_file, remote, report, stop::Interrupts};
use crate::{
    args::{MaterializeArgs, PlanArgs, RunControlArgs},
    exit::Exit,
    failure::Failure,
    place::{Deployment, Place},
    progress,
    session::Session,
};

/// A request as the engine takes it.
#[derive(Debug, Clone)]
pub struct Request {
    request: RunRequest,
    checks: CheckSelection,
    key: Option<String>,
}

impl Request {
    /// Reads the request of `plan`.
    ///
    /// # Errors
    /// [`Failure`] when its config cannot be read.
    pub fn of_plan(args: &PlanArgs) -> Result<Self, Failure> {
        let config = open::config(args.config.as_deref(), args.config_json.as_deref())?;
        let checks = if args.without_checks {
            CheckSelection::None
        } else {
            CheckSelection::All
        };
        let request = RunRequest {
            selection: args.target.select.clone(),
            partitions: args.target.partitions.text(),
            config,
            ..RunRequest::default()
        };
        Ok(Self {
            request,
            checks,
            key: None,
        })
    }

    /// Reads the request of `materialize`: without partitions it is about what is missing.
    ///
    /// # Errors
    /// [`Failure`] when its config or a tag cannot be read.
    pub fn of_materialize(args: &MaterializeArgs) -> Result<Self, Failure> {
        let mut read = Self::of_plan(&args.plan)?;
        for tag in &args.tags {
            let (key, value) = tag.split_once('=').ok_or_else(|| {
                Failure::usage(format!("`{tag}` is not a tag")).help("write `--tag KEY=VALUE`")
            })?;
            read.request.tags.insert(key.to_owned(), value.to_owned());
        }
        read.key.clone_from(&args.run_key);
        Ok(read)
    }
}

/// Plans a request. Without partitions it is about what is missing.
///
/// # Errors
/// [`Failure`], which says what to write instead.
pub async fn plan(session: &Session, request: &mut Request) -> Result<PlannedRun, Failure> {
    if let Some(warning) = same_partitions(session).await? {
        return Err(warning);
    }
    let selection = &request.request.selection;
    if session.resolve(selection)?.is_empty() {
        return Err(session.selects_nothing(selection));
    }
    let written = request
        .request
        .partitions
        .get_or_insert_with(|| "missing".to_owned());
    let unspecified = written == "missing";
    let planned = attempt(session, request).await;
    match planned {
        // `missing` is about partitioned assets; a selection that holds none is run as it is.
        Err(PlanRunError::Plan(precip_core::plan::PlanError::NotPartitioned)) if unspecified => {
            request.request.partitions = None;
            attempt(session, request).await.map_err(failure)
        }
        planned => planned.map_err(failure),
    }
}

/// Says which assets have other partitions here than the record on AWS was numbered by: what it says
/// of them cannot be read then. Nothing is said of this machine's record, which is numbered anew.
///
/// # Errors
/// [`Failure`] when the record cannot be read.
pub(crate) async fn same_partitions(session: &Session) -> Result<Option<Failure>, Failure> {
    if matches!(session.place, Place::Local(_)) {
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
    Ok(Some(Failure::usage(message).help(
        "deploy this project and start a run there, which numbers the record anew; or use the \
         version of the project that is deployed",
    )))
}

async fn attempt(session: &Session, request: &Request) -> Result<PlannedRun, PlanRunError> {
    let checks = request.checks.clone();
    let now = session.context.now;
    plan_run(
        &session.definitions,
        &session.store,
        now,
        &request.request,
        checks,
    )
    .await
}

pub(super) fn failure(error: PlanRunError) -> Failure {
    match error {
        PlanRunError::Selection(invalid) => (*invalid).into(),
        PlanRunError::State(error) => error.into(),
        error => Failure::usage(error.to_string()),
    }
}

/// Plans and runs.
///
/// # Errors
/// [`Failure`] when the request cannot be planned or the run cannot be executed to its end. A run
/// whose assets failed is no failure of the command: its exit code says so.
pub async fn materialize(
    session: &Session,
    args: &MaterializeArgs,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let mut request = Request::of_materialize(args)?;
    match &session.place {
        Place::Local(_) => attached(&args.control)?,
        Place::Aws(_) => remote::check(session, &args.control)?,
    }
    let planned = plan(session, &mut request).await?;
    if planned.plan.is_empty() {
        session.say(&nothing_to_do(&request));
        return Ok(Exit::Done);
    }
    let control = &args.control;
    match &session.place {
        Place::Local(home) => {
            let key = request.key.as_deref().map(RunKey::requested);
            start(session, home, request.request, key, planned, control, out).await
        }
        Place::Aws(deployment) => {
            elsewhere(session, deployment, request, &planned.plan, control, out).await
        }
    }
}

/// Has a deployment do it. It plans the request once more, at the moment it starts.
async fn elsewhere(
    session: &Session,
    deployment: &Deployment,
    request: Request,
    plan: &Plan,
    control: &RunControlArgs,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let asked = request.request;
    let input = StartInput {
        select: asked.selection,
        partitions: asked.partitions,
        config: asked.config,
        tags: asked.tags,
        run_key: request.key.clone(),
        without_checks: request.checks == CheckSelection::None,
        ..StartInput::default()
    };
    let begin = remote::Begin {
        input,
        plan,
        control,
    };
    match &request.key {
        Some(key) => remote::materialize_once(session, deployment, key, begin, out).await,
        None => remote::begin(session, deployment, begin, out).await,
    }
}

/// Refuses to let go of a run of this machine: it is this process.
///
/// # Errors
/// [`Failure`] when that is asked for.
pub(super) fn attached(control: &RunControlArgs) -> Result<(), Failure> {
    if control.detach {
        return Err(
            Failure::usage("a run on this machine is this process, and ends with it")
                .help("leave `--detach` out, or add `--on aws`"),
        );
    }
    Ok(())
}

/// Why a plan is empty, in words.
pub(crate) fn nothing_to_do(request: &Request) -> String {
    let asked = request.request.partitions.as_deref().unwrap_or_default();
    match asked.split(':').next() {
        Some("failed") => "nothing to do: nothing that was asked for failed".to_owned(),
        Some("missing") => {
            "nothing is missing: everything asked for is materialized; name partitions to make \
             them again, like `--partitions all`"
                .to_owned()
        }
        _ => "nothing to do: no partition that was asked for exists yet".to_owned(),
    }
}

/// Puts a run on record and runs it.
pub(super) async fn start(
    session: &Session,
    home: &Home,
    request: RunRequest,
    key: Option<RunKey>,
    planned: PlannedRun,
    control: &RunControlArgs,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let observer = progress::observer(steps(&planned.plan));
    let ports = open::ports(session, Arc::clone(&observer));
    let id = new_run_id(ports.clock.as_ref(), ports.randomness.as_ref());
    // Before anything is on record, so that a setting that is missing leaves nothing behind.
    let run = open::run_session(session, ports.clone(), id, &planned).await?;
    plan_file::write(home, id, &planned.plan)?;
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
        plan_file::remove(home, id);
        session.say(&format!(
            "run {} was started for this key already: it {}",
            existing.id, existing.status
        ));
        return Ok(Exit::Done);
    }
    let lock = home
        .lock_process(OwnerId(id.to_string()))
        .map_err(home_failure)?;
    let executor = executor(&lock, control);
    let stop = Stop::default();
    let interrupts = Interrupts::listen(stop.clone());
    let report = executor.execute(Arc::new(run), &planned, &stop).await;
    drop((interrupts, observer, ports));
    finish(session, id, &planned.plan, report, out).await
}

/// Says how a run ended.
pub(super) async fn finish(
    session: &Session,
    run: RunId,
    plan: &Plan,
    report: Result<precip_local::executor::RunReport, precip_local::executor::ExecuteError>,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    match report {
        Ok(report) => report::tell(session, run, plan, &report, out).await,
        Err(error) => Err(Failure::environment(error.to_string())
            .detail(&crate::failure::causes(&error))
            .help(format!("`resume {run}` goes on once that is mended"))),
    }
}

pub(super) fn executor(
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
    Failure::environment(error.to_string()).detail(&crate::failure::causes(&error))
}

/// How many (step, partition) pairs a plan holds.
pub(crate) fn steps(plan: &Plan) -> u64 {
    plan.steps()
        .map(|(_, stage, _)| stage.partitions.len())
        .sum()
}
