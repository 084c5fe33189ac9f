//! [`AssetDecl`]: one asset while it is declared.

use std::{fmt::Display, str::FromStr};

use precip_core::{
    automation::AutomationCondition,
    key::CheckKey,
    mapping::PartitionMapping,
    metadata::MetadataValue,
    spec::{AssetSpec, CheckSpec, DepSpec},
};
use precip_engine::{
    asset::Asset,
    definitions::{Declaration, SourceLocation},
};

use super::{freshness::IntoFreshness, partitions::IntoPartitions};

/// One asset while it is declared. The macros have validated every string; a string that a later
/// version of the core refuses is reported when definitions are built.
#[derive(Debug)]
pub struct AssetDecl {
    pub(super) spec: AssetSpec,
    pub(super) checks: Vec<CheckSpec>,
    pub(super) problems: Vec<String>,
}

impl AssetDecl {
    pub fn new<A: Asset>() -> Self {
        Self {
            spec: AssetSpec::new(A::key()),
            checks: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// Parses a string, or records why it is invalid.
    fn parse<T: FromStr<Err: Display>>(&mut self, text: &str) -> Option<T> {
        text.parse()
            .map_err(|error: T::Err| self.problems.push(error.to_string()))
            .ok()
    }

    pub fn description(mut self, text: &str) -> Self {
        self.spec.description = Some(text.to_owned());
        self
    }

    pub fn group(mut self, name: &str) -> Self {
        if let Some(group) = self.parse(name) {
            self.spec.group = group;
        }
        self
    }

    pub fn code_version(mut self, version: &str) -> Self {
        self.spec.code_version = Some(version.to_owned());
        self
    }

    pub fn io_manager(mut self, name: &str) -> Self {
        self.spec.io_manager = Some(name.to_owned());
        self
    }

    pub fn add_owner(mut self, owner: &str) -> Self {
        let parsed = self.parse(owner);
        self.spec.owners.extend(parsed);
        self
    }

    pub fn add_kind(mut self, kind: &str) -> Self {
        let parsed = self.parse(kind);
        self.spec.kinds.extend(parsed);
        self
    }

    pub fn add_tag(mut self, name: &str, value: &str) -> Self {
        if let (Some(name), Some(value)) = (self.parse(name), self.parse(value)) {
            self.spec.tags.insert(name, value);
        }
        self
    }

    pub fn add_metadata(mut self, name: &str, value: impl Into<MetadataValue>) -> Self {
        self.spec.metadata.insert(name.to_owned(), value.into());
        self
    }

    pub fn add_dep<A: Asset>(mut self, mapping: Option<PartitionMapping>) -> Self {
        self.push_dep(DepSpec::new(A::key()).with_mapping(mapping));
        self
    }

    /// Adds a dependency, unless it is declared already.
    pub(super) fn push_dep(&mut self, dep: DepSpec) {
        if !self.spec.deps.contains(&dep) {
            self.spec.deps.push(dep);
        }
    }

    pub fn add_check(mut self, name: &str, blocking: bool, description: Option<&str>) -> Self {
        let key = CheckKey {
            asset: self.spec.key.clone(),
            name: name.to_owned(),
        };
        self.checks.push(CheckSpec {
            blocking,
            description: description.map(str::to_owned),
            ..CheckSpec::new(key)
        });
        self
    }

    pub fn freshness_policy<F: IntoFreshness>(mut self, policy: &F) -> Self {
        match policy.to_freshness() {
            Ok(policy) => self.spec.freshness = Some(policy),
            Err(problem) => self.problems.push(problem),
        }
        self
    }

    pub fn automation_condition(mut self, condition: AutomationCondition) -> Self {
        self.spec.automation = Some(condition);
        self
    }

    pub fn partitions<P: IntoPartitions + ?Sized>(mut self, definition: &P) -> Self {
        match definition.to_partitions() {
            Ok(definition) => self.spec.partitions = Some(definition),
            Err(problem) => self.problems.push(problem),
        }
        self
    }

    pub fn declare_external(self, source: SourceLocation) -> Declaration {
        if self.problems.is_empty() {
            Declaration::External(Box::new(self.spec), source)
        } else {
            Declaration::Invalid {
                name: self.spec.key.to_string(),
                reason: self.problems.join("; "),
                source,
            }
        }
    }
}
