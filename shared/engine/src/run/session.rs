//! [`RunSession`]: one run, with what its items need.

use std::{collections::BTreeMap, fmt, sync::Arc};

use chrono::{DateTime, Utc};
use precip_core::{
    graph::AssetId,
    key::AssetKey,
    partitions::{PartitionContext, PartitionKey, PartitionSet, PartitionsDefinition},
    plan::{Lineage, Plan},
};

use crate::{
    asset::Resources,
    definitions::{Definitions, EnvironmentNeeds, IoManagers, OpenEnvironment},
    run::{
        Clock, LoggedTexts, LongTexts, OpRunner, Randomness, RunObserver, Sleeper, SystemClock,
        SystemRandomness, partition_ref,
    },
    run_id::RunId,
    state::{Latest, PartitionRef, ReadConsistency, StateResult, StateStore},
};

/// The ports of a run.
#[derive(Clone)]
pub struct RunPorts {
    /// The state store.
    pub state: Arc<dyn StateStore>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Waits between attempts, and timeouts.
    pub sleeper: Arc<dyn Sleeper>,
    /// The source of run ids and jitter.
    pub randomness: Arc<dyn Randomness>,
    /// Runs the functions of ops.
    pub op_runner: Arc<dyn OpRunner>,
    /// Receives the progress of the run.
    pub observer: Arc<dyn RunObserver>,
    /// Keeps what is too long for the record.
    pub long_texts: Arc<dyn LongTexts>,
}

impl RunPorts {
    /// The ports of this machine: its clock and its randomness, no observer, and the log for long texts.
    pub fn system(
        state: Arc<dyn StateStore>,
        sleeper: Arc<dyn Sleeper>,
        op_runner: Arc<dyn OpRunner>,
    ) -> Self {
        Self {
            state,
            clock: Arc::new(SystemClock),
            sleeper,
            randomness: Arc::new(SystemRandomness),
            op_runner,
            observer: Arc::new(()),
            long_texts: Arc::new(LoggedTexts),
        }
    }
}

impl fmt::Debug for RunPorts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunPorts")
            .field("state", &self.state)
            .field("clock", &self.clock)
            .finish_non_exhaustive()
    }
}

/// One run, with what its items need. An executor shares it in an `Arc`.
#[derive(Debug)]
pub struct RunSession {
    /// The project.
    pub definitions: Arc<Definitions>,
    /// The ports.
    pub ports: RunPorts,
    /// The time and the dynamic keys that the plan was made with.
    pub context: PartitionContext,
    /// The run.
    pub run: RunId,
    /// The run's tags.
    pub tags: BTreeMap<String, String>,
    /// The run config: an object with a value for each op that takes config, by the op's name.
    pub config: serde_json::Value,
    /// True if items may have been run before in this run, because it was resumed or because an
    /// invocation may be repeated. Then recorded results are read before an item runs.
    pub resumed: bool,
    /// The time that ops take for the present, if it is not the clock's.
    as_of: Option<DateTime<Utc>>,
    /// The planned partitions of each asset, if upstream records are read with eventual consistency.
    planned: Option<Arc<BTreeMap<AssetKey, PartitionSet>>>,
    /// The assets that may have been made in the same item just before.
    pub(super) unsettled: Vec<AssetKey>,
    resources: Arc<Resources>,
    io_managers: IoManagers,
}

impl RunSession {
    /// Creates the session of a run whose plan was made with `context`.
    pub fn new(
        definitions: Arc<Definitions>,
        ports: RunPorts,
        context: PartitionContext,
        run: RunId,
        plan: &Plan,
        open: OpenEnvironment,
    ) -> Self {
        Self {
            definitions,
            ports,
            context,
            run,
            tags: plan.tags.clone(),
            config: plan.config.clone(),
            resumed: false,
            as_of: None,
            planned: None,
            unsettled: Vec::new(),
            resources: Arc::new(open.resources),
            io_managers: open.io_managers,
        }
    }

    /// Returns the session with recorded results read before each item: see the field `resumed`.
    #[must_use]
    pub fn resumed(mut self) -> Self {
        self.resumed = true;
        self
    }

    /// Returns the session with a time that its ops take for the present, such as that of `--now`.
    /// Ids and recorded times are the clock's.
    #[must_use]
    pub fn as_of(mut self, now: DateTime<Utc>) -> Self {
        self.as_of = Some(now);
        self
    }

    /// Returns the time that ops take for the present.
    pub(super) fn now(&self) -> DateTime<Utc> {
        self.as_of.unwrap_or_else(|| self.ports.clock.now())
    }

    /// Returns the session with eventually consistent reads of upstream records, which cost half as
    /// much. `planned` holds the run's own partitions ([`planned_partitions`]): one of these that is
    /// read as not published by this run yet is read again with strong consistency.
    #[must_use]
    pub fn with_eventual_reads(mut self, planned: Arc<BTreeMap<AssetKey, PartitionSet>>) -> Self {
        self.planned = Some(planned);
        self
    }

    /// Returns the session with the assets that may have been made in the same item just before: no
    /// settled wave has passed over what depends on their skipped partitions.
    #[must_use]
    pub fn with_unsettled(mut self, assets: Vec<AssetKey>) -> Self {
        self.unsettled = assets;
        self
    }

    /// Reads the latest records of upstream partitions.
    pub(super) async fn upstream_latest(
        &self,
        targets: &[PartitionRef],
    ) -> StateResult<Vec<Option<Latest>>> {
        let state = &self.ports.state;
        let Some(planned) = &self.planned else {
            let strong = ReadConsistency::Strong;
            return self
                .with_state_retries(|| state.latest_materializations(targets, strong))
                .await;
        };
        // Read eventually first, and reread strongly what may be stale.
        let eventual = ReadConsistency::Eventual;
        let mut latest = self
            .with_state_retries(|| state.latest_materializations(targets, eventual))
            .await?;
        // Upstream runs first: what the plan makes has been published by now, unless it failed. An
        // older answer may be a replica that lags.
        let stale: Vec<usize> = (0..targets.len())
            .filter(|index| {
                let target = &targets[*index];
                let of_asset = planned.get(&target.asset);
                of_asset.is_some_and(|set| set.contains(target.ordinal))
                    && !self.is_current(latest[*index].as_ref())
            })
            .collect();
        if !stale.is_empty() {
            let again: Vec<_> = stale.iter().map(|index| targets[*index].clone()).collect();
            let strong = ReadConsistency::Strong;
            let reread = self
                .with_state_retries(|| state.latest_materializations(&again, strong))
                .await?;
            for (index, record) in stale.into_iter().zip(reread) {
                latest[index] = record;
            }
        }
        Ok(latest)
    }

    /// Returns whether the published materialization is of this run or a newer one.
    pub(super) fn is_current(&self, latest: Option<&Latest>) -> bool {
        let published = latest.and_then(Latest::published);
        published.is_some_and(|made| made.run >= self.run)
    }

    /// Returns the planned partitions of an asset; `None` where they are not known.
    pub(super) fn planned(&self, asset: &AssetKey) -> Option<&PartitionSet> {
        self.planned.as_ref()?.get(asset)
    }

    /// Returns what a plan uses of an environment: the resources of its ops, and the IO managers of
    /// the assets that they make and load.
    pub fn environment_needs(definitions: &Definitions, plan: &Plan) -> EnvironmentNeeds {
        let mut wanted = EnvironmentNeeds::default();
        for (_, _, step) in plan.steps() {
            let Some(op) = definitions.op_named(&step.op) else {
                continue;
            };
            wanted.add_op_with_inputs(op, definitions.graph());
        }
        wanted
    }

    /// Returns the graph with the partitions that exist at the time of the plan.
    pub fn lineage(&self) -> Lineage<'_> {
        Lineage::new(self.definitions.graph(), &self.context)
    }

    /// Returns the key of a partition of an asset; `None` for an unpartitioned one.
    pub fn partition_key(&self, asset: &AssetKey, ordinal: u64) -> Option<PartitionKey> {
        let asset = self.definitions.graph().id(asset)?;
        self.partition_ref(asset, ordinal)?.partition
    }

    pub(super) fn resources(&self) -> &Arc<Resources> {
        &self.resources
    }

    pub(super) fn io_managers(&self) -> &IoManagers {
        &self.io_managers
    }

    pub(super) fn partitions_definition(&self, asset: AssetId) -> Option<&PartitionsDefinition> {
        self.definitions.graph().partitions(asset)
    }

    /// Returns the key of a partition in the state store; `None` for an ordinal without a key.
    pub(super) fn partition_ref(&self, asset: AssetId, ordinal: u64) -> Option<PartitionRef> {
        partition_ref(self.definitions.graph(), &self.context, asset, ordinal)
    }
}

/// Returns the partitions of each asset that a plan makes.
pub fn planned_partitions(plan: &Plan) -> BTreeMap<AssetKey, PartitionSet> {
    let mut planned: BTreeMap<AssetKey, PartitionSet> = BTreeMap::new();
    for (_, stage, step) in plan.steps() {
        for asset in &step.assets {
            *planned.entry(asset.clone()).or_default() |= &stage.partitions;
        }
    }
    planned
}
