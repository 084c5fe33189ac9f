//! The ports of sensors and schedules on this machine.

use std::sync::Arc;

use async_trait::async_trait;
use precip_engine::{
    asset::ResourceNeed,
    definitions::EnvironmentNeeds,
    run::{Clock, SystemRandomness},
    settings::ProcessEnvironment,
    state::Run,
    trigger::{FunctionRunner, RunLauncher, TriggerPorts},
};
use precip_local::executor::{TokioFunctionRunner, TokioSleeper};

use super::open::chosen_environment;
use crate::{failure::Failure, session::Session};

/// A launcher that starts nothing, for previews.
struct NullLauncher;

#[async_trait]
impl RunLauncher for NullLauncher {
    async fn launch(&self, _: &Run) -> Result<(), String> {
        Ok(())
    }

    fn function_runner(&self) -> Arc<dyn FunctionRunner> {
        Arc::new(TokioFunctionRunner::default())
    }
}

/// A clock that always shows the time of the command.
#[derive(Debug)]
struct FixedClock(chrono::DateTime<chrono::Utc>);

impl Clock for FixedClock {
    fn now(&self) -> chrono::DateTime<chrono::Utc> {
        self.0
    }
}

/// Returns ports for a preview of what a sensor or schedule would request at the time of the command.
/// They start no runs.
///
/// # Errors
/// [`Failure`] when the environment cannot be opened.
pub(crate) async fn preview_trigger_ports(
    session: &Session,
    needs: &[ResourceNeed],
) -> Result<TriggerPorts, Failure> {
    let clock = Arc::new(FixedClock(session.context.now));
    trigger_ports(session, needs, clock, Arc::new(NullLauncher)).await
}

/// Returns ports of sensors and schedules, with the resources that they need.
///
/// # Errors
/// [`Failure`] when the environment cannot be opened.
pub(crate) async fn trigger_ports(
    session: &Session,
    needs: &[ResourceNeed],
    clock: Arc<dyn Clock>,
    launcher: Arc<dyn RunLauncher>,
) -> Result<TriggerPorts, Failure> {
    let environment = chosen_environment(session)?;
    let wanted = EnvironmentNeeds {
        resources: needs.iter().map(|need| need.name.clone()).collect(),
        ..EnvironmentNeeds::default()
    };
    let open = environment
        .open(&wanted, &ProcessEnvironment, None)
        .await
        .map_err(|error| {
            Failure::environment(error.to_string())
                .with_help("`doctor` lists the settings that are read, and by what")
        })?;
    Ok(TriggerPorts {
        definitions: Arc::clone(&session.definitions),
        state: Arc::clone(&session.store),
        clock,
        sleeper: Arc::new(TokioSleeper),
        randomness: Arc::new(SystemRandomness),
        launcher,
        resources: Arc::new(open.resources),
        environment: environment.name().to_owned(),
    })
}
