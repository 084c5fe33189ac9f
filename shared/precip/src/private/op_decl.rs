//! [`OpDecl`]: one op while it is declared.

use std::{num::NonZeroU32, sync::Arc};

use precip_core::{
    key::CheckKey,
    mapping::PartitionMapping,
    partitions::PartitionsDefinition,
    spec::{BackfillPolicy, BinaryName, CheckSpec, ComputeProfile, DepSpec, OpSpec, RetryPolicy},
};
use precip_engine::{
    asset::{Asset, ConfigSpec, Execution, FnBody, InputSpec, ResourceNeed, RunFn},
    definitions::{Declaration, OpDefinition, SourceLocation},
};
use precip_io::LoadFrom;

use super::{asset_decl::AssetDecl, partitions::IntoPartitions};

/// One op while it is declared: an asset, a multi-asset, or a check.
#[derive(Debug)]
pub struct OpDecl {
    spec: OpSpec,
    assets: Vec<AssetDecl>,
    /// The assets, by place, that say themselves what they are made from.
    own_deps: Vec<usize>,
    /// What all the others are made from.
    deps: Vec<DepSpec>,
    partitions: Option<Arc<PartitionsDefinition>>,
    inputs: Vec<InputSpec>,
    resources: Vec<ResourceNeed>,
    config: Option<ConfigSpec>,
    execution: Execution,
    source: SourceLocation,
    run: RunFn,
    problems: Vec<String>,
}

impl OpDecl {
    pub fn new(name: &str, source: SourceLocation, execution: Execution, run: RunFn) -> Self {
        Self::of(OpSpec::new(name, Vec::new()), source, execution, run)
    }

    pub fn check<A: Asset>(
        name: &str,
        source: SourceLocation,
        execution: Execution,
        run: RunFn,
    ) -> Self {
        let key = CheckKey {
            asset: A::key(),
            name: name.to_owned(),
        };
        Self::of(OpSpec::check(CheckSpec::new(key)), source, execution, run)
    }

    fn of(spec: OpSpec, source: SourceLocation, execution: Execution, run: RunFn) -> Self {
        Self {
            spec,
            assets: Vec::new(),
            own_deps: Vec::new(),
            deps: Vec::new(),
            partitions: None,
            inputs: Vec::new(),
            resources: Vec::new(),
            config: None,
            execution,
            source,
            run,
            problems: Vec::new(),
        }
    }

    pub fn asset(mut self, asset: AssetDecl) -> Self {
        self.assets.push(asset);
        self
    }

    pub fn asset_with_own_deps(mut self, asset: AssetDecl) -> Self {
        self.own_deps.push(self.assets.len());
        self.asset(asset)
    }

    pub fn dep<A: Asset>(mut self, mapping: Option<PartitionMapping>) -> Self {
        self.deps.push(DepSpec {
            asset: A::key(),
            mapping,
        });
        self
    }

    pub fn input<A: Asset, P: LoadFrom<A::Data>>(
        mut self,
        name: &str,
        mapping: Option<PartitionMapping>,
    ) -> Self {
        self.inputs.push(InputSpec {
            name: name.to_owned(),
            asset: A::key(),
            needs: P::needs(),
        });
        self.dep::<A>(mapping)
    }

    pub fn resource<T: ?Sized + 'static>(mut self, name: &str) -> Self {
        self.resources.push(ResourceNeed::of::<T>(name));
        self
    }

    pub fn config(mut self, config: ConfigSpec, schema: Option<serde_json::Value>) -> Self {
        self.config = Some(config.with_schema(schema));
        self
    }

    pub fn partitions<P: IntoPartitions + ?Sized>(mut self, definition: &P) -> Self {
        match definition.to_partitions() {
            Ok(definition) => self.partitions = Some(definition),
            Err(problem) => self.problems.push(problem),
        }
        self
    }

    pub fn can_subset(mut self) -> Self {
        self.spec.can_subset = true;
        self
    }

    pub fn backfill(mut self, policy: BackfillPolicy) -> Self {
        self.spec.backfill = policy;
        self
    }

    pub fn backfill_at_most(self, partitions: u32) -> Self {
        let most = NonZeroU32::new(partitions).unwrap_or(NonZeroU32::MIN);
        self.backfill(BackfillPolicy::MultiRun(most))
    }

    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.spec.retry = Some(policy);
        self
    }

    pub fn pool(mut self, name: &str) -> Self {
        self.spec.pool = Some(name.to_owned());
        self
    }

    pub fn compute(mut self, profile: ComputeProfile) -> Self {
        self.spec.compute = profile;
        self
    }

    pub fn binary(mut self, name: &str) -> Self {
        // The macro has seen that it is one.
        self.spec.compute.binary = BinaryName::new(name).ok();
        self
    }

    pub fn blocking(mut self) -> Self {
        for check in &mut self.spec.checks {
            check.blocking = true;
        }
        self
    }

    pub fn description(mut self, text: &str) -> Self {
        for check in &mut self.spec.checks {
            check.description = Some(text.to_owned());
        }
        self
    }

    pub fn declare(mut self) -> Declaration {
        for (place, mut asset) in std::mem::take(&mut self.assets).into_iter().enumerate() {
            if !self.own_deps.contains(&place) {
                let own = std::mem::take(&mut asset.spec.deps);
                for dep in self.deps.iter().cloned().chain(own) {
                    asset.add_dep(dep);
                }
            }
            asset.spec.partitions.clone_from(&self.partitions);
            self.problems.append(&mut asset.problems);
            self.spec.checks.append(&mut asset.checks);
            self.spec.assets.push(asset.spec);
        }
        if self.spec.assets.is_empty() {
            self.read_by_checks();
        }
        if !self.problems.is_empty() {
            return Declaration::Invalid {
                name: self.spec.name,
                reason: self.problems.join("; "),
                source: self.source,
            };
        }
        Declaration::from(OpDefinition {
            spec: self.spec,
            inputs: self.inputs,
            resources: self.resources,
            config: self.config,
            execution: self.execution,
            recalls: false,
            source: self.source,
            body: Arc::new(FnBody(self.run)),
        })
    }

    /// What a check takes beside its asset is what it depends on besides.
    fn read_by_checks(&mut self) {
        for check in &mut self.spec.checks {
            for dep in &self.deps {
                let own = dep.asset == check.key.asset && dep.mapping.is_none();
                if !own && !check.additional_deps.contains(dep) {
                    check.additional_deps.push(dep.clone());
                }
            }
        }
    }
}
