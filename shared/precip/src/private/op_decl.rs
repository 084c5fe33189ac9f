//! [`OpDecl`]: one op while it is declared.

use std::{num::NonZeroU32, sync::Arc};

use precip_core::{
    key::{AssetKey, CheckKey},
    mapping::PartitionMapping,
    metadata::TableSchema,
    partitions::PartitionsDefinition,
    prose::{and_list, did_you_mean},
    spec::{BackfillPolicy, BinaryName, CheckSpec, ComputeProfile, DepSpec, OpSpec, RetryPolicy},
};
use precip_engine::{
    asset::{Asset, ConfigSpec, Execution, FnBody, InputSpec, ResourceNeed, RunFn},
    definitions::{Declaration, OpDefinition, SourceLocation},
    io::LoadRequest,
};
use precip_io::LoadFrom;

use super::{asset_decl::AssetDecl, partitions::IntoPartitions};

/// One op while it is declared: an asset, a multi-asset, or a check.
#[derive(Debug)]
pub struct OpDecl {
    spec: OpSpec,
    assets: Vec<AssetDecl>,
    /// The indices of the assets with dependencies of their own.
    own_deps: Vec<usize>,
    /// The dependencies of all other assets.
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
        Self::with_spec(OpSpec::new(name, Vec::new()), source, execution, run)
    }

    pub fn new_check<A: Asset>(
        name: &str,
        source: SourceLocation,
        execution: Execution,
        run: RunFn,
    ) -> Self {
        let key = CheckKey {
            asset: A::key(),
            name: name.to_owned(),
        };
        Self::with_spec(OpSpec::check(CheckSpec::new(key)), source, execution, run)
    }

    fn with_spec(spec: OpSpec, source: SourceLocation, execution: Execution, run: RunFn) -> Self {
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

    pub fn add_asset(mut self, asset: AssetDecl) -> Self {
        self.assets.push(asset);
        self
    }

    pub fn add_asset_with_own_deps(mut self, asset: AssetDecl) -> Self {
        self.own_deps.push(self.assets.len());
        self.add_asset(asset)
    }

    pub fn add_dep<A: Asset>(mut self, mapping: Option<PartitionMapping>) -> Self {
        self.deps.push(DepSpec::new(A::key()).with_mapping(mapping));
        self
    }

    pub fn add_input<A: Asset, P: LoadFrom<A::Data>>(
        mut self,
        name: &str,
        mapping: Option<PartitionMapping>,
    ) -> Self {
        let mut needs = P::needs();
        if let Some(columns) = P::upstream_columns() {
            self.problems
                .extend(unknown_fields(name, &A::key(), &needs.request, &columns));
            let names = columns.columns.into_iter().map(|column| column.name);
            needs.request.declared_columns = Some(names.collect());
        }
        self.inputs.push(InputSpec {
            name: name.to_owned(),
            asset: A::key(),
            needs,
        });
        self.add_dep::<A>(mapping)
    }

    pub fn add_resource<T: ?Sized + 'static>(mut self, name: &str) -> Self {
        self.resources.push(ResourceNeed::for_type::<T>(name));
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

    pub fn backfill_policy(mut self, policy: BackfillPolicy) -> Self {
        self.spec.backfill = policy;
        self
    }

    pub fn backfill_at_most(self, partitions: u32) -> Self {
        let most = NonZeroU32::new(partitions).unwrap_or(NonZeroU32::MIN);
        self.backfill_policy(BackfillPolicy::MultiRun(most))
    }

    pub fn retry_policy(mut self, policy: RetryPolicy) -> Self {
        self.spec.retry = Some(policy);
        self
    }

    pub fn pool_name(mut self, name: &str) -> Self {
        self.spec.pool = Some(name.to_owned());
        self
    }

    pub fn compute_profile(mut self, profile: ComputeProfile) -> Self {
        self.spec.compute = profile;
        self
    }

    pub fn binary_name(mut self, name: &str) -> Self {
        // The macro has validated the name.
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

    pub fn into_declaration(mut self) -> Declaration {
        // Dependencies of the op belong to all its assets but those that have their own.
        for (index, mut asset) in std::mem::take(&mut self.assets).into_iter().enumerate() {
            if !self.own_deps.contains(&index) {
                // Dependencies of the op come first, in the order of its parameters.
                let own = std::mem::take(&mut asset.spec.deps);
                for dep in self.deps.iter().cloned().chain(own) {
                    asset.push_dep(dep);
                }
            }
            // All assets of an op have the op's partitions.
            asset.spec.partitions.clone_from(&self.partitions);
            self.problems.append(&mut asset.problems);
            self.spec.checks.append(&mut asset.checks);
            self.spec.assets.push(asset.spec);
        }
        // An op without assets is a check.
        if self.spec.assets.is_empty() {
            self.add_deps_of_checks();
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
            reads_previous_checks: false,
            source: self.source,
            body: Arc::new(FnBody(self.run)),
        })
    }

    /// Turns the parameters of a check, other than its own asset, into additional dependencies.
    fn add_deps_of_checks(&mut self) {
        for check in &mut self.spec.checks {
            for dep in &self.deps {
                // The checked asset is a dependency anyway; with a mapping it is one more.
                let own = dep.asset == check.key.asset && dep.mapping.is_none();
                if !own && !check.additional_deps.contains(dep) {
                    check.additional_deps.push(dep.clone());
                }
            }
        }
    }
}

/// Returns a problem if a parameter reads optional fields that the upstream asset's rows do not have: they would be
/// empty in every row. A field that is not optional may have a default; without one, loading fails.
fn unknown_fields(
    parameter: &str,
    upstream: &AssetKey,
    request: &LoadRequest,
    columns: &TableSchema,
) -> Option<String> {
    let has = |name: &str| columns.columns.iter().any(|column| column.name == name);
    let fields = request.columns.iter().flat_map(|fields| &fields.columns);
    let unknown: Vec<&str> = fields
        .filter(|field| field.nullable && !has(&field.name))
        .map(|field| field.name.as_str())
        .collect();
    let first = unknown.first()?;
    let known: Vec<&str> = columns
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .collect();
    let advice = match did_you_mean(first, known.iter().copied()) {
        Some(question) => format!(": {question}"),
        None => String::new(),
    };
    Some(format!(
        "its parameter `{parameter}` reads the fields {} of `{upstream}`, whose rows have only {}{advice}",
        and_list(&unknown),
        and_list(&known)
    ))
}
