//! Putting definitions together.

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
        Declaration, Declares, DefinitionProblem, Definitions, Environment, InvalidDefinitions,
        OpDefinition, Problem, SourceLocation,
    },
    io::IoManager,
    settings::Settings,
};

/// The name of the environment of a project that gives none.
const ONLY_ENVIRONMENT: &str = "local";

/// Collects what a project declares. Order does not matter, except that the first environment is the
/// one that is used when none is named.
#[derive(Debug, Clone)]
#[must_use = "call `build` to get the definitions"]
pub struct DefinitionsBuilder {
    declarations: Vec<Declaration>,
    /// What every environment has unless it has its own.
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

    /// Adds an asset that something else makes: others can depend on it, and what makes it can
    /// report that it did.
    #[track_caller]
    pub fn external_asset(self, asset: AssetSpec) -> Self {
        let source = SourceLocation::here();
        self.declare([Declaration::External(Box::new(asset), source)])
    }

    /// Adds what a macro declared, by the type beside the function: `.asset::<flights>()`. Serves for
    /// assets, multi-assets (by the function's name) and external assets. The checks over its data that stand at
    /// an asset are added with it.
    pub fn asset<D: Declares>(self) -> Self {
        self.declare(registry::declared::<D>())
    }

    /// Adds a check by the type beside its function: `.check::<not_empty>()`.
    pub fn check<D: Declares>(self) -> Self {
        self.declare(registry::declared::<D>())
    }

    /// Adds a sensor by the type beside its function: `.sensor::<landing_files>()`.
    pub fn sensor<D: Declares>(self) -> Self {
        self.declare(registry::declared::<D>())
    }

    /// Adds a schedule by the type beside its function: `.schedule::<nightly>()`.
    pub fn schedule<D: Declares>(self) -> Self {
        self.declare(registry::declared::<D>())
    }

    /// Adds declarations. One that is there already, from the same place, is not added again.
    pub fn declare(mut self, declarations: impl IntoIterator<Item = Declaration>) -> Self {
        self.declarations.extend(declarations);
        self
    }

    /// Adds everything that `#[asset]` and its sisters declare in the crates of this binary.
    ///
    /// A crate that nothing else of the binary refers to is left out by the linker: name it, as the
    /// sample project does by calling its own `definitions()`.
    pub fn discover(self) -> Self {
        self.declare(registry::registered())
    }

    /// Adds a resource to every environment that has none of this name.
    pub fn resource<T: Send + Sync + 'static>(mut self, name: impl Into<String>, value: T) -> Self {
        self.base = self.base.resource(name, value);
        self
    }

    /// Adds a resource made from settings to every environment that has none of this name.
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

    /// Adds an IO manager to every environment that has none of this name.
    pub fn io_manager(
        mut self,
        name: impl Into<String>,
        manager: impl IoManager + 'static,
    ) -> Self {
        self.base = self.base.io_manager(name, manager);
        self
    }

    /// Adds an IO manager made from settings to every environment that has none of this name.
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

    /// Adds an environment. A project that adds none has one, `local`.
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environments.push(environment);
        self
    }

    /// Puts everything together and checks it.
    ///
    /// # Errors
    /// [`InvalidDefinitions`]: everything that is wrong, each with the place of its declaration.
    pub fn build(self) -> Result<Definitions, InvalidDefinitions> {
        let mut problems = Vec::new();
        let Sorted {
            ops,
            external,
            sensors,
            schedules,
        } = check::sort(self.declarations, &mut problems);
        let environments = environments(self.base, self.environments, &mut problems);
        for op in ops.values() {
            check::inputs(op, &mut problems);
            for environment in &environments {
                check::needs(op, environment, &mut problems);
            }
        }
        for environment in &environments {
            triggers::needs(&sensors, &schedules, environment, &mut problems);
        }
        let specs: Vec<OpSpec> = ops.values().map(|op| op.spec.clone()).collect();
        let assets = external.iter().map(|(spec, _)| spec.clone()).collect();
        let graph = AssetGraph::new(specs, assets).map_err(|invalid| {
            problems.extend(invalid.problems().iter().map(|problem| DefinitionProblem {
                source: check::place(problem, &ops, &external),
                problem: Problem::Graph(problem.clone()),
            }));
        });
        if let Ok(graph) = &graph {
            triggers::check(graph, &sensors, &schedules, &mut problems);
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

fn environments(
    base: Environment,
    given: Vec<Environment>,
    problems: &mut Vec<DefinitionProblem>,
) -> Vec<Environment> {
    let given = if given.is_empty() {
        vec![Environment::new(ONLY_ENVIRONMENT)]
    } else {
        given
    };
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut refuse = |problem| {
        problems.push(DefinitionProblem {
            source: None,
            problem,
        });
    };
    for what in &base.repeated {
        refuse(Problem::Repeated {
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
            refuse(Problem::EnvironmentName {
                name: name.to_owned(),
            });
        }
        let times = seen.entry(name.to_owned()).or_default();
        *times += 1;
        if *times == 2 {
            refuse(Problem::Repeated {
                environment: name.to_owned(),
                what: "its name".to_owned(),
            });
        }
        for what in &environment.repeated {
            refuse(Problem::Repeated {
                environment: name.to_owned(),
                what: what.clone(),
            });
        }
    }
    given.into_iter().map(|own| own.or(&base)).collect()
}
