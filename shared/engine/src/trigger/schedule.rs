//! Schedules: from ticks to runs.

use std::collections::BTreeSet;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use precip_core::{
    partitions::{PartitionContext, PartitionSet},
    trigger::{CatchUp, ResolvedSchedule},
};

use super::{
    RunRequest, ScheduleContext, ScheduleDefinition, ScheduleFn, TriggerError, TriggerPorts,
    control::schedule_id,
    function::{FunctionCall, TRIES, check_answer, pause_before_retry},
    new_run::{MAX_TICK_BYTES, new_run, run_bytes},
    text::{keys_text, partitions_text},
};
use crate::state::{
    Advance, CreatedRun, MAX_RUNS_PER_TICK, NewRun, TickRequest, TriggerId, TriggerState,
};

/// The outcome of an invocation of a schedule.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ScheduleOutcome {
    /// True if the schedule is running. A stopped schedule does nothing.
    pub running: bool,
    /// The ticks that this invocation handled, oldest first.
    pub ticks: Vec<DateTime<Utc>>,
    /// Number of older ticks that the catch-up policy gave up.
    pub given_up: u64,
    /// The requested runs; a repeated request returns the existing run.
    pub runs: Vec<CreatedRun>,
    /// Reasons of ticks that requested nothing.
    pub skipped: Vec<String>,
    /// Messages of ticks that failed.
    pub failed: Vec<String>,
}

/// Evaluates a schedule: handles every due tick that was not handled, by its catch-up policy.
/// `invoked_for` is the tick for which a scheduler invokes it; `None` handles whatever is due. A
/// schedule that never ticked starts with the tick of its first invocation, or with its next tick if
/// that invocation names none.
///
/// # Errors
/// [`TriggerError`]: some of the ticks may have been handled; invoke it again.
pub async fn evaluate_schedule(
    ports: &TriggerPorts,
    schedule: &ScheduleDefinition,
    invoked_for: Option<DateTime<Utc>>,
) -> Result<ScheduleOutcome, TriggerError> {
    let trigger = schedule_id(schedule.name());
    let ticking = schedule.spec.resolve(ports.definitions.graph())?;
    let mut outcome = ScheduleOutcome::default();
    let mut attempt = 0;
    loop {
        let state = ports.launched_state(&trigger).await?;
        outcome.running = schedule.spec.default_status.is_on(state.enabled);
        if !outcome.running {
            return Ok(outcome);
        }
        let context = ports.current_context().await?;
        // A scheduler's clock may be a little ahead of this one.
        let now = context.now.max(invoked_for.unwrap_or(context.now));
        let after = match (&state.cursor, invoked_for) {
            (Some(cursor), _) => read_cursor(&trigger, cursor)?,
            (None, Some(tick)) => tick - TimeDelta::seconds(1),
            (None, None) => {
                // The first tick only records the time from which on ticks are due.
                let begun = Advance {
                    revision: state.revision,
                    cursor: Some(format_tick(now)),
                    at: context.now,
                    scheduled_for: None,
                    request: TickRequest::Skip {
                        reason: Some("it starts with its next tick".to_owned()),
                    },
                    note: None,
                };
                if ports.advance_and_launch(&trigger, begun).await?.is_none() {
                    ports.back_off(&trigger, &mut attempt).await?;
                    continue;
                }
                return Ok(outcome);
            }
        };
        let evaluator = TickEvaluator {
            ports,
            schedule,
            ticking: &ticking,
            trigger: &trigger,
            context: &context,
        };
        let policy = match (schedule.function, ticking.definition()) {
            // One run brings an unpartitioned asset up to date for all missed ticks.
            (None, None) if schedule.spec.catch_up == CatchUp::All => CatchUp::Latest,
            _ => schedule.spec.catch_up,
        };
        let due = ticking.due_ticks(after, now, policy);
        if due.ticks.is_empty() && due.given_up == 0 {
            return Ok(outcome);
        }
        let portion = match schedule.function {
            None => evaluator.request_partitions(&due.ticks),
            Some(function) => evaluator.call_for_ticks(function, &due.ticks).await,
        };
        // When every due tick was given up, the cursor moves to the last of them.
        let last = portion.ticks.last().copied();
        let cursor = last.or_else(|| ticking.cron().ticks_until(now).next().map(|tick| tick.at()));
        let advance = portion.to_advance(&state, &context, cursor.unwrap_or(now), due.given_up);
        let Some(runs) = ports.advance_and_launch(&trigger, advance).await? else {
            ports.back_off(&trigger, &mut attempt).await?;
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

/// Reads the cursor of a schedule: the last tick that was handled.
fn read_cursor(trigger: &TriggerId, cursor: &str) -> Result<DateTime<Utc>, TriggerError> {
    cursor
        .parse()
        .map_err(|error: chrono::ParseError| TriggerError::Cursor {
            trigger: trigger.to_string(),
            problem: error.to_string(),
        })
}

fn format_tick(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// As many ticks as one record can hold, with their requests.
#[derive(Default)]
struct Portion {
    ticks: Vec<DateTime<Utc>>,
    runs: Vec<NewRun>,
    skipped: Vec<String>,
    failed: Vec<String>,
}

impl Portion {
    /// Builds the record of the ticks.
    fn to_advance(
        &self,
        state: &TriggerState,
        context: &PartitionContext,
        cursor: DateTime<Utc>,
        given_up: u64,
    ) -> Advance {
        let mut notes: Vec<String> = [&self.failed[..], &self.skipped[..]].concat();
        // The note is for people: a few reasons are enough.
        notes.truncate(5);
        if self.ticks.len() > 1 {
            notes.insert(0, format!("{} ticks were due", self.ticks.len()));
        }
        if given_up > 0 {
            notes.push(format!("{given_up} older ticks were given up"));
        }
        let note = (!notes.is_empty()).then(|| notes.join("; "));
        // A failure makes the whole tick fail only if nothing was requested.
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
            cursor: Some(format_tick(cursor)),
            at: context.now,
            scheduled_for: self.ticks.last().copied(),
            note: note.filter(|_| matches!(request, TickRequest::Runs(_))),
            request,
        }
    }
}

/// Evaluates the ticks of one schedule.
struct TickEvaluator<'a> {
    ports: &'a TriggerPorts,
    schedule: &'a ScheduleDefinition,
    ticking: &'a ResolvedSchedule,
    trigger: &'a TriggerId,
    context: &'a PartitionContext,
}

impl TickEvaluator<'_> {
    fn new_run(
        &self,
        request: &RunRequest,
        key: &str,
        partitions: Option<String>,
        tick: DateTime<Utc>,
    ) -> NewRun {
        let mut tagged = request.clone();
        tagged
            .tags
            .entry("precip/scheduled_for".to_owned())
            .or_insert_with(|| format_tick(tick));
        let target = self.schedule.spec.target.as_ref().map(ToString::to_string);
        // The tick may be ahead of this clock, and its partition must exist when the run is planned.
        let now = self.context.now.max(tick);
        new_run(
            self.ports,
            self.trigger,
            target,
            &tagged,
            key,
            partitions,
            now,
        )
    }

    /// Requests one run of the partitions of all ticks.
    fn request_partitions(&self, ticks: &[DateTime<Utc>]) -> Portion {
        let mut portion = Portion {
            ticks: ticks.to_vec(),
            ..Portion::default()
        };
        let (Some(first), Some(last)) = (ticks.first(), ticks.last()) else {
            return portion;
        };
        let mut set = PartitionSet::empty();
        for tick in ticks {
            set |= &self.ticking.partitions_of_tick(*tick, self.context);
        }
        if set.is_empty() {
            portion.skipped.push(self.ticking.explain_empty_tick(*last));
            return portion;
        }
        let definition = self.ticking.definition();
        // The partitions exist as of the last tick, which may be ahead of this clock.
        let context = PartitionContext {
            now: self.context.now.max(*last),
            ..self.context.clone()
        };
        let partitions = definition.map(|definition| partitions_text(definition, &set, &context));
        let key = if first == last {
            format_tick(*last)
        } else {
            format!("{}...{}", format_tick(*first), format_tick(*last))
        };
        portion
            .runs
            .push(self.new_run(&RunRequest::new(), &key, partitions, *last));
        portion
    }

    /// Calls the function for each tick, for as many ticks as one record can hold.
    async fn call_for_ticks(&self, function: ScheduleFn, ticks: &[DateTime<Utc>]) -> Portion {
        let mut portion = Portion::default();
        let mut bytes = 0;
        for tick in ticks {
            // A schedule that follows windows asks its function about windows, not about ticks.
            if self.ticking.is_idle_at(*tick) {
                portion.skipped.push(self.ticking.explain_empty_tick(*tick));
                portion.ticks.push(*tick);
                continue;
            }
            match self.call_for_tick(function, *tick).await {
                Err(message) => portion
                    .failed
                    .push(format!("the tick of {}: {message}", format_tick(*tick))),
                Ok((runs, skip)) => {
                    // This tick is called again with the next record.
                    let added: usize = runs.iter().map(run_bytes).sum();
                    if portion.runs.len() + runs.len() > MAX_RUNS_PER_TICK
                        || (bytes > 0 && bytes + added > MAX_TICK_BYTES)
                    {
                        break;
                    }
                    bytes += added;
                    portion.skipped.extend(skip);
                    portion.runs.extend(runs);
                }
            }
            portion.ticks.push(*tick);
        }
        portion
    }

    /// Calls the function for one tick. Returns its runs and its reason to skip.
    async fn call_for_tick(
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
            let set = self.ticking.partitions_of_tick(tick, self.context);
            builder = builder.partitions(definition.keys(&set, &at_tick));
        }
        let context = builder.build();
        let mut tried = 0;
        let answer = loop {
            tried += 1;
            let resources = &self.ports.resources;
            let call = FunctionCall::of_schedule(function, context.clone(), resources);
            match self
                .ports
                .launcher
                .function_runner()
                .run_function(call)
                .await
            {
                Err(error) if error.kind().is_retryable() && tried < TRIES => {
                    pause_before_retry(self.ports.sleeper.as_ref(), tried).await;
                }
                answer => break answer.map_err(|error| error.to_string())?,
            }
        };
        check_answer(&self.ports.definitions, &answer, definition, &at_tick)
            .map_err(|error| error.to_string())?;
        let count = answer.requests.len();
        if count > MAX_RUNS_PER_TICK {
            return Err(format!(
                "it requests {count} runs in one tick, and at most {MAX_RUNS_PER_TICK} can be \
                 created at once: request one run of many partitions"
            ));
        }
        for (set, key) in &answer.added_partitions {
            let added = self
                .ports
                .state
                .add_dynamic_keys(set, std::slice::from_ref(key))
                .await;
            added.map_err(|error| error.to_string())?;
        }
        let runs = answer.requests.iter().enumerate().map(|(index, request)| {
            let key = request.run_key.clone().unwrap_or_else(|| match index {
                0 => format_tick(tick),
                index => format!("{}#{index}", format_tick(tick)),
            });
            let keys: &BTreeSet<_> = &request.partitions;
            let partitions = keys_text(definition, keys, &at_tick);
            self.new_run(request, &key, partitions, tick)
        });
        Ok((runs.collect(), answer.skip))
    }
}
