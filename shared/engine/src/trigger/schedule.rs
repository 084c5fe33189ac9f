//! Schedules: from ticks to runs.

use std::collections::BTreeSet;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use precip_core::{
    partitions::{PartitionContext, PartitionSet},
    trigger::{CatchUp, Ticking},
};

use super::{
    RunRequest, ScheduleContext, ScheduleDefinition, ScheduleFn, TriggerError, TriggerPorts,
    control::schedule_id,
    function::{TRIES, call_schedule, pause},
    objects::new_run,
    text::{keys_text, partitions_text},
};
use crate::state::{
    Advance, CreatedRun, MAX_RUNS_PER_TICK, NewRun, TickRequest, TriggerId, TriggerState,
};

/// What came of an invocation of a schedule.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ScheduleOutcome {
    /// Whether the schedule is on; one that is stopped does nothing.
    pub running: bool,
    /// The ticks that were handled now, oldest first. None when they had been, or none is due.
    pub ticks: Vec<DateTime<Utc>>,
    /// How many older ticks the catch-up policy gave up.
    pub given_up: u64,
    /// The runs that were requested, new or not.
    pub runs: Vec<CreatedRun>,
    /// Why ticks asked for nothing.
    pub skipped: Vec<String>,
    /// Why ticks failed.
    pub failed: Vec<String>,
}

/// Evaluates a schedule: handles every tick that is due and has not been handled, by its catch-up
/// policy. `invoked_for` is the tick for which a scheduler says that it invokes; `None` for a look at
/// what is due. A schedule that never ticked begins with the tick that it is first invoked for; first
/// looked at without one, it begins with its next.
///
/// # Errors
/// [`TriggerError`]: some of the ticks may be handled by then; invoke it again.
pub async fn evaluate_schedule(
    ports: &TriggerPorts,
    schedule: &ScheduleDefinition,
    invoked_for: Option<DateTime<Utc>>,
) -> Result<ScheduleOutcome, TriggerError> {
    let trigger = schedule_id(schedule.name());
    let ticking = schedule.spec.ticking(ports.definitions.graph())?;
    let mut outcome = ScheduleOutcome::default();
    let mut attempt = 0;
    loop {
        let state = ports.settled(&trigger).await?;
        outcome.running = schedule.spec.default_status.is_on(state.enabled);
        if !outcome.running {
            return Ok(outcome);
        }
        let context = ports.context().await?;
        // A scheduler's clock may be a little ahead of this one.
        let now = context.now.max(invoked_for.unwrap_or(context.now));
        let after = match (&state.cursor, invoked_for) {
            (Some(cursor), _) => read_cursor(&trigger, cursor)?,
            (None, Some(tick)) => tick - TimeDelta::seconds(1),
            (None, None) => {
                let begun = Advance {
                    revision: state.revision,
                    cursor: Some(written(now)),
                    at: context.now,
                    scheduled_for: None,
                    request: TickRequest::Skip {
                        reason: Some("it begins with its next tick".to_owned()),
                    },
                    note: None,
                };
                if ports.advance(&trigger, begun).await?.is_none() {
                    ports.wait_again(&trigger, &mut attempt).await?;
                    continue;
                }
                return Ok(outcome);
            }
        };
        let evaluation = Evaluation {
            ports,
            schedule,
            ticking: &ticking,
            trigger: &trigger,
            context: &context,
        };
        let policy = match (schedule.function, ticking.definition()) {
            // Made twice, an unpartitioned asset is what it is made once.
            (None, None) if schedule.spec.catch_up == CatchUp::All => CatchUp::Latest,
            _ => schedule.spec.catch_up,
        };
        let due = ticking.due(after, now, policy);
        if due.ticks.is_empty() && due.given_up == 0 {
            return Ok(outcome);
        }
        let portion = match schedule.function {
            None => evaluation.simple(&due.ticks),
            Some(function) => evaluation.call(function, &due.ticks).await,
        };
        let last = portion.ticks.last().copied();
        let cursor = last.or_else(|| ticking.cron().ticks_until(now).next().map(|tick| tick.at()));
        let advance = portion.advance(&state, &context, cursor.unwrap_or(now), due.given_up);
        let Some(runs) = ports.advance(&trigger, advance).await? else {
            ports.wait_again(&trigger, &mut attempt).await?;
            continue;
        };
        attempt = 0;
        outcome.given_up += due.given_up;
        outcome.ticks.extend(portion.ticks);
        outcome.skipped.extend(portion.skipped);
        outcome.failed.extend(portion.failed);
        outcome.runs.extend(runs);
    }
}

/// The cursor of a schedule: the last tick that was handled.
fn read_cursor(trigger: &TriggerId, cursor: &str) -> Result<DateTime<Utc>, TriggerError> {
    cursor
        .parse()
        .map_err(|error: chrono::ParseError| TriggerError::Cursor {
            trigger: trigger.to_string(),
            problem: error.to_string(),
        })
}

fn written(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// As many ticks as one record can hold, and what they ask for.
#[derive(Default)]
struct Portion {
    ticks: Vec<DateTime<Utc>>,
    runs: Vec<NewRun>,
    skipped: Vec<String>,
    failed: Vec<String>,
}

impl Portion {
    fn advance(
        &self,
        state: &TriggerState,
        context: &PartitionContext,
        cursor: DateTime<Utc>,
        given_up: u64,
    ) -> Advance {
        let mut notes: Vec<String> = [&self.failed[..], &self.skipped[..]].concat();
        notes.truncate(5);
        if self.ticks.len() > 1 {
            notes.insert(0, format!("{} ticks were due", self.ticks.len()));
        }
        if given_up > 0 {
            notes.push(format!("{given_up} older ticks were given up"));
        }
        let note = (!notes.is_empty()).then(|| notes.join("; "));
        let request = match (&self.runs[..], self.failed.first()) {
            ([], Some(message)) => TickRequest::Fail {
                message: message.clone(),
            },
            ([], None) => TickRequest::Skip {
                reason: note.clone(),
            },
            (runs, _) => TickRequest::Runs(runs.to_vec()),
        };
        Advance {
            revision: state.revision,
            cursor: Some(written(cursor)),
            at: context.now,
            scheduled_for: self.ticks.last().copied(),
            note: note.filter(|_| matches!(request, TickRequest::Runs(_))),
            request,
        }
    }
}

struct Evaluation<'a> {
    ports: &'a TriggerPorts,
    schedule: &'a ScheduleDefinition,
    ticking: &'a Ticking,
    trigger: &'a TriggerId,
    context: &'a PartitionContext,
}

impl Evaluation<'_> {
    fn new_run(
        &self,
        request: &RunRequest,
        key: &str,
        partitions: Option<String>,
        tick: DateTime<Utc>,
    ) -> NewRun {
        let mut request = request.clone();
        request
            .tags
            .entry("precip/scheduled_for".to_owned())
            .or_insert_with(|| written(tick));
        let target = self.schedule.spec.target.as_ref().map(ToString::to_string);
        // The tick may be ahead of this clock, and its partition is planned at the run's moment.
        let now = self.context.now.max(tick);
        new_run(
            self.ports,
            self.trigger,
            target,
            &request,
            key,
            partitions,
            now,
        )
    }

    /// All ticks together ask for one run of the partitions that each is about.
    fn simple(&self, ticks: &[DateTime<Utc>]) -> Portion {
        let mut portion = Portion {
            ticks: ticks.to_vec(),
            ..Portion::default()
        };
        let (Some(first), Some(last)) = (ticks.first(), ticks.last()) else {
            return portion;
        };
        let mut set = PartitionSet::empty();
        for tick in ticks {
            set |= &self.ticking.partitions(*tick, self.context);
        }
        if set.is_empty() {
            portion
                .skipped
                .push("no partition of the target has closed yet".to_owned());
            return portion;
        }
        let definition = self.ticking.definition();
        // The windows are those of the ticks, which may be ahead of this clock.
        let context = PartitionContext {
            now: self.context.now.max(*last),
            ..self.context.clone()
        };
        let partitions = definition.map(|definition| partitions_text(definition, &set, &context));
        let key = if first == last {
            written(*last)
        } else {
            format!("{}...{}", written(*first), written(*last))
        };
        portion
            .runs
            .push(self.new_run(&RunRequest::new(), &key, partitions, *last));
        portion
    }

    /// The function is called for each tick; the ticks are as many as one record can hold.
    async fn call(&self, function: ScheduleFn, ticks: &[DateTime<Utc>]) -> Portion {
        let mut portion = Portion::default();
        for tick in ticks {
            let answer = self.answer(function, *tick).await;
            match answer {
                Err(message) => portion
                    .failed
                    .push(format!("the tick of {}: {message}", written(*tick))),
                Ok(requests) => {
                    if portion.runs.len() + requests.0.len() > MAX_RUNS_PER_TICK {
                        break;
                    }
                    portion.skipped.extend(requests.1);
                    portion.runs.extend(requests.0);
                }
            }
            portion.ticks.push(*tick);
        }
        portion
    }

    async fn answer(
        &self,
        function: ScheduleFn,
        tick: DateTime<Utc>,
    ) -> Result<(Vec<NewRun>, Option<String>), String> {
        let definition = self.ticking.definition();
        let at_tick = PartitionContext {
            now: tick,
            ..self.context.clone()
        };
        let mut builder = ScheduleContext::builder()
            .schedule(self.schedule.name().as_str())
            .environment(&self.ports.environment)
            .scheduled_for(tick);
        if let Some(definition) = definition {
            let set = self.ticking.partitions(tick, self.context);
            builder = builder.partitions(definition.keys(&set, &at_tick));
        }
        let context = builder.build();
        let mut tried = 0;
        let answer = loop {
            tried += 1;
            let answer = call_schedule(function, context.clone(), &self.ports.resources).await;
            match answer {
                Err(error) if error.kind().is_retryable() && tried < TRIES => {
                    pause(self.ports.sleeper.as_ref(), tried).await;
                }
                answer => break answer.map_err(|error| error.to_string())?,
            }
        };
        let count = answer.requests.len();
        if count > MAX_RUNS_PER_TICK {
            return Err(format!(
                "it asks for {count} runs in one tick, and at most {MAX_RUNS_PER_TICK} can be \
                 created at once: request one run of many partitions"
            ));
        }
        for (set, key) in &answer.added_partitions {
            let added = self
                .ports
                .state
                .add_partitions(set, std::slice::from_ref(key))
                .await;
            added.map_err(|error| error.to_string())?;
        }
        let runs = answer.requests.iter().enumerate().map(|(place, request)| {
            let key = request.run_key.clone().unwrap_or_else(|| match place {
                0 => written(tick),
                place => format!("{}#{place}", written(tick)),
            });
            let keys: &BTreeSet<_> = &request.partitions;
            let partitions = keys_text(definition, keys, &at_tick);
            self.new_run(request, &key, partitions, tick)
        });
        Ok((runs.collect(), answer.skip))
    }
}
