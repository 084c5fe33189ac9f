//! Sensors of runs.

use precip_core::trigger::{MonitoredStatus, SensorSource};

use super::{
    Decision, SensorContext, SensorDefinition, SensorEvent, TriggerError, TriggerPorts,
    control::sensor_id,
    function::{NO_REQUEST, describe_too_many, try_sensor},
    memory::Memory,
    new_run::new_run,
    text::keys_text,
};
use crate::state::{Advance, MAX_RUNS_PER_TICK, NewRun, Run, RunStatus, TickRequest};

/// Evaluates a sensor of runs for a run that ended. As in Dagster, its function may be called more
/// than once for one run when processes die or overlap; its runs are requested once. A function that
/// fails is called a few times; then the failure is recorded and the run counts as handled.
///
/// # Errors
/// [`TriggerError`]: nothing was requested; pass the run again.
pub async fn evaluate_run(
    ports: &TriggerPorts,
    sensor: &SensorDefinition,
    run: &Run,
) -> Result<Decision, TriggerError> {
    let trigger = sensor_id(sensor.name());
    let mut attempt = 0;
    loop {
        let state = ports.launched_state(&trigger).await?;
        if let Some(reason) = ignore_reason(ports, sensor, run, state.enabled)? {
            return Ok(Decision::Ignored { reason });
        }
        let mut memory = Memory::from_state(&trigger, &state)?;
        let ended = run.finished_at.unwrap_or(run.created_at);
        // A run that is resumed ends again, under another name.
        let name = format!("run:{}:{}:{}", run.id, run.status, ended.to_rfc3339());
        if memory.knows_name(&name) {
            return Ok(Decision::Duplicate);
        }
        let context = ports.current_context().await?;
        let Some(function) = sensor.function else {
            let reason = "the sensor has no function".to_owned();
            return Ok(Decision::Ignored { reason });
        };
        let call = SensorContext::builder()
            .sensor(sensor.name().as_str())
            .environment(&ports.environment)
            .now(context.now)
            .event(SensorEvent::Run(Box::new(run.clone())))
            .cursor(memory.function_cursor.clone());
        let definition = target_partitions(ports, sensor)?;
        let called = try_sensor(function, &call, ports, definition, &context).await;
        let (answer, failed) = match called {
            Ok((answer, _)) if answer.requests.len() > MAX_RUNS_PER_TICK => {
                let failed = describe_too_many(answer.requests.len());
                (super::SensorResult::default(), Some(failed))
            }
            Ok((answer, function_cursor)) => {
                memory.function_cursor = function_cursor;
                (answer, None)
            }
            Err(error) => (super::SensorResult::default(), Some(error.to_string())),
        };
        // Keys are added before the runs are recorded: their partitions must exist when they are planned.
        for (set, key) in &answer.added_partitions {
            ports
                .state
                .add_dynamic_keys(set, std::slice::from_ref(key))
                .await?;
        }
        let target = sensor.spec.target.as_ref().map(ToString::to_string);
        let runs: Vec<NewRun> = answer
            .requests
            .iter()
            .enumerate()
            .map(|(index, request)| {
                let run_key = request.run_key.clone();
                let key = run_key.unwrap_or_else(|| format!("{name}#{index}"));
                let text = keys_text(definition, &request.partitions, &context);
                new_run(
                    ports,
                    &trigger,
                    target.clone(),
                    request,
                    &key,
                    text,
                    context.now,
                )
            })
            .collect();
        memory.remember_name(&name, ended);
        let skip = answer.skip.clone();
        let note = Some(format!("run {} {}", run.id, run.status));
        let advance = Advance {
            revision: state.revision,
            cursor: Some(memory.to_cursor(context.now)),
            at: context.now,
            scheduled_for: None,
            request: match (&failed, runs.is_empty()) {
                (Some(message), _) => TickRequest::Fail {
                    message: message.clone(),
                },
                (None, true) => TickRequest::Skip {
                    reason: skip.clone(),
                },
                (None, false) => TickRequest::Runs(runs),
            },
            note,
        };
        match ports.advance_and_launch(&trigger, advance).await? {
            None => ports.back_off(&trigger, &mut attempt).await?,
            Some(created) if created.is_empty() => {
                if let Some(message) = failed {
                    return Ok(Decision::Failed { message });
                }
                let reason = skip.unwrap_or_else(|| NO_REQUEST.to_owned());
                return Ok(Decision::Skipped { reason });
            }
            Some(created) => {
                let partitions = answer
                    .requests
                    .into_iter()
                    .flat_map(|request| request.partitions);
                return Ok(Decision::Requested {
                    partitions: partitions.collect(),
                    runs: created.iter().map(|created| created.run().id).collect(),
                });
            }
        }
    }
}

/// Returns the partitions definition of a sensor's target: that of its first partitioned asset.
pub(super) fn target_partitions<'a>(
    ports: &'a TriggerPorts,
    sensor: &SensorDefinition,
) -> Result<Option<&'a precip_core::partitions::PartitionsDefinition>, TriggerError> {
    let graph = ports.definitions.graph();
    let target = sensor.spec.target(graph)?.unwrap_or_default();
    let mut assets = graph
        .topological()
        .iter()
        .filter(|asset| target.contains(**asset));
    Ok(assets.find_map(|asset| graph.partitions(*asset)))
}

/// Returns why a run does not concern the sensor; `None` if it does.
fn ignore_reason(
    ports: &TriggerPorts,
    sensor: &SensorDefinition,
    run: &Run,
    enabled: Option<bool>,
) -> Result<Option<String>, TriggerError> {
    let (statuses, of) = match &sensor.spec.source {
        SensorSource::Runs { statuses, of } => (statuses, of),
        SensorSource::Objects(_) | SensorSource::Assets { .. } => {
            return Ok(Some("the sensor does not watch runs".to_owned()));
        }
    };
    if !sensor.spec.default_status.is_on(enabled) {
        return Ok(Some("the sensor is stopped".to_owned()));
    }
    let ended = match run.status {
        RunStatus::Succeeded => Some(MonitoredStatus::Succeeded),
        RunStatus::Failed => Some(MonitoredStatus::Failed),
        RunStatus::Canceled => Some(MonitoredStatus::Canceled),
        RunStatus::Queued | RunStatus::Running | RunStatus::Canceling => None,
    };
    if !ended.is_some_and(|ended| statuses.contains(&ended)) {
        return Ok(Some(format!("the run {}", run.status)));
    }
    // The runs that a sensor requests must not trigger it again, endlessly.
    if run.request.origin == crate::state::RunOrigin::Trigger(sensor_id(sensor.name())) {
        return Ok(Some("the sensor itself requested the run".to_owned()));
    }
    if let Some(of) = of {
        let graph = ports.definitions.graph();
        let watched = of
            .resolve(graph)
            .map_err(|invalid| precip_core::trigger::InvalidTrigger::Target(Box::new(invalid)))?;
        let plan = run.plan.as_ref();
        let mut made = plan.into_iter().flat_map(|plan| plan.assets.keys());
        if !made.any(|key| graph.id(key).is_some_and(|id| watched.contains(id))) {
            return Ok(Some(format!(
                "the run does not materialize any asset of `{of}`"
            )));
        }
    }
    Ok(None)
}
