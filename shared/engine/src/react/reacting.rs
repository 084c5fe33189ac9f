//! [`react`].

use std::{collections::BTreeSet, fmt, sync::Arc};

use chrono::{DateTime, Utc};

use super::{Concern, Happened, TickScheduler, concerned};
use crate::{
    freshness::{Freshness, FreshnessTopic, evaluate_freshness},
    run_id::RunId,
    trigger::{
        AutomationRuns, Decision, SensorDefinition, TriggerError, TriggerPorts, evaluate_run,
        evaluate_updates, run_automation,
    },
};

/// What reactions stand on.
#[derive(Clone)]
pub struct ReactPorts {
    /// What evaluations stand on.
    pub triggers: TriggerPorts,
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
        let what = "tick".to_owned();
        reaction.failed.push(FailedEvaluation { what, message });
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
        });
    }

    async fn assets(&mut self, ports: &ReactPorts, sensor: &SensorDefinition, tick: bool) {
        match evaluate_updates(&ports.triggers, sensor, tick).await {
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
        for run in ended {
            let evaluated = match ports.triggers.state.run(*run).await {
                Ok(Some(run)) => evaluate_run(&ports.triggers, sensor, &run).await,
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
