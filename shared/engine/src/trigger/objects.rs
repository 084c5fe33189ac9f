//! Sensors of objects: from events to runs.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use precip_core::{
    partitions::{PartitionContext, PartitionKey},
    trigger::{NoPartition, ObjectChange, ObjectEvent, ObjectSensor, SensorSource, TemplateFit},
};
use serde::Serialize;

use super::{
    RunRequest, SensorContext, SensorDefinition, SensorEvent, TriggerError, TriggerPorts,
    control::sensor_id,
    function::call_sensor,
    memory::{MAX_WAITING, Memory, digest},
    text::keys_text,
};
use crate::{
    asset::AssetError,
    run_id::RunId,
    state::{
        Advance, CreatedRun, MAX_RUNS_PER_TICK, NewRun, PartitionRef, ReadConsistency, RunKey,
        RunOrigin, RunRequest as Requested, TickRequest, TriggerId, TriggerState,
    },
};

/// How many partitions one run has at most, so that its request stays a small record.
const PARTITIONS_PER_RUN: usize = 2_000;

/// How many events are decided at a time.
const EVENTS_AT_A_TIME: usize = 4_000;

/// How many reasons a tick keeps.
const REASONS: usize = 5;

/// What became of one event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "decision", rename_all = "snake_case")]
pub enum Decision {
    /// It asks for runs.
    Requested {
        /// The partitions that it asks for; none for unpartitioned assets.
        partitions: Vec<PartitionKey>,
        /// The runs that make them; none in a preview.
        runs: Vec<RunId>,
    },
    /// It came before.
    Duplicate,
    /// A later event of the same object was handled: whoever reads the object reads that.
    Superseded,
    /// Its partition was made after the object was written.
    Made,
    /// Its partition does not exist yet. It is kept, and looked at again at every evaluation.
    Waits {
        /// What it waits for.
        reason: String,
    },
    /// It is none of the sensor's.
    Ignored {
        /// Why.
        reason: String,
    },
    /// The sensor decided to do nothing, or no partition could be found.
    Skipped {
        /// Why.
        reason: String,
    },
    /// The sensor's function failed, and it is to be tried again: do not acknowledge the event.
    Failed {
        /// Why.
        message: String,
    },
}

/// How events are looked at.
#[derive(Debug, Clone, Copy, Default)]
pub struct ObjectOptions<'a> {
    /// The name that the sensor's bucket has here; events of other buckets are ignored. `None` takes
    /// events of any bucket.
    pub bucket: Option<&'a str>,
    /// Whether the events are from a listing, and not from the moment of their change. What was
    /// handled or made since is left out.
    pub found_by_sweep: bool,
}

/// What came of some events.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SensorOutcome {
    /// Whether the sensor is on. One that is stopped ignores everything.
    pub running: bool,
    /// What became of each event, in the order in which they were given.
    pub decisions: Vec<Decision>,
    /// The runs that were requested, new or not.
    pub runs: Vec<CreatedRun>,
}

/// Evaluates a sensor of objects for some events, requests runs and launches them. Many events that
/// ask for the same job become one run of many partitions; more than
/// [`MAX_RUNS_PER_TICK`] different runs are requested in several ticks.
///
/// # Errors
/// [`TriggerError`]: some of the events may be handled by then; give all of them again.
pub async fn evaluate_objects(
    ports: &TriggerPorts,
    sensor: &SensorDefinition,
    events: &[ObjectEvent],
    options: ObjectOptions<'_>,
) -> Result<SensorOutcome, TriggerError> {
    let trigger = sensor_id(sensor.name());
    let mut outcome = SensorOutcome {
        running: true,
        decisions: vec![Decision::Duplicate; events.len()],
        runs: Vec::new(),
    };
    let mut left: Vec<usize> = (0..events.len()).collect();
    // In the order of their changes, as far as it can be told.
    left.sort_by(|a, b| order(&events[*a], &events[*b]));
    let mut attempt = 0;
    loop {
        let state = ports.settled(&trigger).await?;
        if !sensor.spec.default_status.is_on(state.enabled) {
            let reason = "the sensor is stopped".to_owned();
            outcome.running = false;
            for place in left {
                outcome.decisions[place] = Decision::Ignored {
                    reason: reason.clone(),
                };
            }
            return Ok(outcome);
        }
        let portion: Vec<usize> = left.iter().copied().take(EVENTS_AT_A_TIME).collect();
        let given: Vec<&ObjectEvent> = portion.iter().map(|place| &events[*place]).collect();
        let mut batch = decide(ports, sensor, &trigger, &state, &given, options).await?;
        let handled = batch.decisions.len();
        let runs = if batch.changed {
            add_partitions(ports, &batch.added).await?;
            let advance = batch.advance(ports, sensor, &trigger, &state);
            let Some(runs) = ports.advance(&trigger, advance).await? else {
                ports.wait_again(&trigger, &mut attempt).await?;
                continue;
            };
            runs
        } else {
            Vec::new()
        };
        attempt = 0;
        batch.name_runs(&runs);
        for (place, decision) in portion.iter().zip(batch.decisions) {
            outcome.decisions[*place] = decision;
        }
        outcome.runs.extend(runs);
        left.drain(..handled);
        if left.is_empty() {
            return Ok(outcome);
        }
    }
}

/// What [`evaluate_objects`] would do, changing nothing. The sensor's function is called.
///
/// # Errors
/// As for [`evaluate_objects`].
pub async fn preview_objects(
    ports: &TriggerPorts,
    sensor: &SensorDefinition,
    events: &[ObjectEvent],
    options: ObjectOptions<'_>,
) -> Result<Vec<(Decision, Vec<RunRequest>)>, TriggerError> {
    let trigger = sensor_id(sensor.name());
    let state = ports.state.trigger(&trigger).await?;
    let mut previews = Vec::new();
    for event in events {
        let batch = decide(ports, sensor, &trigger, &state, &[event], options).await?;
        let asked = batch
            .groups
            .into_iter()
            .filter(|group| !group.places.is_empty());
        let requests = asked.map(|group| group.request).collect();
        let decision = batch.decisions.into_iter().next();
        previews.extend(decision.map(|decision| (decision, requests)));
    }
    Ok(previews)
}

fn order(one: &ObjectEvent, other: &ObjectEvent) -> std::cmp::Ordering {
    (one.at, &one.key)
        .cmp(&(other.at, &other.key))
        .then_with(|| {
            if one.is_after(other) {
                std::cmp::Ordering::Greater
            } else if other.is_after(one) {
                std::cmp::Ordering::Less
            } else {
                std::cmp::Ordering::Equal
            }
        })
}

/// Requests that are one run: they differ in nothing but their partitions.
struct Group {
    request: RunRequest,
    /// Which of the events asked for it; those that had waited are not among them.
    places: Vec<usize>,
    /// What the events are named by.
    identities: Vec<String>,
}

/// What is to be done about some events, decided from one state.
struct Batch {
    memory: Memory,
    /// Of as many of the events as fit into one tick.
    decisions: Vec<Decision>,
    groups: Vec<Group>,
    added: BTreeMap<String, BTreeSet<PartitionKey>>,
    context: PartitionContext,
    fit: Option<TemplateFit>,
    /// Whether there is something to record.
    changed: bool,
}

/// What one event asks for.
struct Asked {
    decision: Decision,
    requests: Vec<RunRequest>,
    added: Vec<(String, PartitionKey)>,
    /// Whether it is handled, so that it is not looked at again.
    remember: bool,
    /// What the function left as its cursor, if it was called.
    own: Option<Option<String>>,
}

impl Batch {
    /// Where a request belongs: to one that differs in nothing but its partitions, or to a new one.
    fn group_of(&self, request: &RunRequest) -> Option<usize> {
        self.groups.iter().position(|group| {
            let known = &group.request;
            known.run_key == request.run_key
                && known.selection == request.selection
                && known.config == request.config
                && known.tags == request.tags
                && (request.run_key.is_some()
                    || known.partitions.len() + request.partitions.len() <= PARTITIONS_PER_RUN)
        })
    }

    /// Whether a tick can hold these requests beside those that it has.
    fn has_room(&self, requests: &[RunRequest]) -> bool {
        let new = requests
            .iter()
            .filter(|request| self.group_of(request).is_none());
        self.groups.is_empty() || self.groups.len() + new.count() <= MAX_RUNS_PER_TICK
    }

    /// Takes down what became of an event.
    fn take(&mut self, asked: Asked, event: &ObjectEvent, place: Option<usize>) {
        if let Some(own) = asked.own {
            self.changed |= own != self.memory.own;
            self.memory.own = own;
        }
        match &asked.decision {
            Decision::Waits { .. } => {
                self.memory.waiting.push(event.clone());
                self.changed = true;
            }
            // The event left the list of those that wait.
            _ => self.changed |= place.is_none(),
        }
        if asked.remember {
            self.memory.remember(event);
            self.changed = true;
        }
        for (set, key) in asked.added {
            self.added.entry(set).or_default().insert(key);
        }
        for request in asked.requests {
            let group = self.group_of(&request).unwrap_or_else(|| {
                self.groups.push(Group {
                    request: RunRequest {
                        partitions: BTreeSet::new(),
                        ..request.clone()
                    },
                    places: Vec::new(),
                    identities: Vec::new(),
                });
                self.groups.len() - 1
            });
            let group = &mut self.groups[group];
            group.request.partitions.extend(request.partitions);
            group.places.extend(place);
            group.identities.push(event.identity());
        }
    }

    /// The tick that records it.
    fn advance(
        &self,
        ports: &TriggerPorts,
        sensor: &SensorDefinition,
        trigger: &TriggerId,
        state: &TriggerState,
    ) -> Advance {
        let now = self.context.now;
        let definition = self.fit.as_ref().and_then(TemplateFit::definition);
        let runs = self.groups.iter().map(|group| {
            let key = match &group.request.run_key {
                Some(key) => key.clone(),
                None => format!("events:{}", digest(group.identities.iter().cloned())),
            };
            new_run(
                ports,
                trigger,
                sensor.spec.target.as_ref().map(ToString::to_string),
                &group.request,
                &key,
                keys_text(definition, &group.request.partitions, &self.context),
                now,
            )
        });
        let runs: Vec<NewRun> = runs.collect();
        let note = self.note();
        Advance {
            revision: state.revision,
            cursor: Some(self.memory.write(now)),
            at: now,
            scheduled_for: None,
            request: if runs.is_empty() {
                TickRequest::Skip {
                    reason: note.clone(),
                }
            } else {
                TickRequest::Runs(runs)
            },
            note: note.filter(|_| !self.groups.is_empty()),
        }
    }

    /// What the tick has to say of events that it asks nothing for.
    fn note(&self) -> Option<String> {
        let mut reasons: Vec<&str> = Vec::new();
        for decision in &self.decisions {
            let reason = match decision {
                Decision::Waits { reason } | Decision::Skipped { reason } => reason.as_str(),
                Decision::Failed { message } => message.as_str(),
                _ => continue,
            };
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
        let more = reasons.len().saturating_sub(REASONS);
        reasons.truncate(REASONS);
        let mut note = reasons.join("; ");
        if more > 0 {
            note = format!("{note}; and {more} more reasons");
        }
        (!note.is_empty()).then_some(note)
    }

    /// Tells each event which runs it led to.
    fn name_runs(&mut self, created: &[CreatedRun]) {
        for (group, created) in self.groups.iter().zip(created) {
            for place in &group.places {
                if let Some(Decision::Requested { runs, .. }) = self.decisions.get_mut(*place) {
                    runs.push(created.run().id);
                }
            }
        }
    }
}

/// A run that a trigger asks for.
pub(super) fn new_run(
    ports: &TriggerPorts,
    trigger: &TriggerId,
    target: Option<String>,
    request: &RunRequest,
    key: &str,
    partitions: Option<String>,
    now: chrono::DateTime<chrono::Utc>,
) -> NewRun {
    let mut tags = request.tags.clone();
    let tag = format!("precip/{}", trigger.kind.as_str());
    tags.entry(tag).or_insert_with(|| trigger.name.clone());
    NewRun {
        id: ports.run_id(),
        key: Some(RunKey::triggered(trigger, key)),
        request: Requested {
            selection: request.selection.clone().or(target).unwrap_or_default(),
            partitions,
            config: request.config.clone(),
            tags,
            origin: RunOrigin::Trigger(trigger.clone()),
        },
        plan: None,
        created_at: now,
    }
}

impl Asked {
    fn only(decision: Decision) -> Self {
        let remember = matches!(decision, Decision::Superseded | Decision::Skipped { .. });
        Self {
            decision,
            requests: Vec::new(),
            added: Vec::new(),
            remember,
            own: None,
        }
    }
}

async fn decide(
    ports: &TriggerPorts,
    sensor: &SensorDefinition,
    trigger: &TriggerId,
    state: &TriggerState,
    events: &[&ObjectEvent],
    options: ObjectOptions<'_>,
) -> Result<Batch, TriggerError> {
    let graph = ports.definitions.graph();
    let SensorSource::Objects(objects) = &sensor.spec.source else {
        return Ok(nothing(
            Memory::of(trigger, state)?,
            ports.context().await?,
            events.len(),
        ));
    };
    let fit = sensor.spec.fit(graph)?;
    let mut batch = Batch {
        memory: Memory::of(trigger, state)?,
        decisions: Vec::new(),
        groups: Vec::new(),
        added: BTreeMap::new(),
        context: ports.context().await?,
        fit,
        changed: false,
    };
    let decider = Decider {
        ports,
        sensor,
        objects,
        options,
        newest: newest(events),
    };
    for event in std::mem::take(&mut batch.memory.waiting) {
        let asked = decider.ask(&batch, &event, true).await?;
        if matches!(asked.decision, Decision::Waits { .. }) {
            batch.memory.waiting.push(event);
            continue;
        }
        batch.take(asked, &event, None);
    }
    for (place, event) in events.iter().enumerate() {
        let asked = decider.ask(&batch, event, false).await?;
        if !batch.has_room(&asked.requests) {
            break;
        }
        let decision = asked.decision.clone();
        batch.take(asked, event, Some(place));
        batch.decisions.push(decision);
    }
    Ok(batch)
}

fn nothing(memory: Memory, context: PartitionContext, events: usize) -> Batch {
    let ignored = Decision::Ignored {
        reason: "the sensor does not wait for objects".to_owned(),
    };
    Batch {
        memory,
        decisions: vec![ignored; events],
        groups: Vec::new(),
        added: BTreeMap::new(),
        context,
        fit: None,
        changed: false,
    }
}

/// The place of the latest event of each key.
fn newest<'a>(events: &[&'a ObjectEvent]) -> HashMap<&'a str, &'a ObjectEvent> {
    let mut newest: HashMap<&str, &ObjectEvent> = HashMap::new();
    for event in events {
        let known = newest.entry(&event.key).or_insert(event);
        if event.is_after(known) {
            *known = event;
        }
    }
    newest
}

struct Decider<'a> {
    ports: &'a TriggerPorts,
    sensor: &'a SensorDefinition,
    objects: &'a ObjectSensor,
    options: ObjectOptions<'a>,
    newest: HashMap<&'a str, &'a ObjectEvent>,
}

impl Decider<'_> {
    async fn ask(
        &self,
        batch: &Batch,
        event: &ObjectEvent,
        waited: bool,
    ) -> Result<Asked, TriggerError> {
        if let Some(reason) = self.not_ours(event) {
            return Ok(Asked::only(Decision::Ignored { reason }));
        }
        let memory = &batch.memory;
        if memory.knows(event) || (self.options.found_by_sweep && !waited && memory.covers(event)) {
            return Ok(Asked::only(Decision::Duplicate));
        }
        if memory
            .waiting
            .iter()
            .any(|other| other.identity() == event.identity())
        {
            return Ok(Asked::only(Decision::Duplicate));
        }
        match self.sensor.function {
            Some(function) => self.call(function, batch, event).await,
            None => self.simple(batch, event, waited).await,
        }
    }

    fn not_ours(&self, event: &ObjectEvent) -> Option<String> {
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
            return Some("the object was deleted, and there is nothing to make from it".to_owned());
        }
        if !self.objects.filter.template().fits(&event.key) {
            let template = self.objects.filter.template();
            return Some(format!("its key does not fit `{template}`"));
        }
        let size = event.size;
        (!self.objects.takes(&event.key, size)).then(|| match size {
            Some(size) if size < self.objects.min_size => {
                format!("it has {size} bytes, fewer than {}", self.objects.min_size)
            }
            _ => "it is a folder".to_owned(),
        })
    }

    async fn simple(
        &self,
        batch: &Batch,
        event: &ObjectEvent,
        waited: bool,
    ) -> Result<Asked, TriggerError> {
        let later = self.newest.get(event.key.as_str());
        if batch.memory.is_past(event) || later.is_some_and(|later| later.is_after(event)) {
            return Ok(Asked::only(Decision::Superseded));
        }
        let Some(fit) = &batch.fit else {
            let reason = "the sensor has neither a target nor a function".to_owned();
            return Ok(Asked::only(Decision::Ignored { reason }));
        };
        let made = match fit.read(&event.key, &batch.context) {
            Ok(Some(made)) => made,
            Ok(None) => {
                let reason = "its key does not fit".to_owned();
                return Ok(Asked::only(Decision::Ignored { reason }));
            }
            Err(NoPartition::NotYet { partition, at }) => {
                let not_yet = NoPartition::NotYet { partition, at };
                let reason = not_yet.to_string();
                return Ok(Asked::only(match batch.memory.waiting.len() {
                    0..MAX_WAITING => Decision::Waits { reason },
                    _ => Decision::Failed {
                        message: format!("{reason}, and {MAX_WAITING} others wait already"),
                    },
                }));
            }
            Err(error) => {
                let reason = error.to_string();
                return Ok(Asked::only(Decision::Skipped { reason }));
            }
        };
        let doubtful = self.options.found_by_sweep || batch.memory.may_have_forgotten(event);
        if doubtful
            && !waited
            && self
                .made_since(fit, made.partition.as_ref(), batch, event)
                .await?
        {
            return Ok(Asked::only(Decision::Made));
        }
        Ok(Asked {
            decision: Decision::Requested {
                partitions: made.partition.iter().cloned().collect(),
                runs: Vec::new(),
            },
            requests: vec![RunRequest::partitions(made.partition)],
            added: made.added,
            remember: true,
            own: None,
        })
    }

    /// Whether every asset of the target that is divided so was made after the object was written.
    async fn made_since(
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
            .latest_many(&targets, ReadConsistency::Strong)
            .await?;
        let since = |made: &crate::state::Materialization| made.started_at > event.at;
        Ok(!latest.is_empty()
            && latest.iter().all(|latest| {
                let published = latest.as_ref().and_then(|latest| latest.published());
                published.is_some_and(since)
            }))
    }

    async fn call(
        &self,
        function: super::SensorFn,
        batch: &Batch,
        event: &ObjectEvent,
    ) -> Result<Asked, TriggerError> {
        let template = self.objects.filter.template();
        let values = template.read(&event.key).next().unwrap_or_default();
        let mut builder = SensorContext::builder()
            .sensor(self.sensor.name().as_str())
            .environment(&self.ports.environment)
            .now(batch.context.now)
            .event(SensorEvent::Object(event.clone()))
            .cursor(batch.memory.own.clone());
        for (name, value) in values.iter() {
            builder = builder.value(name, value);
        }
        let context = builder.build();
        let answer = call_sensor(function, context.clone(), &self.ports.resources).await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => return Ok(Asked::only(failed(&error))),
        };
        if answer.requests.len() > MAX_RUNS_PER_TICK {
            let reason = format!(
                "its function asks for {} runs at once, and at most {MAX_RUNS_PER_TICK} can be \
                 created together: ask for one run of many partitions",
                answer.requests.len()
            );
            return Ok(Asked::only(Decision::Skipped { reason }));
        }
        let partitions = answer
            .requests
            .iter()
            .flat_map(|request| &request.partitions);
        let partitions: Vec<PartitionKey> = partitions.cloned().collect();
        let decision = if answer.requests.is_empty() {
            Decision::Skipped {
                reason: answer
                    .skip
                    .unwrap_or_else(|| "its function asks for nothing".to_owned()),
            }
        } else {
            Decision::Requested {
                partitions,
                runs: Vec::new(),
            }
        };
        Ok(Asked {
            decision,
            requests: answer.requests,
            added: answer.added_partitions,
            remember: true,
            own: Some(context.cursor()),
        })
    }
}

/// A failure that a retry cannot help is a decision; any other is to be tried again.
fn failed(error: &AssetError) -> Decision {
    let message = error.to_string();
    if error.kind().is_retryable() {
        Decision::Failed { message }
    } else {
        Decision::Skipped {
            reason: format!("its function failed: {message}"),
        }
    }
}

async fn add_partitions(
    ports: &TriggerPorts,
    added: &BTreeMap<String, BTreeSet<PartitionKey>>,
) -> Result<(), TriggerError> {
    for (set, keys) in added {
        let keys: Vec<PartitionKey> = keys.iter().cloned().collect();
        ports.state.add_partitions(set, &keys).await?;
    }
    Ok(())
}
