//! What sensors and schedules stand on here.

use std::sync::Arc;

use async_trait::async_trait;
use precip_engine::{
    asset::ResourceNeed,
    definitions::Wanted,
    run::{Clock, SystemRandomness},
    settings::ProcessEnvironment,
    state::Run,
    trigger::{RunLauncher, TriggerPorts},
};
use precip_local::executor::TokioSleeper;

use super::open::environment;
use crate::{failure::Failure, session::Session};

/// Starts nothing: for looking at what would be started.
struct NoLauncher;

#[async_trait]
impl RunLauncher for NoLauncher {
    async fn launch(&self, _: &Run) -> Result<(), String> {
        Ok(())
    }
}

/// The moment of a command.
#[derive(Debug)]
struct Fixed(chrono::DateTime<chrono::Utc>);

impl Clock for Fixed {
    fn now(&self) -> chrono::DateTime<chrono::Utc> {
        self.0
    }
}

/// Ports to look at what a sensor or schedule with these needs would start, at the moment of the
/// command.
///
/// # Errors
/// [`Failure`] when the environment cannot be opened.
pub(crate) async fn trigger_ports(
    session: &Session,
    needs: &[ResourceNeed],
) -> Result<TriggerPorts, Failure> {
    let clock = Arc::new(Fixed(session.context.now));
    trigger_ports_with(session, needs, clock, Arc::new(NoLauncher)).await
}

/// Ports of sensors and schedules with these needs.
///
/// # Errors
/// [`Failure`] when the environment cannot be opened.
pub(crate) async fn trigger_ports_with(
    session: &Session,
    needs: &[ResourceNeed],
    clock: Arc<dyn Clock>,
    launcher: Arc<dyn RunLauncher>,
) -> Result<TriggerPorts, Failure> {
    let environment = environment(session)?;
    let wanted = Wanted {
        resources: needs.iter().map(|need| need.name.clone()).collect(),
        ..Wanted::default()
    };
    let open = environment
        .open(&wanted, &ProcessEnvironment, None)
        .await
        .map_err(|error| {
            Failure::environment(error.to_string())
                .help("`doctor` says which settings are read, and by what")
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
