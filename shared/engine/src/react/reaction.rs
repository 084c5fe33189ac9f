//! [`react`].

use std::{collections::BTreeSet, fmt, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use super::{Affected, ChangeSet, TickScheduler, affected_by};
use crate::{
    asset::{ResourceNeed, Resources},
    freshness::{FreshnessOutcome, FreshnessTopic, evaluate_freshness},
    run_id::RunId,
    trigger::{
        AutomationRuns, Decision, SensorDefinition, TriggerError, TriggerPorts, evaluate_run,
        evaluate_updates, launch_waiting_runs, run_automation,
    },
};

/// Opens the resources of sensors' functions, for each call: a resource that cannot be opened affects
/// only the sensors that use it.
#[async_trait]
pub trait OpenResources: Send + Sync {
    /// Opens resources, or returns those that are open already.
    ///
    /// # Errors
    /// The reason why one cannot be opened now; the call will be repeated.
    async fn open_resources(&self, needs: &[ResourceNeed]) -> Result<Arc<Resources>, String>;
}

/// Resources that are all open.
#[async_trait]
impl OpenResources for Arc<Resources> {
    async fn open_resources(&self, _: &[ResourceNeed]) -> Result<Arc<Resources>, String> {
        Ok(Self::clone(self))
    }
}

/// The wait before a sensor is evaluated again whose resources cannot be opened.
const REOPEN_AFTER: TimeDelta = TimeDelta::minutes(5);

/// The ports of reactions.
#[derive(Clone)]
pub struct ReactPorts {
    /// The ports of evaluations, without resources.
    pub triggers: TriggerPorts,
    /// Opens the resources of sensors' functions.
    pub resources: Arc<dyn OpenResources>,
    /// Arranges the next tick.
    pub ticks: Arc<dyn TickScheduler>,
    /// Receives changes of freshness.
    pub topic: Arc<dyn FreshnessTopic>,
}

impl fmt::Debug for ReactPorts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReactPorts")
            .field("triggers", &self.triggers)
            .finish_non_exhaustive()
    }
}

impl ReactPorts {
    /// Returns the ports of a sensor's evaluation, with its resources open.
    async fn ports_for(&self, sensor: &SensorDefinition) -> Result<TriggerPorts, String> {
        Ok(TriggerPorts {
            resources: self.resources.open_resources(&sensor.resources).await?,
            ..self.triggers.clone()
        })
    }
}

/// The outcome of a reaction.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reaction {
    /// The decision of each affected sensor, with its name.
    pub sensors: Vec<(String, Decision)>,
    /// The runs that the automation conditions requested.
    pub automation: AutomationRuns,
    /// The changes of freshness.
    pub freshness: FreshnessOutcome,
    /// The evaluations that failed. Their positions did not move: the change must be delivered again.
    pub failed: Vec<FailedEvaluation>,
    /// Time of the next tick, if an evaluation needs one.
    pub next: Option<DateTime<Utc>>,
}

/// A failed evaluation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedEvaluation {
    /// The evaluation: a sensor's name, `automation`, `freshness` or `tick`.
    pub what: String,
    /// The error message.
    pub message: String,
    /// True if delivering the same change again may help. Otherwise the cause must be fixed; the next
    /// evaluation after that handles the change.
    pub again: bool,
}

/// Runs the evaluations that a change affects: sensors of assets and runs, then the automation
/// conditions, then freshness; launches the requested runs, and arranges the next tick if one is
/// needed. A failed evaluation does not affect the others.
///
/// A function that fails is called a few times. After that a sensor of assets keeps its updates and is
/// evaluated again by a tick, and the run of a sensor of runs is recorded as failed.
pub async fn react(ports: &ReactPorts, changes: &ChangeSet) -> Reaction {
    let ports = &ReactPorts {
        triggers: ports.triggers.with_patience(),
        ..ports.clone()
    };
    let affected = affected_by(&ports.triggers.definitions, changes);
    let mut reaction = Reaction::default();
    if affected.is_empty() && !changes.tick && !changes.waiting {
        return reaction;
    }
    for sensor in &affected.asset_sensors {
        reaction
            .evaluate_asset_sensor(ports, sensor, changes.tick)
            .await;
    }
    for sensor in &affected.run_sensors {
        reaction
            .evaluate_run_sensor(ports, sensor, &changes.ended)
            .await;
    }
    if affected.automation {
        match run_automation(&ports.triggers).await {
            Ok(runs) => {
                reaction.add_due(runs.next);
                reaction.automation = runs;
            }
            Err(error) => reaction.add_failure("automation", &error),
        }
    }
    reaction
        .check_freshness(ports, &affected, changes.tick)
        .await;
    // A run that waits for an upstream window starts at the tick that its request arranges.
    let requests =
        |(_, decision): &(String, Decision)| matches!(decision, Decision::Requested { .. });
    if changes.tick || changes.waiting || reaction.sensors.iter().any(requests) {
        match launch_waiting_runs(&ports.triggers).await {
            Ok(next) => reaction.add_due(next),
            Err(message) => reaction.failed.push(FailedEvaluation {
                what: "waiting runs".to_owned(),
                message,
                again: true,
            }),
        }
    }
    // Last: every evaluation has named its next time by now.
    if let Some(next) = reaction.next
        && let Err(message) = ports.ticks.call_at(next).await
    {
        reaction.failed.push(FailedEvaluation {
            what: "tick".to_owned(),
            message,
            again: true,
        });
    }
    reaction
}

impl Reaction {
    /// Moves the next tick to `due` if that is earlier.
    fn add_due(&mut self, due: Option<DateTime<Utc>>) {
        self.next = [self.next, due].into_iter().flatten().min();
    }

    fn add_failure(&mut self, what: &str, error: &TriggerError) {
        self.failed.push(FailedEvaluation {
            what: what.to_owned(),
            message: error.to_string(),
            again: error.is_passing(),
        });
    }

    async fn evaluate_asset_sensor(
        &mut self,
        ports: &ReactPorts,
        sensor: &SensorDefinition,
        tick: bool,
    ) {
        let triggers = match ports.ports_for(sensor).await {
            Ok(triggers) => triggers,
            Err(message) => {
                // Its position does not move: the tick evaluates the same updates.
                self.add_due(Some(ports.triggers.clock.now() + REOPEN_AFTER));
                let failed = Decision::Failed { message };
                self.sensors.push((sensor.name().to_string(), failed));
                return;
            }
        };
        match evaluate_updates(&triggers, sensor, tick).await {
            Ok((decision, again)) => {
                self.add_due(again);
                self.sensors.push((sensor.name().to_string(), decision));
            }
            Err(error) => self.add_failure(sensor.name(), &error),
        }
    }

    async fn evaluate_run_sensor(
        &mut self,
        ports: &ReactPorts,
        sensor: &SensorDefinition,
        ended: &BTreeSet<RunId>,
    ) {
        let triggers = match ports.ports_for(sensor).await {
            Ok(triggers) => triggers,
            Err(message) => {
                // An ended run is kept in no position: only this delivery names it, so it must come again.
                self.failed.push(FailedEvaluation {
                    what: sensor.name().to_string(),
                    message,
                    again: true,
                });
                return;
            }
        };
        for run in ended {
            // A run that was removed since is passed over.
            let evaluated = match triggers.state.find_run(*run).await {
                Ok(Some(run)) => evaluate_run(&triggers, sensor, &run).await,
                Ok(None) => continue,
                Err(error) => Err(error.into()),
            };
            match evaluated {
                Ok(decision) => self.sensors.push((sensor.name().to_string(), decision)),
                Err(error) => self.add_failure(sensor.name(), &error),
            }
        }
    }

    async fn check_freshness(&mut self, ports: &ReactPorts, affected: &Affected<'_>, tick: bool) {
        if affected.freshness.is_empty() {
            return;
        }
        let only = (!tick).then_some(&affected.freshness);
        match evaluate_freshness(&ports.triggers, ports.topic.as_ref(), only).await {
            Ok(freshness) => {
                self.add_due(freshness.next);
                self.freshness = freshness;
            }
            Err(error) => self.add_failure("freshness", &error),
        }
    }
}
