//! [`react`].

use std::{collections::BTreeSet, fmt, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use super::{Concern, Happened, TickScheduler, concerned};
use crate::{
    asset::{ResourceNeed, Resources},
    freshness::{Freshness, FreshnessTopic, evaluate_freshness},
    run_id::RunId,
    trigger::{
        AutomationRuns, Decision, SensorDefinition, TriggerError, TriggerPorts, evaluate_run,
        evaluate_updates, run_automation,
    },
};

/// Opens what the functions of sensors take, when one is called: what cannot be opened stops no other.
#[async_trait]
pub trait OpenResources: Send + Sync {
    /// Opens resources, or answers those that are open already.
    ///
    /// # Errors
    /// Why one cannot be opened now; it will be asked again.
    async fn open(&self, needs: &[ResourceNeed]) -> Result<Arc<Resources>, String>;
}

/// They are all open.
#[async_trait]
impl OpenResources for Arc<Resources> {
    async fn open(&self, _: &[ResourceNeed]) -> Result<Arc<Resources>, String> {
        Ok(Self::clone(self))
    }
}

/// When a sensor whose resources cannot be opened is looked at again.
const REOPENED: TimeDelta = TimeDelta::minutes(5);

/// What reactions stand on.
#[derive(Clone)]
pub struct ReactPorts {
    /// What evaluations stand on; without resources.
    pub triggers: TriggerPorts,
    /// What the functions of sensors take.
    pub resources: Arc<dyn OpenResources>,
    /// What calls when it is time.
    pub ticks: Arc<dyn TickScheduler>,
    /// Where changes of freshness are raised.
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
    async fn of(&self, sensor: &SensorDefinition) -> Result<TriggerPorts, String> {
        Ok(TriggerPorts {
            resources: self.resources.open(&sensor.resources).await?,
            ..self.triggers.clone()
        })
    }
}

/// What came of a change.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reaction {
    /// What each sensor that was concerned decided, by its name.
    pub sensors: Vec<(String, Decision)>,
    /// What the automation conditions asked for.
    pub automation: AutomationRuns,
    /// What changed of the freshness of assets.
    pub freshness: Freshness,
    /// The evaluations that came to nothing. What they were to handle stays where it is: they have to
    /// be told of the change again.
    pub failed: Vec<FailedEvaluation>,
    /// When it is time to look again although nothing happens.
    pub next: Option<DateTime<Utc>>,
}

/// An evaluation that came to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedEvaluation {
    /// What was evaluated: a sensor's name, `automation`, `freshness`, `tick`.
    pub what: String,
    /// Why.
    pub message: String,
    /// Whether telling of the same change again may help. Otherwise somebody has to correct something;
    /// what was to be handled is handled by the next evaluation after that.
    pub again: bool,
}

/// Evaluates what a change concerns: sensors of assets and runs, then the automation conditions, then
/// freshness; launches what they request, and arranges the next tick if one is needed. Each fails alone.
/// A function that fails is tried again here a few times; after that a sensor of assets is tried again
/// by a tick, its updates kept, and the run of a sensor of runs is put down as failed.
pub async fn react(ports: &ReactPorts, happened: &Happened) -> Reaction {
    let concern = concerned(&ports.triggers.definitions, happened);
    let mut reaction = Reaction::default();
    if concern.is_empty() {
        return reaction;
    }
    for sensor in &concern.asset_sensors {
        reaction.assets(ports, sensor, happened.tick).await;
    }
    for sensor in &concern.run_sensors {
        reaction.runs(ports, sensor, &happened.ended).await;
    }
    if concern.automation {
        match run_automation(&ports.triggers).await {
            Ok(runs) => {
                reaction.due(runs.next);
                reaction.automation = runs;
            }
            Err(error) => reaction.fail("automation", &error),
        }
    }
    reaction.freshness(ports, &concern, happened.tick).await;
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
    fn due(&mut self, due: Option<DateTime<Utc>>) {
        self.next = [self.next, due].into_iter().flatten().min();
    }

    fn fail(&mut self, what: &str, error: &TriggerError) {
        self.failed.push(FailedEvaluation {
            what: what.to_owned(),
            message: error.to_string(),
            again: error.is_passing(),
        });
    }

    async fn assets(&mut self, ports: &ReactPorts, sensor: &SensorDefinition, tick: bool) {
        let triggers = match ports.of(sensor).await {
            Ok(triggers) => triggers,
            Err(message) => {
                // Its updates stay where they are.
                self.due(Some(ports.triggers.clock.now() + REOPENED));
                let failed = Decision::Failed { message };
                self.sensors.push((sensor.name().to_string(), failed));
                return;
            }
        };
        match evaluate_updates(&triggers, sensor, tick).await {
            Ok((decision, again)) => {
                self.due(again);
                self.sensors.push((sensor.name().to_string(), decision));
            }
            Err(error) => self.fail(sensor.name(), &error),
        }
    }

    async fn runs(
        &mut self,
        ports: &ReactPorts,
        sensor: &SensorDefinition,
        ended: &BTreeSet<RunId>,
    ) {
        let triggers = match ports.of(sensor).await {
            Ok(triggers) => triggers,
            Err(message) => {
                // Nothing but what tells of a run remembers it.
                self.failed.push(FailedEvaluation {
                    what: sensor.name().to_string(),
                    message,
                    again: true,
                });
                return;
            }
        };
        for run in ended {
            let evaluated = match triggers.state.run(*run).await {
                Ok(Some(run)) => evaluate_run(&triggers, sensor, &run).await,
                Ok(None) => continue,
                Err(error) => Err(error.into()),
            };
            match evaluated {
                Ok(decision) => self.sensors.push((sensor.name().to_string(), decision)),
                Err(error) => self.fail(sensor.name(), &error),
            }
        }
    }

    async fn freshness(&mut self, ports: &ReactPorts, concern: &Concern<'_>, tick: bool) {
        if concern.freshness.is_empty() {
            return;
        }
        let of = (!tick).then_some(&concern.freshness);
        match evaluate_freshness(&ports.triggers, ports.topic.as_ref(), of).await {
            Ok(freshness) => {
                self.due(freshness.next);
                self.freshness = freshness;
            }
            Err(error) => self.fail("freshness", &error),
        }
    }
}
