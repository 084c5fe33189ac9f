//! Loading of an op's inputs.

use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use precip_core::{
    graph::{AssetGraph, AssetId, Edge},
    mapping::PartitionMapping,
    partitions::PartitionSet,
    plan::Step,
    spec::DepNeed,
};

use crate::{
    asset::{AssetError, ErrorKind, InputSpec, Inputs, LoadedInput, LoadedPart},
    definitions::OpDefinition,
    io::{Address, IoError, LoadRequest},
    run::{RunSession, data_version::combine_versions, skipped_input::SkippedInput},
    state::{InputScope, InputVersion, Latest, Materialization, PartitionRef, StateError},
};

/// Number of partitions of one input that are loaded concurrently.
const AT_ONCE: usize = 16;

/// The loaded inputs of an op, with their versions.
#[derive(Debug, Default)]
pub(super) struct LoadedInputs {
    pub inputs: Inputs,
    pub versions: Vec<InputVersion>,
    /// The partitions that the inputs are loaded for.
    pub partitions: PartitionSet,
    /// The other ones: they need something that is skipped.
    pub skipped: Vec<SkippedInput>,
}

/// An input, with the records of its upstream partitions.
struct FoundInput<'a> {
    input: &'a InputSpec,
    edge: (AssetId, Edge),
    records: Vec<(PartitionRef, Option<Latest>)>,
}

/// An error of loading inputs or storing outputs.
pub(super) enum LoadError {
    /// The attempt failed.
    Asset(AssetError),
    /// The state store failed, so the run cannot go on.
    State(StateError),
}

impl From<AssetError> for LoadError {
    fn from(error: AssetError) -> Self {
        Self::Asset(error)
    }
}

impl From<StateError> for LoadError {
    fn from(error: StateError) -> Self {
        Self::State(error)
    }
}

impl RunSession {
    /// Loads the declared inputs of a step for some partitions, all concurrently, without the
    /// partitions that need something that is skipped.
    pub(super) async fn load_inputs(
        &self,
        op: &OpDefinition,
        step: &Step,
        partitions: &PartitionSet,
    ) -> Result<LoadedInputs, LoadError> {
        let mut loaded = LoadedInputs {
            partitions: partitions.clone(),
            ..LoadedInputs::default()
        };
        let records = loop {
            let records = self.find_inputs(op, step, &loaded.partitions).await?;
            let skipped = self
                .skipped_inputs(op, step, &records, &loaded.partitions)
                .await?;
            if skipped.is_empty() {
                break records;
            }
            // The inputs of the other partitions are fewer, so that they are found once more.
            for input in skipped {
                loaded.partitions -= &input.partitions;
                loaded.skipped.push(input);
            }
            if loaded.partitions.is_empty() {
                return Ok(loaded);
            }
        };
        let loads = records
            .iter()
            .map(|found| self.load_input(found.input, &found.records).boxed());
        let loads: Vec<_> = loads.collect();
        for (name, input, version) in futures::future::try_join_all(loads).await? {
            loaded.inputs.insert(name, input);
            loaded.versions.extend(version);
        }
        Ok(loaded)
    }

    /// Finds the upstream partitions of each input that a step uses. A step that makes some of its
    /// op's assets does not use the inputs of the others.
    async fn find_inputs<'a>(
        &self,
        op: &'a OpDefinition,
        step: &Step,
        partitions: &PartitionSet,
    ) -> Result<Vec<FoundInput<'a>>, LoadError> {
        let mut reads = Vec::new();
        for input in &op.inputs {
            if let Some((asset, edge)) = self.edge_to(step, input) {
                let targets = self.input_partitions(input, asset, &edge, partitions)?;
                reads.push(async move {
                    let latest = self.upstream_latest(&targets).await?;
                    let records = targets.into_iter().zip(latest).collect();
                    Ok::<_, LoadError>(FoundInput {
                        input,
                        edge: (asset, edge),
                        records,
                    })
                });
            }
        }
        let reads: Vec<_> = reads.into_iter().map(FutureExt::boxed).collect();
        futures::future::try_join_all(reads).await
    }

    /// Returns the partitions that need something that is skipped: of what is loaded, or of what runs
    /// before the step in the same item.
    async fn skipped_inputs(
        &self,
        op: &OpDefinition,
        step: &Step,
        found: &[FoundInput<'_>],
        partitions: &PartitionSet,
    ) -> Result<Vec<SkippedInput>, LoadError> {
        let mut skipped = Vec::new();
        let graph = self.definitions.graph();
        for found in found {
            let need = if found.input.needs.missing_ok {
                DepNeed::Optional
            } else {
                DepNeed::Data
            };
            let edge = (found.edge.0, &found.edge.1);
            skipped.extend(
                self.skipped_by(edge, need, partitions, &found.records)
                    .await?,
            );
        }
        for (asset, edge) in self.upstream_edges(step) {
            let key = graph.key(edge.asset);
            let loaded = op.inputs.iter().any(|input| input.asset == *key);
            let is_order_only = !edge.passes_on_skips(asset);
            if loaded || is_order_only || !self.unsettled.contains(key) {
                continue;
            }
            let above = self.lineage().to_upstream(asset, partitions, &edge);
            let above = above.map_err(|invalid| AssetError::terminal(invalid.to_string()))?;
            let targets = above.existing.iter();
            let targets: Vec<PartitionRef> = targets
                .filter_map(|ordinal| self.partition_ref(edge.asset, ordinal))
                .collect();
            let latest = self.upstream_latest(&targets).await?;
            let records: Vec<_> = targets.into_iter().zip(latest).collect();
            let found = self.skipped_by((asset, &edge), edge.need, partitions, &records);
            skipped.extend(found.await?);
        }
        // A partition that needs several skipped ones is named once.
        let mut named = PartitionSet::empty();
        skipped.retain_mut(|input: &mut SkippedInput| {
            input.partitions -= &named;
            named |= &input.partitions;
            !input.partitions.is_empty()
        });
        Ok(skipped)
    }

    async fn load_input(
        &self,
        input: &InputSpec,
        records: &[(PartitionRef, Option<Latest>)],
    ) -> Result<(String, LoadedInput, Option<InputVersion>), LoadError> {
        let mut found = Vec::with_capacity(records.len());
        for (target, latest) in records {
            match latest.as_ref().and_then(|latest| latest.published()) {
                Some(made) => found.push(made),
                None if input.needs.missing_ok => {}
                None => return Err(not_materialized(target).into()),
            }
        }
        if !input.needs.many && found.len() > 1 {
            return Err(AssetError::terminal(format!(
                "parameter `{}` takes one partition of `{}`, and this partition is made from {}: \
                 take a list or a map, or give the dependency another partition mapping",
                input.name,
                input.asset,
                found.len(),
            ))
            .into());
        }
        // Loaded in the order of the partitions.
        let version = input_version(input, &found);
        let mut loads = Vec::with_capacity(found.len());
        for made in found {
            loads.push(self.load_part(made, &input.needs.request).boxed());
        }
        let parts = stream::iter(loads).buffered(AT_ONCE).try_collect().await?;
        let loaded = LoadedInput {
            asset: input.asset.clone(),
            parts,
        };
        Ok((input.name.clone(), loaded, version))
    }

    async fn load_part(
        &self,
        made: &Materialization,
        request: &LoadRequest,
    ) -> Result<LoadedPart, AssetError> {
        let target = &made.target;
        let Some(pointer) = &made.pointer else {
            return Err(AssetError::terminal(format!(
                "`{target}` was stored by its own function, so there is nothing to load: name the \
                 asset in `deps` instead of taking it as a parameter"
            )));
        };
        let graph = self.definitions.graph();
        let asset = graph.id(&target.asset);
        let name = asset.and_then(|asset| graph.asset(asset).io_manager.as_deref());
        let manager = self.io_managers().get(name).ok_or_else(|| {
            AssetError::terminal(format!("asset `{}` has no IO manager here", target.asset))
        })?;
        let address = Address {
            asset: target.asset.clone(),
            partition: target.partition.clone(),
            run: made.run,
            attempt: made.attempt,
        };
        let value = manager
            .load(&address, pointer, request)
            .await
            .map_err(|error| io_failure("load", target, &error))?;
        Ok(LoadedPart {
            partition: target.partition.clone(),
            value,
        })
    }

    /// Returns the upstream partitions that an input consists of, through the edge from an asset.
    fn input_partitions(
        &self,
        input: &InputSpec,
        asset: AssetId,
        edge: &Edge,
        partitions: &PartitionSet,
    ) -> Result<Vec<PartitionRef>, AssetError> {
        let refuse = |reason: String| AssetError::terminal(reason);
        let above = self
            .lineage()
            .to_upstream(asset, partitions, edge)
            .map_err(|invalid| refuse(invalid.to_string()))?;
        if let Some(key) = above.nonexistent.first() {
            return Err(refuse(format!(
                "partition `{key}` of `{}` does not exist, and parameter `{}` is made from it",
                input.asset, input.name
            )));
        }
        let targets = above.existing.iter();
        Ok(targets
            .filter_map(|ordinal| self.partition_ref(edge.asset, ordinal))
            .collect())
    }

    /// Returns the edge from an asset of a step to an input; for a check, from the checked asset.
    fn edge_to(&self, step: &Step, input: &InputSpec) -> Option<(AssetId, Edge)> {
        let graph = self.definitions.graph();
        let upstream = graph.id(&input.asset)?;
        // The edges of the assets come first: a check in the same step reads the same input through
        // the mapping of the asset.
        for asset in step.assets.iter().filter_map(|key| graph.id(key)) {
            if let Some(edge) = graph
                .upstream(asset)
                .iter()
                .find(|edge| edge.asset == upstream)
            {
                return Some((asset, edge.clone()));
            }
        }
        step.checks.iter().find_map(|key| {
            let check = graph.check(graph.check_id(key)?);
            let checked = graph.id(&key.asset)?;
            let mapping = if checked == upstream {
                PartitionMapping::Identity
            } else {
                let mut deps = check.additional_deps.iter();
                let dep = deps.find(|dep| dep.asset == input.asset)?;
                dep.mapping
                    .clone()
                    .unwrap_or_else(|| infer_mapping(graph, upstream, checked))
            };
            let edge = Edge {
                asset: upstream,
                mapping,
                need: DepNeed::default(),
            };
            Some((checked, edge))
        })
    }
}

fn infer_mapping(graph: &AssetGraph, upstream: AssetId, downstream: AssetId) -> PartitionMapping {
    PartitionMapping::infer(graph.partitions(upstream), graph.partitions(downstream))
}

fn not_materialized(target: &PartitionRef) -> AssetError {
    AssetError::terminal(format!(
        "`{target}` was never materialized: materialize it first, or select `{}` as well",
        target.asset
    ))
}

/// Returns the version of an input; `None` when none of its partitions is materialized.
fn input_version(input: &InputSpec, found: &[&Materialization]) -> Option<InputVersion> {
    let (scope, data_version) = match found {
        [] => return None,
        [only] => {
            let partition = only.target.partition.clone();
            let scope = partition.map_or(InputScope::Whole, InputScope::Partition);
            (scope, only.data_version.clone())
        }
        several => {
            let count = u64::try_from(several.len()).unwrap_or(u64::MAX);
            let versions = several.iter().map(|made| made.data_version.as_str());
            (InputScope::Partitions(count), combine_versions(versions))
        }
    };
    Some(InputVersion {
        asset: input.asset.clone(),
        scope,
        data_version,
    })
}

/// Converts an error of an IO manager to an error of the attempt, with its causes in the message.
pub(super) fn io_failure(verb: &str, target: &PartitionRef, error: &IoError) -> AssetError {
    let kind = match error {
        IoError::Unsupported { .. } => ErrorKind::Terminal,
        IoError::NotFound { .. } | IoError::Failed { .. } => ErrorKind::Retryable,
    };
    let mut message = format!("could not {verb} `{target}`: {error}");
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        message.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    AssetError::with_kind(kind, message)
}
