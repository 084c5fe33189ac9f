//! [`Evaluation`] of single events.

use std::collections::HashMap;

use chrono::TimeDelta;
use precip_core::{
    partitions::PartitionKey,
    trigger::{NoPartitionError, ObjectChange, ObjectEvent, ObjectSensor, TemplateFit},
};

use super::{Decision, ObjectOptions, batch::Batch};
use crate::{
    asset::AssetError,
    state::{MAX_RUNS_PER_TICK, Materialization, PartitionRef, ReadConsistency},
    trigger::{
        RunRequest, SensorContext, SensorDefinition, SensorEvent, SensorFn, TriggerError,
        TriggerPorts,
        function::{FunctionCall, NO_REQUEST, check_answer, check_cursor, describe_too_many},
    },
};

/// The time before its window begins from which on an event waits for its partition. Earlier events would keep the
/// places of those that are due sooner.
const WAITING_TIME: TimeDelta = TimeDelta::days(7);

/// The evaluation of one event.
pub(super) struct Evaluation {
    pub(super) decision: Decision,
    pub(super) requests: Vec<RunRequest>,
    /// Keys to add to dynamic partition sets: set and key.
    pub(super) added: Vec<(String, PartitionKey)>,
    /// True if the event is remembered as handled, so that it is not evaluated again.
    pub(super) remember: bool,
    /// The function's cursor after the call; `None` if it was not called.
    pub(super) function_cursor: Option<Option<String>>,
}

impl Evaluation {
    /// Returns an evaluation that requests nothing.
    fn without_request(decision: Decision) -> Self {
        // A duplicate is remembered already, and an ignored event is cheap to ignore again.
        let remember = matches!(decision, Decision::Superseded | Decision::Skipped { .. });
        Self {
            decision,
            requests: Vec::new(),
            added: Vec::new(),
            remember,
            function_cursor: None,
        }
    }
}

/// Evaluates single events against the state of a batch.
pub(super) struct EventEvaluator<'a> {
    pub(super) ports: &'a TriggerPorts,
    pub(super) sensor: &'a SensorDefinition,
    pub(super) objects: &'a ObjectSensor,
    pub(super) options: ObjectOptions<'a>,
    /// The latest of the given events of each object key.
    pub(super) newest: HashMap<&'a str, &'a ObjectEvent>,
}

impl EventEvaluator<'_> {
    /// Evaluates an event; `waited` tells that it had waited for its partition.
    pub(super) async fn evaluate_event(
        &self,
        batch: &Batch,
        event: &ObjectEvent,
        waited: bool,
    ) -> Result<Evaluation, TriggerError> {
        if let Some(reason) = self.ignore_reason(event) {
            return Ok(Evaluation::without_request(Decision::Ignored { reason }));
        }
        let memory = &batch.memory;
        // A sweep sees only the current object: any event of it that is as new was this change.
        if memory.knows_event(event)
            || (self.options.found_by_sweep && !waited && memory.has_same_or_newer(event))
        {
            return Ok(Evaluation::without_request(Decision::Duplicate));
        }
        if memory.is_waiting(event) {
            return Ok(Evaluation::without_request(Decision::Duplicate));
        }
        match self.sensor.function {
            Some(function) => self.call_function(function, batch, event).await,
            None => self.evaluate_template(batch, event, waited).await,
        }
    }

    /// Returns why an event does not belong to the sensor; `None` if it does.
    fn ignore_reason(&self, event: &ObjectEvent) -> Option<String> {
        if let Some(bucket) = self.options.bucket.filter(|bucket| *bucket != event.bucket) {
            return Some(format!(
                "it is of bucket `{}`, not `{bucket}`",
                event.bucket
            ));
        }
        if event.change == ObjectChange::Deleted && !self.objects.deletes {
            return Some("the object was deleted".to_owned());
        }
        if event.change == ObjectChange::Deleted && self.sensor.function.is_none() {
            return Some("the object was deleted, so that there is nothing to load".to_owned());
        }
        if !self.objects.filter.template().matches_key(&event.key) {
            let template = self.objects.filter.template();
            return Some(format!("its key does not fit `{template}`"));
        }
        let size = event.size;
        (!self.objects.accepts_object(&event.key, size)).then(|| match size {
            Some(size) if size < self.objects.min_size => {
                format!("it has {size} bytes, fewer than {}", self.objects.min_size)
            }
            _ => "it is a folder".to_owned(),
        })
    }

    /// Evaluates an event of a sensor without a function: the object's key names the partition.
    async fn evaluate_template(
        &self,
        batch: &Batch,
        event: &ObjectEvent,
        waited: bool,
    ) -> Result<Evaluation, TriggerError> {
        // The run reads the object as it is when it runs: only the newest event of a key counts.
        let later = self.newest.get(event.key.as_str());
        if batch.memory.has_newer(event) || later.is_some_and(|later| later.is_after(event)) {
            return Ok(Evaluation::without_request(Decision::Superseded));
        }
        let Some(fit) = &batch.fit else {
            let reason = "the sensor has neither a target nor a function".to_owned();
            return Ok(Evaluation::without_request(Decision::Ignored { reason }));
        };
        let fitted = match fit.read_key(&event.key, &batch.context) {
            Ok(Some(fitted)) => fitted,
            Ok(None) => {
                let reason = "its key does not fit".to_owned();
                return Ok(Evaluation::without_request(Decision::Ignored { reason }));
            }
            Err(not_yet @ NoPartitionError::NotYet { begins, .. }) => {
                let reason = not_yet.to_string();
                // An event that waits already keeps its place.
                let decision = if waited {
                    Decision::Waits { reason }
                } else if begins - WAITING_TIME > batch.context.now {
                    let why = "an object waits at most a week for its window to begin";
                    let reason = format!("{reason}, and {why}: later sweeps evaluate it again");
                    Decision::Early { reason }
                } else if batch.memory.is_waiting_full() {
                    let why = "enough objects wait already";
                    let reason = format!("{reason}, and {why}: later sweeps evaluate it again");
                    Decision::Early { reason }
                } else {
                    Decision::Waits { reason }
                };
                return Ok(Evaluation::without_request(decision));
            }
            Err(error) => {
                let reason = error.to_string();
                return Ok(Evaluation::without_request(Decision::Skipped { reason }));
            }
        };
        // Notifications are remembered, so that only these two need a look at the recorded state.
        let uncertain = self.options.found_by_sweep || batch.memory.may_have_forgotten(event);
        if uncertain
            && !waited
            && self
                .is_materialized_since(fit, fitted.partition.as_ref(), batch, event)
                .await?
        {
            return Ok(Evaluation::without_request(Decision::Made));
        }
        Ok(Evaluation {
            decision: Decision::Requested {
                partitions: fitted.partition.iter().cloned().collect(),
                runs: Vec::new(),
            },
            requests: vec![RunRequest::partitions(fitted.partition)],
            added: fitted.added,
            remember: true,
            function_cursor: None,
        })
    }

    /// Returns whether the partition was materialized after the object was written, in every asset of
    /// the target that has it.
    async fn is_materialized_since(
        &self,
        fit: &TemplateFit,
        partition: Option<&PartitionKey>,
        batch: &Batch,
        event: &ObjectEvent,
    ) -> Result<bool, TriggerError> {
        let graph = self.ports.definitions.graph();
        let Some(target) = self.sensor.spec.target(graph)? else {
            return Ok(false);
        };
        let definition = fit.definition();
        let mut targets = Vec::new();
        for asset in target
            .iter()
            .filter(|asset| graph.partitions(*asset) == definition)
        {
            let key = graph.key(asset).clone();
            targets.push(match (definition, partition) {
                (Some(definition), Some(partition)) => {
                    let Some(ordinal) = definition.find(partition.as_str(), &batch.context) else {
                        return Ok(false);
                    };
                    PartitionRef::new(key, partition.clone(), ordinal)
                }
                _ => PartitionRef::unpartitioned(key),
            });
        }
        let latest = self
            .ports
            .state
            .latest_materializations(&targets, ReadConsistency::Strong)
            .await?;
        let since = |made: &Materialization| made.started_at > event.at;
        Ok(!latest.is_empty()
            && latest.iter().all(|latest| {
                let published = latest.as_ref().and_then(|latest| latest.published());
                published.is_some_and(since)
            }))
    }

    /// Calls the sensor's function for an event. It is not retried here: the event comes again.
    async fn call_function(
        &self,
        function: SensorFn,
        batch: &Batch,
        event: &ObjectEvent,
    ) -> Result<Evaluation, TriggerError> {
        let template = self.objects.filter.template();
        let values = template.read_key(&event.key).next().unwrap_or_default();
        let mut builder = SensorContext::builder()
            .sensor(self.sensor.name().as_str())
            .environment(&self.ports.environment)
            .now(batch.context.now)
            .event(SensorEvent::Object(event.clone()))
            .cursor(batch.memory.function_cursor.clone());
        for (name, value) in values.iter() {
            builder = builder.value(name, value);
        }
        let context = builder.build();
        let call = FunctionCall::of_sensor(function, context.clone(), &self.ports.resources);
        let called = self
            .ports
            .launcher
            .function_runner()
            .run_function(call)
            .await;
        let definition = batch.fit.as_ref().and_then(TemplateFit::definition);
        let cursor = context.cursor();
        let checked = called.and_then(|answer| {
            check_answer(&self.ports.definitions, &answer, definition, &batch.context)?;
            check_cursor(cursor.as_deref())?;
            Ok(answer)
        });
        let answer = match checked {
            Ok(answer) => answer,
            Err(error) => return Ok(Evaluation::without_request(decide_failure(&error))),
        };
        if answer.requests.len() > MAX_RUNS_PER_TICK {
            let reason = describe_too_many(answer.requests.len());
            return Ok(Evaluation::without_request(Decision::Skipped { reason }));
        }
        let partitions: Vec<PartitionKey> = answer
            .requests
            .iter()
            .flat_map(|request| request.partitions.iter().cloned())
            .collect();
        let decision = if answer.requests.is_empty() {
            Decision::Skipped {
                reason: answer.skip.unwrap_or_else(|| NO_REQUEST.to_owned()),
            }
        } else {
            Decision::Requested {
                partitions,
                runs: Vec::new(),
            }
        };
        Ok(Evaluation {
            decision,
            requests: answer.requests,
            added: answer.added_partitions,
            remember: true,
            function_cursor: Some(cursor),
        })
    }
}

/// Decides about an event whose function failed: a final error skips the event, any other fails it, so
/// that it is retried.
fn decide_failure(error: &AssetError) -> Decision {
    let message = error.to_string();
    if error.kind().is_retryable() {
        Decision::Failed { message }
    } else {
        Decision::Skipped {
            reason: format!("its function failed: {message}"),
        }
    }
}
