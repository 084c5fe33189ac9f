//! The function `reactor`.

use std::{env, process::ExitCode, sync::Arc};

use async_trait::async_trait;
use aws_lambda_events::event::dynamodb::{Event, EventRecord};
use chrono::{DateTime, Utc};
use lambda_runtime::{Context, Diagnostic, LambdaEvent};
use precip_aws::{
    Aws,
    state::dynamo::projection::{Change, Projector},
    trigger::{ScheduledTicks, SnsTopic},
};
use precip_engine::{
    asset::{ResourceNeed, Resources},
    definitions::{Definitions, InvalidDefinitions},
    freshness::FreshnessTopic,
    react::{
        ChangeSet, OpenResources, ReactPorts, Reaction, RecordedTicks, TickScheduler, react,
        reacts_to_changes,
    },
    run::{Clock, partition_context, renumber_changed},
    state::{StateResult, StateStore},
};
use serde_json::Value;
use tokio::sync::OnceCell;

use super::{context::FunctionContext, failure, function, triggers::Triggers, variables};

/// Applies the changes of the table to status sets, progress and history, then evaluates everything
/// that they affect (sensors of assets and runs, automation conditions, freshness) and starts the
/// requested runs.
pub fn reactor(definitions: fn() -> Result<Definitions, InvalidDefinitions>) -> ExitCode {
    function::run_function(
        definitions,
        async |shared| Reactor::new(&shared),
        handle_invocation,
    )
}

/// The state that all invocations share.
struct Reactor {
    projector: Projector,
    /// `None` in a project where nothing reacts to changes.
    reacting: Option<Reacting>,
}

/// The parts that evaluate changes.
struct Reacting {
    triggers: Arc<Triggers>,
    state: Arc<dyn StateStore>,
    clock: Arc<dyn Clock>,
    aws: Aws,
    topic: Arc<dyn FreshnessTopic>,
    /// Set once the record is numbered by the partitions definitions of this version.
    numbered: OnceCell<()>,
}

impl Reactor {
    fn new(shared: &FunctionContext) -> Result<Self, String> {
        let reacting = if reacts_to_changes(&shared.definitions) {
            Some(Reacting::new(shared)?)
        } else {
            None
        };
        Ok(Self {
            projector: shared.store.projector(),
            reacting,
        })
    }
}

impl Reacting {
    fn new(shared: &FunctionContext) -> Result<Self, String> {
        let topic: Arc<dyn FreshnessTopic> = match env::var(variables::FRESHNESS_TOPIC) {
            Ok(topic) => Arc::new(SnsTopic::new(shared.aws.sns(), topic)),
            Err(_) => Arc::new(()),
        };
        Ok(Self {
            triggers: Arc::new(Triggers::new(shared)?),
            state: shared.state_store(),
            clock: Arc::clone(&shared.clock),
            aws: shared.aws.clone(),
            topic,
            numbered: OnceCell::new(),
        })
    }

    /// Numbers the record by the partitions definitions of this version. Evaluations read sets of
    /// ordinals, and after a deployment they may come before the first run, which would do this.
    async fn number_record(&self) -> StateResult<()> {
        let definitions = self.triggers.definitions();
        self.numbered
            .get_or_try_init(|| async {
                let context = partition_context(definitions, &self.state, self.clock.now()).await?;
                renumber_changed(definitions, &self.state, &context).await?;
                Ok(())
            })
            .await
            .copied()
    }

    /// Returns the scheduler that invokes this function again at a given time.
    fn tick_scheduler(&self, context: &Context) -> Arc<dyn TickScheduler> {
        let group = env::var(variables::TICK_GROUP);
        let role = env::var(variables::TICK_ROLE);
        // Without these variables the template was generated for definitions without ticks.
        let (Ok(group), Ok(role)) = (group, role) else {
            return Arc::new(NoTicks);
        };
        let function = &context.invoked_function_arn;
        let ticks = ScheduledTicks::new(self.aws.scheduler(), group, function, role);
        let (state, clock) = (Arc::clone(&self.state), Arc::clone(&self.clock));
        Arc::new(RecordedTicks::new(state, clock, Arc::new(ticks)))
    }

    /// Evaluates everything that some changes affect.
    async fn react_to_changes(
        &self,
        happened: &ChangeSet,
        context: &Context,
    ) -> Result<Reaction, Diagnostic> {
        let numbered = self.number_record().await;
        numbered.map_err(|error| failure::diagnostic("Precip.NotEvaluated", &error))?;
        // No resources here: each sensor opens its own when its function is called.
        let triggers = self.triggers.trigger_ports(&[]).await;
        let ports = ReactPorts {
            triggers: triggers.map_err(|error| failure::diagnostic("Precip.BadInput", &error))?,
            resources: Arc::new(LazyResources(Arc::clone(&self.triggers))),
            ticks: self.tick_scheduler(context),
            topic: Arc::clone(&self.topic),
        };
        let reaction = react(&ports, happened).await;
        log_reaction(&reaction);
        Ok(reaction)
    }
}

/// Opens the resources of a sensor when its function is called.
struct LazyResources(Arc<Triggers>);

#[async_trait]
impl OpenResources for LazyResources {
    async fn open_resources(&self, needs: &[ResourceNeed]) -> Result<Arc<Resources>, String> {
        let ports = self
            .0
            .trigger_ports(needs)
            .await
            .map_err(|error| error.to_string());
        Ok(ports?.resources)
    }
}

/// The scheduler of a deployment that was generated from definitions without anything that waits
/// for a time.
struct NoTicks;

#[async_trait]
impl TickScheduler for NoTicks {
    async fn call_at(&self, due: DateTime<Utc>) -> Result<(), String> {
        Err(format!(
            "{} and {} are not set, but an evaluation is due at {due}: generate the template again \
             and deploy it",
            variables::TICK_GROUP,
            variables::TICK_ROLE
        ))
    }
}

/// Logs the outcome of an evaluation.
fn log_reaction(reaction: &Reaction) {
    use precip_engine::trigger::Decision;
    for (sensor, decision) in &reaction.sensors {
        match decision {
            Decision::Failed { message } => {
                tracing::error!(sensor, message, "the sensor's function failed");
            }
            Decision::Requested { runs, .. } => {
                tracing::info!(sensor, runs = runs.len(), "requested");
            }
            _ => {}
        }
    }
    for failed in &reaction.failed {
        let (what, message) = (&failed.what, &failed.message);
        if failed.again {
            tracing::warn!(what, message, "not evaluated, will be retried");
        } else {
            tracing::error!(what, message, "cannot be evaluated");
        }
    }
    // One line per invocation, from which the rate of runs can be charted.
    let (runs, changes) = (&reaction.automation.runs, &reaction.freshness.changes);
    tracing::info!(
        runs = runs.len(),
        changes = changes.len(),
        next = reaction.next.map(tracing::field::display),
        "reacted"
    );
}

/// Handles one invocation.
async fn handle_invocation(
    reactor: Arc<Reactor>,
    event: LambdaEvent<Value>,
) -> Result<Value, Diagnostic> {
    // A tick is the input of a schedule; everything else is a batch of the table's stream.
    match event.payload.get("tick") {
        Some(tick) => reactor.handle_tick(tick, &event.context).await,
        None => reactor.handle_changes(event).await,
    }
}

impl Reactor {
    /// Evaluates everything that is due. If that fails, Lambda invokes the function again.
    async fn handle_tick(&self, tick: &Value, context: &Context) -> Result<Value, Diagnostic> {
        tracing::info!(%tick, "tick");
        let Some(reacting) = &self.reacting else {
            return Ok(Value::Null);
        };
        let reaction = reacting
            .react_to_changes(&ChangeSet::on_tick(), context)
            .await?;
        finish_reaction(&reaction)
    }

    /// Applies a batch of changes and evaluates everything that they affect.
    ///
    /// If either fails, so does the invocation: Lambda delivers the batch again, in halves, until a
    /// single record is left, which it puts aside. Applying a change twice is harmless; none may be
    /// skipped, since the next may build on it. An evaluation continues where the last one ended.
    ///
    /// Source: <https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-errors.html>
    async fn handle_changes(&self, event: LambdaEvent<Value>) -> Result<Value, Diagnostic> {
        let (payload, context) = (event.payload, event.context);
        let event: Event =
            serde_json::from_value(payload).map_err(|error| failure::invalid_request(&error))?;
        let changes: Vec<Change> = event.records.into_iter().map(into_change).collect();
        // Project first: evaluations read the rollups and histories that the changes update.
        let projected = self
            .projector
            .apply_changes(&changes)
            .await
            .map_err(|error| {
                tracing::warn!(changes = changes.len(), %error, "not projected, will be retried");
                failure::diagnostic("Precip.NotProjected", &error)
            })?;
        let assets = projected.published.len();
        tracing::info!(changes = changes.len(), assets, "projected");
        let Some(reacting) = &self.reacting else {
            return Ok(Value::Null);
        };
        finish_reaction(
            &reacting
                .react_to_changes(&projected.change_set(), &context)
                .await?,
        )
    }
}

/// Returns the answer of an evaluation: an error if a part of it has to be repeated.
fn finish_reaction(reaction: &Reaction) -> Result<Value, Diagnostic> {
    // Failures that a repetition cannot fix are logged only: they would block the stream.
    match reaction.failed.iter().find(|failed| failed.again) {
        Some(failed) => Err(failure::diagnostic("Precip.NotEvaluated", &failed.message)),
        None => Ok(Value::Null),
    }
}

/// Converts a record of the table's stream.
fn into_change(record: EventRecord) -> Change {
    let change = record.change;
    Change::new(
        change.keys.into_inner(),
        change.old_image.into_inner(),
        change.new_image.into_inner(),
    )
}
