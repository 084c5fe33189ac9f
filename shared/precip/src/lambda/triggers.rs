//! What sensors and schedules stand on in a function.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use precip_aws::{
    launch::{MachineArn, SfnExecutions, SfnLauncher},
    settings::SecretsManager,
};
use precip_engine::{
    asset::{ResourceNeed, Resources},
    definitions::{Environment, OpenError, Wanted},
    settings::SettingReader,
    trigger::TriggerPorts,
};
use precip_local::executor::TokioSleeper;

use super::{
    variables,
    world::{World, variable},
};

/// What sensors and schedules stand on, with the resources that some of their functions take.
pub(super) struct Triggers {
    ports: TriggerPorts,
    environment: Environment,
    settings: Arc<dyn SettingReader>,
    open: Mutex<BTreeMap<Vec<String>, Arc<Resources>>>,
}

impl Triggers {
    pub(super) fn new(world: &World) -> Result<Self, String> {
        let machine = variable(variables::STATE_MACHINE)?;
        let machine: MachineArn = machine
            .parse()
            .map_err(|error| format!("{}: {error}", variables::STATE_MACHINE))?;
        let name = std::env::var(variables::ENVIRONMENT).ok();
        let environment = world.definitions.environment(name.as_deref());
        let environment = environment.map_err(|error| error.to_string())?.clone();
        let executions = SfnExecutions::new(world.aws.step_functions(), machine);
        let launcher = SfnLauncher::new(executions, world.state(), Arc::clone(&world.clock));
        Ok(Self {
            ports: TriggerPorts {
                definitions: Arc::clone(&world.definitions),
                state: world.state(),
                clock: Arc::clone(&world.clock),
                sleeper: Arc::new(TokioSleeper),
                randomness: Arc::clone(&world.randomness),
                launcher: Arc::new(launcher),
                resources: Arc::new(Resources::new()),
                environment: environment.name().to_owned(),
            },
            environment,
            settings: Arc::new(SecretsManager::new(world.aws.secrets_manager())),
            open: Mutex::default(),
        })
    }

    /// What settings are read from.
    pub(super) fn settings(&self) -> &dyn SettingReader {
        self.settings.as_ref()
    }

    /// The ports for a sensor or schedule whose function takes these resources. They are opened when
    /// they are first needed: what one cannot open stops no other.
    pub(super) async fn ports(&self, needs: &[ResourceNeed]) -> Result<TriggerPorts, OpenError> {
        if needs.is_empty() {
            return Ok(self.ports.clone());
        }
        let names: Vec<String> = needs.iter().map(|need| need.name.clone()).collect();
        let known = {
            let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            open.get(&names).cloned()
        };
        let resources = match known {
            Some(resources) => resources,
            None => {
                let wanted = Wanted {
                    resources: names.iter().cloned().collect(),
                    ..Wanted::default()
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
