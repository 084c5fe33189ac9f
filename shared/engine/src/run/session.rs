//! [`RunSession`]: one run, and everything its items need.

use std::{collections::BTreeMap, fmt, sync::Arc};

use precip_core::{
    graph::AssetId,
    key::AssetKey,
    partitions::{PartitionContext, PartitionSet, PartitionsDefinition},
    plan::{Lineage, Plan},
};

use crate::{
    asset::Resources,
    definitions::{Definitions, IoManagers, OpenEnvironment, Wanted},
    run::{Bodies, Clock, Randomness, RunObserver, Sleeper},
    run_id::RunId,
    state::{Latest, PartitionRef, ReadConsistency, StateResult, StateStore},
};

/// What a run stands on.
#[derive(Clone)]
pub struct RunPorts {
    /// The record.
    pub state: Arc<dyn StateStore>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Waiting.
    pub sleeper: Arc<dyn Sleeper>,
    /// Chance.
    pub randomness: Arc<dyn Randomness>,
    /// Where functions run.
    pub bodies: Arc<dyn Bodies>,
    /// Who watches.
    pub observer: Arc<dyn RunObserver>,
}

impl fmt::Debug for RunPorts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunPorts")
            .field("state", &self.state)
            .field("clock", &self.clock)
            .finish_non_exhaustive()
    }
}

/// One run, and everything its items need. Cheap to share: an executor keeps it in an `Arc`.
#[derive(Debug)]
pub struct RunSession {
    /// The project.
    pub definitions: Arc<Definitions>,
    /// The ports.
    pub ports: RunPorts,
    /// The moment and the dynamic keys that the plan was made with.
    pub context: PartitionContext,
    /// The run.
    pub run: RunId,
    /// The run's tags.
    pub tags: BTreeMap<String, String>,
    /// The run config: an object with a value for each op that takes config, by the op's name.
    pub config: serde_json::Value,
    /// Whether an item may have been made already in this run: when the run is taken up again, or
    /// when an invocation may come twice. Then the record is read before an item runs.
    pub repeated: bool,
    /// What the run makes, where reads of the record may lag.
    lagging: Option<Arc<BTreeMap<AssetKey, PartitionSet>>>,
    resources: Arc<Resources>,
    io_managers: IoManagers,
}

impl RunSession {
    /// A session for a run of a plan that was made with `context`.
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
            repeated: false,
            lagging: None,
            resources: Arc::new(open.resources),
            io_managers: open.io_managers,
        }
    }

    /// The same, reading the record before each item: see [`Self::repeated`].
    #[must_use]
    pub fn repeated(mut self) -> Self {
        self.repeated = true;
        self
    }

    /// The same, with reads of upstream records that may lag a little and cost half as much. `makes`
    /// is what the run makes ([`planned_partitions`]): an answer that is older than what the run must
    /// have made by then is not taken for true, but asked for again.
    #[must_use]
    pub fn lagging(mut self, makes: Arc<BTreeMap<AssetKey, PartitionSet>>) -> Self {
        self.lagging = Some(makes);
        self
    }

    /// What is known of upstream partitions.
    pub(super) async fn upstream_latest(
        &self,
        targets: &[PartitionRef],
    ) -> StateResult<Vec<Option<Latest>>> {
        let state = &self.ports.state;
        let Some(makes) = &self.lagging else {
            let strong = ReadConsistency::Strong;
            return self.persist(|| state.latest_many(targets, strong)).await;
        };
        let eventual = ReadConsistency::Eventual;
        let mut latest = self
            .persist(|| state.latest_many(targets, eventual))
            .await?;
        let old: Vec<usize> = (0..targets.len())
            .filter(|place| {
                let target = &targets[*place];
                let of_asset = makes.get(&target.asset);
                of_asset.is_some_and(|set| set.contains(target.ordinal))
                    && !self.is_new(latest[*place].as_ref())
            })
            .collect();
        if !old.is_empty() {
            let again: Vec<_> = old.iter().map(|place| targets[*place].clone()).collect();
            let strong = ReadConsistency::Strong;
            let read = self.persist(|| state.latest_many(&again, strong)).await?;
            for (place, answer) in old.into_iter().zip(read) {
                latest[place] = answer;
            }
        }
        Ok(latest)
    }

    /// Whether what is published is this run's, or a newer one's.
    pub(super) fn is_new(&self, latest: Option<&Latest>) -> bool {
        let published = latest.and_then(Latest::published);
        published.is_some_and(|made| made.run >= self.run)
    }

    /// What the run makes of an asset; nothing where that is not known.
    pub(super) fn makes(&self, asset: &AssetKey) -> Option<&PartitionSet> {
        self.lagging.as_ref()?.get(asset)
    }

    /// What a plan uses of an environment: the resources of its ops, and the IO managers of the
    /// assets that they make and of those that they load.
    pub fn wanted(definitions: &Definitions, plan: &Plan) -> Wanted {
        let mut wanted = Wanted::default();
        for (_, _, step) in plan.steps() {
            let Some(op) = definitions.op_named(&step.op) else {
                continue;
            };
            wanted.add_with_inputs(op, definitions.graph());
        }
        wanted
    }

    /// The graph at the moment of the plan.
    pub fn lineage(&self) -> Lineage<'_> {
        Lineage::new(self.definitions.graph(), &self.context)
    }

    pub(super) fn resources(&self) -> &Arc<Resources> {
        &self.resources
    }

    pub(super) fn io_managers(&self) -> &IoManagers {
        &self.io_managers
    }

    pub(super) fn definition(&self, asset: AssetId) -> Option<&PartitionsDefinition> {
        self.definitions.graph().partitions(asset)
    }

    /// The name under which the record keeps a partition; `None` for an ordinal without a key.
    pub fn reference(&self, asset: AssetId, ordinal: u64) -> Option<PartitionRef> {
        let key = self.definitions.graph().key(asset).clone();
        match self.definition(asset) {
            None => Some(PartitionRef::unpartitioned(key)),
            Some(definition) => {
                let partition = definition.key(ordinal, &self.context)?;
                Some(PartitionRef::new(key, partition, ordinal))
            }
        }
    }
}

/// The partitions of each asset that a plan makes.
pub fn planned_partitions(plan: &Plan) -> BTreeMap<AssetKey, PartitionSet> {
    let mut makes: BTreeMap<AssetKey, PartitionSet> = BTreeMap::new();
    for (_, stage, step) in plan.steps() {
        for asset in &step.assets {
            *makes.entry(asset.clone()).or_default() |= &stage.partitions;
        }
    }
    makes
}
