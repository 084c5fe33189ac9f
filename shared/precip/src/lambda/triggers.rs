//! The ports of sensors and schedules in a function.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use precip_aws::{
    launch::{SfnExecutions, SfnLauncher},
    settings::SecretsManager,
};
use precip_engine::{
    asset::{ResourceNeed, Resources},
    definitions::{Definitions, Environment, EnvironmentNeeds, OpenError},
    settings::SettingReader,
    trigger::TriggerPorts,
};
use precip_local::executor::TokioSleeper;

use super::{
    context::{FunctionContext, required_machine},
    variables,
};

/// The ports of sensors and schedules, and the resources of their functions.
pub(super) struct Triggers {
    ports: TriggerPorts,
    environment: Environment,
    settings: Arc<dyn SettingReader>,
    /// The resources opened so far, by their names. They stay open as long as the process lives.
    open: Mutex<BTreeMap<Vec<String>, Arc<Resources>>>,
}

impl Triggers {
    pub(super) fn new(shared: &FunctionContext) -> Result<Self, String> {
        let machine = required_machine()?;
        let name = std::env::var(variables::ENVIRONMENT).ok();
        let environment = shared
            .definitions
            .environment(name.as_deref())
            .map_err(|error| error.to_string())?
            .clone();
        let executions = SfnExecutions::new(shared.aws.step_functions(), machine);
        // The launcher reads a queued run from the record, and starts its execution.
        let launcher =
            SfnLauncher::new(executions, shared.state_store(), Arc::clone(&shared.clock));
        Ok(Self {
            ports: TriggerPorts {
                definitions: Arc::clone(&shared.definitions),
                state: shared.state_store(),
                clock: Arc::clone(&shared.clock),
                sleeper: Arc::new(TokioSleeper),
                randomness: Arc::clone(&shared.randomness),
                launcher: Arc::new(launcher),
                resources: Arc::new(Resources::new()),
                environment: environment.name().to_owned(),
            },
            environment,
            settings: Arc::new(SecretsManager::new(shared.aws.secrets_manager())),
            open: Mutex::default(),
        })
    }

    /// Returns the definitions of the project.
    pub(super) fn definitions(&self) -> &Definitions {
        &self.ports.definitions
    }

    /// Returns the reader of settings.
    pub(super) fn settings(&self) -> &dyn SettingReader {
        self.settings.as_ref()
    }

    /// Returns the ports for a sensor or schedule whose function takes these resources. Resources
    /// are opened when they are first needed, so that one that cannot be opened affects no other
    /// function.
    pub(super) async fn trigger_ports(
        &self,
        needs: &[ResourceNeed],
    ) -> Result<TriggerPorts, OpenError> {
        if needs.is_empty() {
            return Ok(self.ports.clone());
        }
        let names: Vec<String> = needs.iter().map(|need| need.name.clone()).collect();
        // The lock is not held while resources are opened: two invocations may open the same, and
        // the last wins.
        let known = {
            let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            open.get(&names).cloned()
        };
        // Opened resources are kept: connections serve later invocations too.
        let resources = match known {
            Some(resources) => resources,
            None => {
                let wanted = EnvironmentNeeds {
                    resources: names.iter().cloned().collect(),
                    ..EnvironmentNeeds::default()
                };
                let opened = self
                    .environment
                    .open(&wanted, self.settings(), None)
                    .await?;
                let resources = Arc::new(opened.resources);
                let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
                open.insert(names, Arc::clone(&resources));
                resources
            }
        };
        Ok(TriggerPorts {
            resources,
            ..self.ports.clone()
        })
    }
}
