//! [`RunSession`]: one run, and everything its items need.

use std::{collections::BTreeMap, fmt, sync::Arc};

use precip_core::{
    graph::AssetId,
    partitions::{PartitionContext, PartitionsDefinition},
    plan::{Lineage, Plan},
};

use crate::{
    asset::Resources,
    definitions::{DEFAULT_IO_MANAGER, Definitions, IoManagers, OpenEnvironment, Wanted},
    run::{Bodies, Clock, Randomness, RunObserver, Sleeper},
    run_id::RunId,
    state::{PartitionRef, StateStore},
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

    /// What a plan uses of an environment: the resources of its ops, and the IO managers of the
    /// assets that they make and of those that they load.
    pub fn wanted(definitions: &Definitions, plan: &Plan) -> Wanted {
        let mut wanted = Wanted::default();
        for (_, _, step) in plan.steps() {
            let Some(op) = definitions.op_named(&step.op) else {
                continue;
            };
            wanted.add(op);
            for input in &op.inputs {
                if let Some(asset) = definitions.graph().id(&input.asset) {
                    let manager = definitions.graph().asset(asset).io_manager.as_deref();
                    let manager = manager.unwrap_or(DEFAULT_IO_MANAGER);
                    wanted.io_managers.insert(manager.to_owned());
                }
            }
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
