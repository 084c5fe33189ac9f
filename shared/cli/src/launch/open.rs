//! Opening the ports, resources and IO managers of a run.

use std::{collections::BTreeSet, sync::Arc};

use precip_core::plan::Plan;
use precip_engine::{
    asset::parse_config,
    definitions::{EnvironmentNeeds, IoManagers},
    io::IoManager,
    run::{PlanRunError, PlannedRun, RunObserver, RunPorts, RunSession, translate_plan},
    run_id::RunId,
};
use precip_io::ObjectStoreIoManager;
use precip_local::{
    executor::{TokioOpRunner, TokioSleeper},
    home::Home,
};

use crate::{exit::Exit, failure::Failure, session::Session, target::Target};

/// Returns the ports of this machine.
pub(super) fn local_ports(
    session: &Session,
    home: &Home,
    observer: Arc<dyn RunObserver>,
) -> RunPorts {
    RunPorts {
        observer,
        long_texts: Arc::new(home.long_texts()),
        ..RunPorts::system(
            Arc::clone(&session.store),
            Arc::new(TokioSleeper),
            Arc::new(TokioOpRunner),
        )
    }
}

/// Opens the resources and IO managers that a plan uses, for a run of it.
///
/// # Errors
/// [`Failure`] when the environment does not exist or cannot be opened.
pub(crate) async fn open_run_session(
    session: &Session,
    ports: RunPorts,
    run: RunId,
    planned: &PlannedRun,
) -> Result<RunSession, Failure> {
    let environment = chosen_environment(session)?;
    let wanted = RunSession::environment_needs(&session.definitions, &planned.plan);
    let open = environment
        .open(
            &wanted,
            session.target.setting_reader().as_ref(),
            Some(default_io_manager(session)?),
        )
        .await
        .map_err(|error| {
            Failure::environment(error.to_string())
                .with_help("`doctor` lists the settings that are read, and by what")
        })?;
    let definitions = Arc::clone(&session.definitions);
    let context = planned.context.clone();
    Ok(RunSession::new(
        definitions,
        ports,
        context,
        run,
        &planned.plan,
        open,
    ))
}

/// Returns the session of a run whose ops take the time of `--now` for the present, if it is given.
pub(super) fn as_of_command(session: &Session, run: RunSession) -> RunSession {
    if session.now_overridden {
        run.as_of(session.context.now)
    } else {
        run
    }
}

/// Returns the environment chosen by the command line or the variable.
///
/// # Errors
/// [`Failure`] when the project has no environment of this name.
pub(crate) fn chosen_environment(
    session: &Session,
) -> Result<&precip_engine::definitions::Environment, Failure> {
    session
        .definitions
        .environment(session.environment.as_deref())
        .map_err(|error| Failure::usage(error.to_string()))
}

/// Opens IO managers of the chosen environment.
///
/// # Errors
/// [`Failure`] when one cannot be opened.
pub(crate) async fn open_io_managers(
    session: &Session,
    names: BTreeSet<String>,
) -> Result<IoManagers, Failure> {
    let wanted = EnvironmentNeeds {
        io_managers: names,
        ..EnvironmentNeeds::default()
    };
    let settings = session.target.setting_reader();
    let data = Some(default_io_manager(session)?);
    let opened = chosen_environment(session)?.open(&wanted, settings.as_ref(), data);
    match opened.await {
        Ok(opened) => Ok(opened.io_managers),
        Err(error) => Err(Failure::environment(error.to_string())),
    }
}

/// Returns the IO manager of assets that name none: Parquet files in the home, or in the deployment's
/// bucket.
///
/// # Errors
/// [`Failure`] when the folder cannot be used.
fn default_io_manager(session: &Session) -> Result<Arc<dyn IoManager>, Failure> {
    let home = match &session.target {
        Target::Local(home) => home,
        Target::Aws(deployment) => return Ok(Arc::clone(&deployment.data)),
    };
    let folder = std::path::absolute(home.data_folder())?;
    let opened = ObjectStoreIoManager::open(&folder.to_string_lossy());
    let manager = opened.map_err(|error| Failure::environment(error.to_string()))?;
    Ok(Arc::new(manager))
}

/// Reads the config of a request, from a file or from the command line.
///
/// # Errors
/// [`Failure`] when it cannot be read, is not JSON, or has a field twice.
pub(super) fn read_config(
    file: Option<&std::path::Path>,
    text: Option<&str>,
) -> Result<serde_json::Value, Failure> {
    let (json, origin) = match (file, text) {
        (Some(file), _) => {
            let text = std::fs::read_to_string(file).map_err(|error| {
                Failure::usage(format!("failed to read `{}`: {error}", file.display()))
            })?;
            (text, format!("`{}`", file.display()))
        }
        (None, Some(text)) => (text.to_owned(), "`--config-json`".to_owned()),
        (None, None) => return Ok(serde_json::Value::Null),
    };
    parse_config(&json).map_err(|error| {
        if error.is_data() {
            let message = format!("the config of {origin} cannot be read: {error}");
            return Failure::new(Exit::Usage, message).with_help("keep one of the two");
        }
        Failure::new(Exit::Usage, format!("{origin} is not JSON: {error}")).with_help(
            "write an object with an entry for each op, like {\"flights\": {\"limit\": 10}}",
        )
    })
}

/// Translates the stored plan of a run to the project as it is declared now.
///
/// # Errors
/// [`PlanRunError`] when the project no longer has what is left of the plan.
pub(super) async fn translate_stored_plan(
    session: &Session,
    plan: &Plan,
    run: RunId,
) -> Result<PlannedRun, PlanRunError> {
    plan.check_numbering(&session.renumbered)?;
    translate_plan(&session.definitions, &session.store, plan, run).await
}
