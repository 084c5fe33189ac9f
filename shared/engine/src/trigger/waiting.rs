//! Runs that wait: one of their partitions needs an upstream window that is to come.

use std::{collections::BTreeSet, fmt, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use precip_core::{
    key::AssetKey,
    partitions::PartitionContext,
    plan::{
        AssetStatuses, CheckSelection, Lineage, PartitionSelector, Plan, PlanError, PlanRequest,
    },
    selection::Selection,
};

use super::{FunctionRunner, RunLauncher, TriggerPorts};
use crate::{
    definitions::Definitions,
    run::partition_context,
    run_id::RunId,
    state::{
        Advance, Advanced, RequestedWork, Run, RunStatus, StateStore, TickRequest, TriggerId,
        TriggerKind,
    },
};

/// The maximum number of attempts to record a waiting run while others record theirs.
const ATTEMPTS: usize = 24;

/// Returns the trigger under which waiting runs are recorded: its cursor holds their ids.
pub fn waiting_trigger() -> TriggerId {
    TriggerId::new(TriggerKind::Automation, "waiting")
}

/// A launcher that leaves a run queued while its request needs an upstream window that is to come.
/// [`launch_waiting_runs`] launches it when that window exists.
pub struct PatientLauncher {
    definitions: Arc<Definitions>,
    state: Arc<dyn StateStore>,
    clock: Arc<dyn crate::run::Clock>,
    launcher: Arc<dyn RunLauncher>,
}

impl fmt::Debug for PatientLauncher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PatientLauncher").finish_non_exhaustive()
    }
}

#[async_trait]
impl RunLauncher for PatientLauncher {
    async fn launch(&self, run: &Run) -> Result<(), String> {
        let now = self.clock.now();
        let context = partition_context(&self.definitions, &self.state, now).await;
        let context = context.map_err(|error| error.to_string())?;
        match awaited_upstream(&self.definitions, &context, &run.request) {
            None => self.launcher.launch(run).await,
            // A process that dies before this leaves a queued run, which the next evaluation of its
            // trigger launches again.
            Some(_) => {
                let id = BTreeSet::from([run.id]);
                change_waiting(self.state.as_ref(), now, &id, &BTreeSet::new()).await
            }
        }
    }

    fn function_runner(&self) -> Arc<dyn FunctionRunner> {
        self.launcher.function_runner()
    }
}

impl TriggerPorts {
    /// Returns the same ports with a launcher that leaves runs queued until their upstream windows
    /// exist, for a caller that calls [`launch_waiting_runs`] from time to time.
    #[must_use]
    pub fn with_patience(&self) -> Self {
        let launcher = PatientLauncher {
            definitions: Arc::clone(&self.definitions),
            state: Arc::clone(&self.state),
            clock: Arc::clone(&self.clock),
            launcher: Arc::clone(&self.launcher),
        };
        Self {
            launcher: Arc::new(launcher),
            ..self.clone()
        }
    }
}

/// Launches the recorded waiting runs, except those that still wait for an upstream window. Returns the
/// time at which one of these may be able to start.
///
/// # Errors
/// When the record cannot be read or a run cannot be launched; call it again.
pub async fn launch_waiting_runs(ports: &TriggerPorts) -> Result<Option<DateTime<Utc>>, String> {
    let (_, waiting) = read_waiting(ports.state.as_ref()).await?;
    let mut next = None;
    if waiting.is_empty() {
        return Ok(next);
    }
    let now = ports.clock.now();
    let context = partition_context(&ports.definitions, &ports.state, now).await;
    let context = context.map_err(|error| error.to_string())?;
    let graph = ports.definitions.graph();
    let mut done = BTreeSet::new();
    for id in waiting {
        let found = ports.state.find_run(id).await;
        let found = found.map_err(|error| error.to_string())?;
        // A run that was canceled, removed or started waits no longer.
        let Some(run) = found.filter(|run| run.status == RunStatus::Queued) else {
            done.insert(id);
            continue;
        };
        match awaited_upstream(&ports.definitions, &context, &run.request) {
            None => {
                ports.launcher.launch(&run).await?;
                done.insert(id);
            }
            Some(upstream) => {
                let definition = graph.id(&upstream).and_then(|id| graph.partitions(id));
                let grows = definition.and_then(|definition| definition.next_growth(now));
                next = [next, grows].into_iter().flatten().min();
            }
        }
    }
    if !done.is_empty() {
        change_waiting(ports.state.as_ref(), now, &BTreeSet::new(), &done).await?;
    }
    Ok(next)
}

/// Reads the ids of waiting runs, with the revision of the record.
async fn read_waiting(state: &dyn StateStore) -> Result<(u64, BTreeSet<RunId>), String> {
    let stored = state.trigger_state(&waiting_trigger()).await;
    let stored = stored.map_err(|error| error.to_string())?;
    Ok((stored.revision, parse_waiting(stored.cursor.as_deref())))
}

fn parse_waiting(cursor: Option<&str>) -> BTreeSet<RunId> {
    cursor
        .and_then(|cursor| serde_json::from_str(cursor).ok())
        .unwrap_or_default()
}

/// Adds waiting runs to the record and removes others.
async fn change_waiting(
    state: &dyn StateStore,
    now: DateTime<Utc>,
    add: &BTreeSet<RunId>,
    remove: &BTreeSet<RunId>,
) -> Result<(), String> {
    let (mut revision, mut waiting) = read_waiting(state).await?;
    for _ in 0..ATTEMPTS {
        let changed: BTreeSet<RunId> = waiting
            .union(add)
            .filter(|id| !remove.contains(id))
            .copied()
            .collect();
        if changed == waiting {
            return Ok(());
        }
        let advance = Advance {
            revision,
            cursor: Some(serde_json::to_string(&changed).map_err(|error| error.to_string())?),
            at: now,
            scheduled_for: None,
            request: TickRequest::Skip {
                reason: Some("runs wait for upstream windows".to_owned()),
            },
            note: None,
        };
        let advanced = state.advance_trigger(&waiting_trigger(), advance).await;
        match advanced.map_err(|error| error.to_string())? {
            Advanced::Done { .. } => return Ok(()),
            Advanced::Refused(other) => {
                (revision, waiting) = (other.revision, parse_waiting(other.cursor.as_deref()));
            }
        }
    }
    Err("the waiting runs have too many concurrent updates".to_owned())
}

/// Returns the upstream asset of which a request needs a window that is to come; `None` for a request
/// that can be planned now, or never.
fn awaited_upstream(
    definitions: &Definitions,
    context: &PartitionContext,
    work: &RequestedWork,
) -> Option<AssetKey> {
    let graph = definitions.graph();
    let assets = Selection::parse(&work.selection)
        .ok()?
        .resolve(graph)
        .ok()?;
    let partitions: PartitionSelector = match &work.partitions {
        Some(text) => text.parse().ok()?,
        None => PartitionSelector::default(),
    };
    let request = PlanRequest {
        checks: CheckSelection::None,
        ..PlanRequest::new(assets, partitions)
    };
    // Whether a window exists depends on the time alone, so no status is read.
    let planned = Plan::new(
        Lineage::new(graph, context),
        &request,
        &AssetStatuses::default(),
    );
    match planned {
        Err(PlanError::UpstreamToCome { upstream, .. }) => Some(upstream),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use async_trait::async_trait;

    use crate::{
        asset::AssetError,
        state::Run,
        trigger::{FunctionCall, FunctionRunner, RunLauncher, SensorResult, tests::world::World},
    };

    /// A launcher and runner of its own.
    #[derive(Debug)]
    struct Impatient;

    #[async_trait]
    impl FunctionRunner for Impatient {
        async fn run_function(&self, call: FunctionCall) -> Result<SensorResult, AssetError> {
            call.run().await
        }
    }

    #[async_trait]
    impl RunLauncher for Impatient {
        async fn launch(&self, _: &Run) -> Result<(), String> {
            Ok(())
        }

        fn function_runner(&self) -> Arc<dyn FunctionRunner> {
            Arc::new(Self)
        }
    }

    #[test]
    fn patience_keeps_the_runner_of_functions() {
        let mut ports = World::with_seed(1).ports;
        ports.launcher = Arc::new(Impatient);
        let runner = ports.with_patience().launcher.function_runner();
        assert_eq!(format!("{runner:?}"), "Impatient");
    }
}
