//! Putting together what a run stands on.

use std::{collections::BTreeSet, sync::Arc};

use precip_core::plan::Plan;
use precip_engine::{
    definitions::{IoManagers, Wanted},
    io::IoManager,
    run::{PlannedRun, RunObserver, RunPorts, RunSession, SystemClock, SystemRandomness},
    run_id::RunId,
};
use precip_io::ObjectStoreIoManager;
use precip_local::executor::{TokioBodies, TokioSleeper};

use crate::{exit::Exit, failure::Failure, place::Place, session::Session};

/// The ports of this machine.
pub(super) fn ports(session: &Session, observer: Arc<dyn RunObserver>) -> RunPorts {
    RunPorts {
        state: Arc::clone(&session.store),
        clock: Arc::new(SystemClock),
        sleeper: Arc::new(TokioSleeper),
        randomness: Arc::new(SystemRandomness),
        bodies: Arc::new(TokioBodies),
        observer,
    }
}

/// A run with the resources and IO managers that its plan uses.
///
/// # Errors
/// [`Failure`] when the environment is not there or cannot be opened.
pub(crate) async fn run_session(
    session: &Session,
    ports: RunPorts,
    run: RunId,
    planned: &PlannedRun,
) -> Result<RunSession, Failure> {
    let environment = environment(session)?;
    let wanted = RunSession::wanted(&session.definitions, &planned.plan);
    let open = environment
        .open(
            &wanted,
            session.place.settings().as_ref(),
            Some(data(session)?),
        )
        .await
        .map_err(|error| {
            Failure::environment(error.to_string())
                .help("`doctor` says which settings are read, and by what")
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

/// The environment that the command line or the variable names.
///
/// # Errors
/// [`Failure`] when the project has none of this name.
pub(crate) fn environment(
    session: &Session,
) -> Result<&precip_engine::definitions::Environment, Failure> {
    session
        .definitions
        .environment(session.environment.as_deref())
        .map_err(|error| Failure::usage(error.to_string()))
}

/// The IO managers of these names, of the environment at hand.
///
/// # Errors
/// [`Failure`] when one cannot be opened.
pub(crate) async fn io_managers(
    session: &Session,
    names: BTreeSet<String>,
) -> Result<IoManagers, Failure> {
    let wanted = Wanted {
        io_managers: names,
        ..Wanted::default()
    };
    let settings = session.place.settings();
    let data = Some(data(session)?);
    let opened = environment(session)?.open(&wanted, settings.as_ref(), data);
    match opened.await {
        Ok(opened) => Ok(opened.io_managers),
        Err(error) => Err(Failure::environment(error.to_string())),
    }
}

/// The IO manager of assets that name none: Parquet files below the home, or in the deployment's
/// bucket.
///
/// # Errors
/// [`Failure`] when the folder cannot be used.
fn data(session: &Session) -> Result<Arc<dyn IoManager>, Failure> {
    let home = match &session.place {
        Place::Local(home) => home,
        Place::Aws(deployment) => return Ok(Arc::clone(&deployment.data)),
    };
    let folder = std::path::absolute(home.data())?;
    let data = ObjectStoreIoManager::open(&folder.to_string_lossy());
    let data = data.map_err(|error| Failure::environment(error.to_string()))?;
    Ok(Arc::new(data))
}

/// The config of a request, from a file or from the command line.
///
/// # Errors
/// [`Failure`] when it cannot be read or is no JSON.
pub(crate) fn config(
    file: Option<&std::path::Path>,
    text: Option<&str>,
) -> Result<serde_json::Value, Failure> {
    let (text, place) = match (file, text) {
        (Some(file), _) => {
            let text = std::fs::read_to_string(file).map_err(|error| {
                Failure::usage(format!("failed to read `{}`: {error}", file.display()))
            })?;
            (text, format!("`{}`", file.display()))
        }
        (None, Some(text)) => (text.to_owned(), "`--config-json`".to_owned()),
        (None, None) => return Ok(serde_json::Value::Null),
    };
    serde_json::from_str(&text).map_err(|error| {
        Failure::new(Exit::Usage, format!("{place} is not JSON: {error}"))
            .help("write an object with one entry an op, like {\"flights\": {\"limit\": 10}}")
    })
}

/// A plan with the context it was made in.
pub(super) async fn planned(session: &Session, plan: Plan) -> Result<PlannedRun, Failure> {
    let context =
        precip_engine::run::partition_context(&session.definitions, &session.store, plan.at)
            .await?;
    Ok(PlannedRun { plan, context })
}
