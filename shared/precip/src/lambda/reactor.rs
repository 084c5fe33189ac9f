//! The reactor function.

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
        Happened, OpenResources, ReactPorts, Reaction, RecordedTicks, TickScheduler, react, reacts,
    },
    run::Clock,
    state::StateStore,
};
use serde_json::Value;

use super::{failure, function, triggers::Triggers, variables, world::World};

/// Keeps what follows from the changes of the table: status sets, progress, history; then evaluates
/// what they concern (sensors of assets and runs, automation conditions, freshness) and starts the runs
/// that it asks for.
pub fn reactor(definitions: fn() -> Result<Definitions, InvalidDefinitions>) -> ExitCode {
    function::run(definitions, async |world| Reactor::new(&world), answer)
}

/// What the function stands on.
struct Reactor {
    projector: Projector,
    /// None in a project in which nothing waits for a change.
    reacting: Option<Reacting>,
}

struct Reacting {
    triggers: Arc<Triggers>,
    state: Arc<dyn StateStore>,
    clock: Arc<dyn Clock>,
    aws: Aws,
    topic: Arc<dyn FreshnessTopic>,
}

impl Reactor {
    fn new(world: &World) -> Result<Self, String> {
        let reacting = match reacts(&world.definitions) {
            true => Some(Reacting::new(world)?),
            false => None,
        };
        Ok(Self {
            projector: world.store.projector(),
            reacting,
        })
    }
}

impl Reacting {
    fn new(world: &World) -> Result<Self, String> {
        let topic: Arc<dyn FreshnessTopic> = match env::var(variables::FRESHNESS_TOPIC) {
            Ok(topic) => Arc::new(SnsTopic::new(world.aws.sns(), topic)),
            Err(_) => Arc::new(()),
        };
        Ok(Self {
            triggers: Arc::new(Triggers::new(world)?),
            state: world.state(),
            clock: Arc::clone(&world.clock),
            aws: world.aws.clone(),
            topic,
        })
    }

    /// What calls this function when it is time.
    fn ticks(&self, context: &Context) -> Arc<dyn TickScheduler> {
        let group = env::var(variables::TICK_GROUP);
        let role = env::var(variables::TICK_ROLE);
        let (Ok(group), Ok(role)) = (group, role) else {
            return Arc::new(NoTicks);
        };
        let function = &context.invoked_function_arn;
        let ticks = ScheduledTicks::new(self.aws.scheduler(), group, function, role);
        let (state, clock) = (Arc::clone(&self.state), Arc::clone(&self.clock));
        Arc::new(RecordedTicks::new(state, clock, Arc::new(ticks)))
    }

    async fn react(&self, happened: &Happened, context: &Context) -> Result<Reaction, Diagnostic> {
        let triggers = self.triggers.ports(&[]).await;
        let ports = ReactPorts {
            triggers: triggers.map_err(|error| failure::diagnostic("Precip.BadInput", &error))?,
            resources: Arc::new(Opened(Arc::clone(&self.triggers))),
            ticks: self.ticks(context),
            topic: Arc::clone(&self.topic),
        };
        let reaction = react(&ports, happened).await;
        told(&reaction);
        Ok(reaction)
    }
}

/// Opens the resources of a sensor when it is called.
struct Opened(Arc<Triggers>);

#[async_trait]
impl OpenResources for Opened {
    async fn open(&self, needs: &[ResourceNeed]) -> Result<Arc<Resources>, String> {
        let ports = self.0.ports(needs).await.map_err(|error| error.to_string());
        Ok(ports?.resources)
    }
}

/// A deployment that was generated from other definitions, of which nothing waited for the time.
struct NoTicks;

#[async_trait]
impl TickScheduler for NoTicks {
    async fn call_at(&self, due: DateTime<Utc>) -> Result<(), String> {
        Err(format!(
            "{} and {} are not set, and something has to be looked at again at {due}: generate the \
             template anew and deploy it",
            variables::TICK_GROUP,
            variables::TICK_ROLE
        ))
    }
}

/// Logs what came of it.
fn told(reaction: &Reaction) {
    use precip_engine::trigger::Decision;
    for (sensor, decision) in &reaction.sensors {
        match decision {
            Decision::Failed { message } => tracing::error!(sensor, message, "its function failed"),
            Decision::Requested { runs, .. } => {
                tracing::info!(sensor, runs = runs.len(), "requested");
            }
            _ => {}
        }
    }
    for failed in &reaction.failed {
        let (what, message) = (&failed.what, &failed.message);
        match failed.again {
            true => tracing::warn!(what, message, "not evaluated: it is tried again"),
            false => tracing::error!(what, message, "cannot be evaluated"),
        }
    }
    let (runs, changes) = (&reaction.automation.runs, &reaction.freshness.changes);
    tracing::info!(
        runs = runs.len(),
        changes = changes.len(),
        next = reaction.next.map(tracing::field::display),
        "reacted"
    );
}

async fn answer(reactor: Arc<Reactor>, event: LambdaEvent<Value>) -> Result<Value, Diagnostic> {
    match event.payload.get("tick") {
        Some(tick) => reactor.tick(tick, &event.context).await,
        None => reactor.changes(event).await,
    }
}

impl Reactor {
    /// It is time. If that fails, Lambda invokes it again.
    async fn tick(&self, tick: &Value, context: &Context) -> Result<Value, Diagnostic> {
        tracing::info!(%tick, "it is time");
        let Some(reacting) = &self.reacting else {
            return Ok(Value::Null);
        };
        let reaction = reacting.react(&Happened::tick(), context).await?;
        done(&reaction)
    }

    /// Applies a batch, and evaluates what it concerns. If either fails, so does the invocation: Lambda
    /// delivers the batch again, in halves, until one record is left that is put aside. Applying a change
    /// twice does no harm, none may be left out, since the next may build on it, and an evaluation goes
    /// on from where it ended.
    ///
    /// Source: <https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-errors.html>
    async fn changes(&self, event: LambdaEvent<Value>) -> Result<Value, Diagnostic> {
        let (payload, context) = (event.payload, event.context);
        let event: Event =
            serde_json::from_value(payload).map_err(|error| failure::unreadable(&error))?;
        let changes: Vec<Change> = event.records.into_iter().map(change).collect();
        let projected = self.projector.apply(&changes).await.map_err(|error| {
            tracing::warn!(changes = changes.len(), %error, "not projected: it is tried again");
            failure::diagnostic("Precip.NotProjected", &error)
        })?;
        let assets = projected.published.len();
        tracing::info!(changes = changes.len(), assets, "projected");
        let Some(reacting) = &self.reacting else {
            return Ok(Value::Null);
        };
        done(&reacting.react(&projected.happened(), &context).await?)
    }
}

/// Nothing is left to be evaluated again.
fn done(reaction: &Reaction) -> Result<Value, Diagnostic> {
    match reaction.failed.iter().find(|failed| failed.again) {
        Some(failed) => Err(failure::diagnostic("Precip.NotEvaluated", &failed.message)),
        None => Ok(Value::Null),
    }
}

fn change(record: EventRecord) -> Change {
    let change = record.change;
    Change::new(
        change.keys.into_inner(),
        change.old_image.into_inner(),
        change.new_image.into_inner(),
    )
}
