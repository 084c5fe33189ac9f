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

/// One asset while it is declared. The macros have checked every text; one that a later version of
/// the core refuses is reported with the definitions.
#[derive(Debug)]
pub struct AssetDecl {
    pub(super) spec: AssetSpec,
    pub(super) checks: Vec<CheckSpec>,
    pub(super) problems: Vec<String>,
}

impl AssetDecl {
    pub fn of<A: Asset>() -> Self {
        Self {
            spec: AssetSpec::new(A::key()),
            checks: Vec::new(),
            problems: Vec::new(),
        }
    }

    fn read<T: FromStr<Err: Display>>(&mut self, text: &str) -> Option<T> {
        let read = text.parse().map_err(|error: T::Err| error.to_string());
        read.map_err(|problem| self.problems.push(problem)).ok()
    }

    pub fn description(mut self, text: &str) -> Self {
        self.spec.description = Some(text.to_owned());
        self
    }

    pub fn group(mut self, name: &str) -> Self {
        if let Some(group) = self.read(name) {
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

    pub fn owner(mut self, owner: &str) -> Self {
        let owner = self.read(owner);
        self.spec.owners.extend(owner);
        self
    }

    pub fn kind(mut self, kind: &str) -> Self {
        let kind = self.read(kind);
        self.spec.kinds.extend(kind);
        self
    }

    pub fn tag(mut self, name: &str, value: &str) -> Self {
        if let (Some(name), Some(value)) = (self.read(name), self.read(value)) {
            self.spec.tags.insert(name, value);
        }
        self
    }

    pub fn metadata(mut self, name: &str, value: impl Into<MetadataValue>) -> Self {
        self.spec.metadata.insert(name.to_owned(), value.into());
        self
    }

    pub fn dep<A: Asset>(mut self, mapping: Option<PartitionMapping>) -> Self {
        let dep = DepSpec {
            asset: A::key(),
            mapping,
        };
        self.add_dep(dep);
        self
    }

    /// Adds a dependency. The same one again changes nothing.
    pub(super) fn add_dep(&mut self, dep: DepSpec) {
        if !self.spec.deps.contains(&dep) {
            self.spec.deps.push(dep);
        }
    }

    pub fn check(mut self, name: &str, blocking: bool, description: Option<&str>) -> Self {
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

    pub fn freshness<F: IntoFreshness>(mut self, policy: &F) -> Self {
        match policy.to_freshness() {
            Ok(policy) => self.spec.freshness = Some(policy),
            Err(problem) => self.problems.push(problem),
        }
        self
    }

    pub fn automation(mut self, condition: AutomationCondition) -> Self {
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
