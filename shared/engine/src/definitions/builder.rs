//! [`DefinitionsBuilder`].

use std::{collections::BTreeMap, future::Future};

use precip_core::{
    graph::AssetGraph,
    spec::{AssetSpec, OpSpec},
};

use super::{
    check::{self, Sorted},
    registry, triggers,
};
use crate::{
    asset::AssetError,
    definitions::{
        Declaration, Declares, DefinitionError, Definitions, Environment, InvalidDefinition,
        InvalidDefinitions, OpDefinition, SourceLocation,
    },
    io::IoManager,
    settings::Settings,
};

/// The name of the only environment of a project that defines none.
const ONLY_ENVIRONMENT: &str = "local";

/// A builder of [`Definitions`]. Order does not matter, except that the first environment is the
/// default.
#[derive(Debug, Clone)]
#[must_use = "call `build` to get the definitions"]
pub struct DefinitionsBuilder {
    declarations: Vec<Declaration>,
    /// Resources and IO managers of every environment that does not define its own.
    base: Environment,
    environments: Vec<Environment>,
}

impl DefinitionsBuilder {
    pub(super) fn new() -> Self {
        Self {
            declarations: Vec::new(),
            base: Environment::new(""),
            environments: Vec::new(),
        }
    }

    /// Adds an op.
    pub fn op(self, op: OpDefinition) -> Self {
        self.declare([Declaration::from(op)])
    }

    /// Adds an external asset, which is produced outside the project. Assets can depend on it, and
    /// its producer can report its materializations.
    #[track_caller]
    pub fn external_asset(self, asset: AssetSpec) -> Self {
        let source = SourceLocation::here();
        self.declare([Declaration::External(Box::new(asset), source)])
    }

    /// Adds an asset by the marker type of its function: `.asset::<flights>()`. Works for assets,
    /// multi-assets (by the function's name) and external assets. Adds the data checks that are
    /// written at the asset, too.
    pub fn asset<D: Declares>(self) -> Self {
        self.declare(registry::declarations_of::<D>())
    }

    /// Adds a check by the marker type of its function: `.check::<not_empty>()`.
    pub fn check<D: Declares>(self) -> Self {
        self.declare(registry::declarations_of::<D>())
    }

    /// Adds a sensor by the marker type of its function: `.sensor::<landing_files>()`.
    pub fn sensor<D: Declares>(self) -> Self {
        self.declare(registry::declarations_of::<D>())
    }

    /// Adds a schedule by the marker type of its function: `.schedule::<nightly>()`.
    pub fn schedule<D: Declares>(self) -> Self {
        self.declare(registry::declarations_of::<D>())
    }

    /// Adds declarations. A declaration from a source location that was added before is ignored.
    pub fn declare(mut self, declarations: impl IntoIterator<Item = Declaration>) -> Self {
        self.declarations.extend(declarations);
        self
    }

    /// Adds everything that the macros declare in the crates of this binary.
    ///
    /// The linker drops a crate that nothing else in the binary refers to. Refer to it, as the
    /// sample project does by calling its own `definitions()`.
    pub fn discover(self) -> Self {
        self.declare(registry::registered_declarations())
    }

    /// Adds a resource to every environment that does not define this name.
    pub fn resource<T: Send + Sync + 'static>(mut self, name: impl Into<String>, value: T) -> Self {
        self.base = self.base.resource(name, value);
        self
    }

    /// Adds a resource created from settings to every environment that does not define this name.
    pub fn resource_from<T, S, F, Fut>(
        mut self,
        name: impl Into<String>,
        settings: S,
        make: F,
    ) -> Self
    where
        T: Send + Sync + 'static,
        S: Settings,
        F: Fn(S::Values) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<T, AssetError>> + Send + 'static,
    {
        self.base = self.base.resource_from(name, settings, make);
        self
    }

    /// Adds an IO manager to every environment that does not define this name.
    pub fn io_manager(
        mut self,
        name: impl Into<String>,
        manager: impl IoManager + 'static,
    ) -> Self {
        self.base = self.base.io_manager(name, manager);
        self
    }

    /// Adds an IO manager created from settings to every environment that does not define this
    /// name.
    pub fn io_manager_from<M, S, F, Fut>(
        mut self,
        name: impl Into<String>,
        settings: S,
        make: F,
    ) -> Self
    where
        M: IoManager + 'static,
        S: Settings,
        F: Fn(S::Values) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<M, AssetError>> + Send + 'static,
    {
        self.base = self.base.io_manager_from(name, settings, make);
        self
    }

    /// Adds an environment. A project without any has one named `local`.
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environments.push(environment);
        self
    }

    /// Validates all declarations together.
    ///
    /// # Errors
    /// [`InvalidDefinitions`], which lists every problem with the location of its declaration.
    pub fn build(self) -> Result<Definitions, InvalidDefinitions> {
        let mut problems = Vec::new();
        let Sorted {
            ops,
            external,
            sensors,
            schedules,
        } = check::sort_declarations(self.declarations, &mut problems);
        let environments = collect_environments(self.base, self.environments, &mut problems);
        for op in ops.values() {
            check::check_op_inputs(op, &mut problems);
            for environment in &environments {
                check::check_op_needs(op, environment, &mut problems);
            }
        }
        for environment in &environments {
            triggers::check_trigger_needs(&sensors, &schedules, environment, &mut problems);
        }
        // Every check runs even after a failure, so that one build reports all problems.
        let specs: Vec<OpSpec> = ops.values().map(|op| op.spec.clone()).collect();
        let assets = external.iter().map(|(spec, _)| spec.clone()).collect();
        let graph = AssetGraph::new(specs, assets).map_err(|invalid| {
            problems.extend(invalid.errors().iter().map(|problem| DefinitionError {
                source: check::declaration_site(problem, &ops, &external),
                problem: InvalidDefinition::Graph(problem.clone()),
            }));
        });
        if let Ok(graph) = &graph {
            triggers::check_triggers(graph, &sensors, &schedules, &mut problems);
        }
        match graph {
            Ok(graph) if problems.is_empty() => Ok(Definitions {
                graph,
                ops,
                sensors,
                schedules,
                environments,
            }),
            _ => {
                problems.sort_by_key(|problem| problem.source);
                Err(InvalidDefinitions { problems })
            }
        }
    }
}

fn collect_environments(
    base: Environment,
    given: Vec<Environment>,
    problems: &mut Vec<DefinitionError>,
) -> Vec<Environment> {
    let given = if given.is_empty() {
        vec![Environment::new(ONLY_ENVIRONMENT)]
    } else {
        given
    };
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut refuse = |problem| {
        problems.push(DefinitionError {
            source: None,
            problem,
        });
    };
    for what in &base.repeated {
        refuse(InvalidDefinition::Repeated {
            environment: "every".to_owned(),
            what: what.clone(),
        });
    }
    for environment in &given {
        let name = environment.name();
        let named_well = !name.is_empty()
            && name
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if !named_well {
            refuse(InvalidDefinition::EnvironmentName {
                name: name.to_owned(),
            });
        }
        let times = seen.entry(name.to_owned()).or_default();
        // Report a name once, even if it is used three times.
        *times += 1;
        if *times == 2 {
            refuse(InvalidDefinition::Repeated {
                environment: name.to_owned(),
                what: "its name".to_owned(),
            });
        }
        for what in &environment.repeated {
            refuse(InvalidDefinition::Repeated {
                environment: name.to_owned(),
                what: what.clone(),
            });
        }
    }
    given
        .into_iter()
        .map(|own| own.with_defaults_from(&base))
        .collect()
}
