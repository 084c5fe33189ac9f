//! Storing and committing of an op's outputs.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use futures::{FutureExt, StreamExt, stream};
use precip_core::{key::AssetKey, plan::Step};

use crate::{
    asset::{AssetContext, AssetError, OpOutput},
    io::Address,
    run::{RunSession, data_version::derive_data_version, inputs::io_failure},
    run_id::RunId,
    state::{
        CheckEvaluation, CommitOutcome, InputVersion, Materialization, PartitionRef, StateError,
    },
};

/// Number of outputs of one invocation that are stored concurrently.
const AT_ONCE: usize = 16;

/// The attempt that outputs belong to.
pub(super) struct Attempt<'a> {
    pub step: &'a Step,
    pub context: &'a AssetContext,
    pub attempt: u32,
    pub started_at: DateTime<Utc>,
    pub inputs: &'a [InputVersion],
}

impl RunSession {
    /// Stores outputs durably, each in a location of its own attempt. Returns those that can be
    /// committed and those that could not be stored.
    pub(super) async fn store_outputs(
        &self,
        attempt: &Attempt<'_>,
        made: Vec<(PartitionRef, OpOutput)>,
        checks: &[CheckEvaluation],
    ) -> (Vec<Materialization>, Vec<(PartitionRef, AssetError)>) {
        let mut stores = Vec::with_capacity(made.len());
        for (target, output) in made {
            let store = async move {
                let stored = self
                    .store_output(attempt, target.clone(), output, checks)
                    .await;
                stored.map_err(|error| (target, error))
            };
            stores.push(store.boxed());
        }
        let all: Vec<_> = stream::iter(stores).buffered(AT_ONCE).collect().await;
        let mut stored = Vec::with_capacity(all.len());
        let mut failed = Vec::new();
        for result in all {
            match result {
                Ok(materialization) => stored.push(materialization),
                Err(failure) => failed.push(failure),
            }
        }
        let (durable, lost) = self.make_durable(stored).await;
        failed.extend(lost);
        (durable, failed)
    }

    /// Makes stored outputs durable, once per IO manager. Nothing may be committed before: a commit
    /// that points to data lost by a power failure could not be repaired.
    async fn make_durable(
        &self,
        stored: Vec<Materialization>,
    ) -> (Vec<Materialization>, Vec<(PartitionRef, AssetError)>) {
        let mut pointers: BTreeMap<Option<&str>, Vec<String>> = BTreeMap::new();
        for made in &stored {
            if let Some(pointer) = &made.pointer {
                let name = self.io_manager_name(&made.target.asset);
                pointers.entry(name).or_default().push(pointer.clone());
            }
        }
        let mut errors = BTreeMap::new();
        for (name, pointers) in &pointers {
            if let Some(manager) = self.io_managers().get(*name)
                && let Err(error) = manager.make_durable(pointers).await
            {
                errors.insert(*name, error);
            }
        }
        let mut lost = Vec::new();
        let mut durable = Vec::with_capacity(stored.len());
        for made in stored {
            let name = self.io_manager_name(&made.target.asset);
            match errors.get(&name).filter(|_| made.pointer.is_some()) {
                None => durable.push(made),
                Some(error) => {
                    let error = io_failure("make durable what was stored of", &made.target, error);
                    lost.push((made.target, error));
                }
            }
        }
        (durable, lost)
    }

    /// Returns the name of the IO manager that an asset declares; `None` for the default one.
    fn io_manager_name(&self, asset: &AssetKey) -> Option<&str> {
        let graph = self.definitions.graph();
        graph
            .id(asset)
            .and_then(|asset| graph.asset(asset).io_manager.as_deref())
    }

    async fn store_output(
        &self,
        attempt: &Attempt<'_>,
        target: PartitionRef,
        output: OpOutput,
        checks: &[CheckEvaluation],
    ) -> Result<Materialization, AssetError> {
        let graph = self.definitions.graph();
        let spec = graph.id(&target.asset).map(|asset| graph.asset(asset));
        // Later metadata wins: added in the function, then the IO manager's, then the output's own.
        let mut metadata = attempt.context.added_metadata(&target.asset);
        let mut pointer = None;
        if let Some(value) = output.value {
            let name = self.io_manager_name(&target.asset);
            let manager = self.io_managers().get(name).ok_or_else(|| {
                AssetError::terminal(format!("asset `{}` has no IO manager here", target.asset))
            })?;
            let address = Address {
                asset: target.asset.clone(),
                partition: target.partition.clone(),
                run: self.run,
                attempt: attempt.attempt,
            };
            let stored = manager
                .store(&address, value)
                .await
                .map_err(|error| io_failure("store", &target, &error))?;
            metadata.extend(stored.metadata);
            pointer = Some(stored.pointer);
        }
        metadata.extend(output.metadata);
        let code_version = spec.and_then(|spec| spec.code_version.clone());
        let data_version = output.data_version.unwrap_or_else(|| {
            derive_data_version(code_version.as_deref(), self.run, attempt.inputs)
        });
        let own_checks = checks.iter().filter(|found| found.target == target);
        Ok(Materialization {
            run: self.run,
            attempt: attempt.attempt,
            pointer,
            metadata,
            data_version,
            code_version,
            inputs: attempt.inputs.to_vec(),
            checks: own_checks.cloned().collect(),
            started_at: attempt.started_at,
            finished_at: self.ports.clock.now(),
            target,
        })
    }

    /// Publishes stored outputs. Returns those that readers see, and an error for each of the others:
    /// its record is too large, or a newer run has published the partition.
    pub(super) async fn commit_materializations(
        &self,
        made: Vec<Materialization>,
    ) -> Result<(Vec<Materialization>, Vec<(PartitionRef, AssetError)>), StateError> {
        let mut unpublished = Vec::new();
        let mut fitting = Vec::with_capacity(made.len());
        for made in made {
            // One by one: a store refuses a batch as a whole.
            match self.fit_record(made).await {
                Ok(made) => fitting.push(made),
                Err(failed) => unpublished.push(failed),
            }
        }
        if fitting.is_empty() {
            return Ok((fitting, unpublished));
        }
        let state = &self.ports.state;
        let outcomes = self
            .with_state_retries(|| state.commit_materializations(fitting.clone()))
            .await?;
        let mut published = Vec::with_capacity(fitting.len());
        for (made, outcome) in fitting.into_iter().zip(outcomes) {
            match outcome {
                CommitOutcome::Committed | CommitOutcome::AlreadyDone { .. } => {
                    published.push(made);
                }
                CommitOutcome::Superseded { by } => {
                    let error = superseded_error(&made.target, by);
                    unpublished.push((made.target, error));
                }
            }
        }
        Ok((published, unpublished))
    }
}

/// Returns the error of a partition that a newer run has published.
fn superseded_error(target: &PartitionRef, by: RunId) -> AssetError {
    AssetError::terminal(format!(
        "run {by}, which is newer than this one, has published `{target}`: its data stays, and what \
         this run made is not used; start a new run to make it again"
    ))
}

/// Assigns each output to its target. Returns the pairs, and the targets without an output.
///
/// # Errors
/// An output that the step was not asked for, or two outputs for one target.
#[expect(clippy::type_complexity, reason = "two lists that belong together")]
pub(super) fn assign_outputs(
    step: &Step,
    targets: &[PartitionRef],
    made: Vec<OpOutput>,
) -> Result<(Vec<(PartitionRef, OpOutput)>, Vec<PartitionRef>), AssetError> {
    let mut left: BTreeMap<_, PartitionRef> = targets
        .iter()
        .filter(|target| step.assets.contains(&target.asset))
        .map(|target| {
            (
                (target.asset.clone(), target.partition.clone()),
                target.clone(),
            )
        })
        .collect();
    let mut assigned = Vec::with_capacity(made.len());
    for output in made {
        let name = (output.asset.clone(), output.partition.clone());
        match left.remove(&name) {
            Some(target) => assigned.push((target, output)),
            None => {
                let partition = name.1.map(|key| format!("[{key}]")).unwrap_or_default();
                return Err(AssetError::terminal(format!(
                    "op `{}` returned `{}{partition}`, which it was not asked for, or twice",
                    step.op, name.0
                )));
            }
        }
    }
    Ok((assigned, left.into_values().collect()))
}
