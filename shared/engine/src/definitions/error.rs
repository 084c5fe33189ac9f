//! Errors of definitions.

use std::fmt;

use precip_core::{
    graph::GraphError,
    prose::{and_list, suggest},
    trigger::InvalidTrigger,
};

use crate::definitions::SourceLocation;

/// All problems of a project's definitions, reported together.
#[derive(Debug, Clone, PartialEq)]
pub struct InvalidDefinitions {
    pub(super) problems: Vec<DefinitionError>,
}

impl InvalidDefinitions {
    /// Returns the problems, at least one, by location.
    pub fn problems(&self) -> &[DefinitionError] {
        &self.problems
    }
}

impl fmt::Display for InvalidDefinitions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problems.len() {
            1 => f.write_str("the definitions have a problem:")?,
            count => write!(f, "the definitions have {count} problems:")?,
        }
        self.problems
            .iter()
            .try_for_each(|problem| write!(f, "\n- {problem}"))
    }
}

impl std::error::Error for InvalidDefinitions {}

/// A problem and the location of its declaration.
#[derive(Debug, Clone, PartialEq)]
pub struct DefinitionError {
    /// The location; `None` for a problem of no single declaration.
    pub source: Option<SourceLocation>,
    /// The problem.
    pub problem: InvalidDefinition,
}

impl fmt::Display for DefinitionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Some(source) => write!(f, "{source}: {}", self.problem),
            None => self.problem.fmt(f),
        }
    }
}

/// A problem of definitions.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidDefinition {
    /// The declarations do not form a graph.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// Two declarations have one name.
    #[error("{what} is declared already, at {first}: rename one of them")]
    Duplicate {
        /// The declared item, such as ``asset `raw/flights` ``.
        what: String,
        /// The location of the first declaration.
        first: SourceLocation,
    },
    /// A declaration cannot be used.
    #[error("`{name}`: {reason}")]
    Declaration {
        /// The name of the declared item.
        name: String,
        /// The reason.
        reason: String,
    },
    /// A parameter takes the data of an asset that the op does not depend on.
    #[error(
        "op `{op}` takes `{asset}` as parameter `{parameter}` and does not depend on it: add it to \
         its `deps`"
    )]
    InputWithoutDep {
        /// The op.
        op: String,
        /// The parameter.
        parameter: String,
        /// The asset.
        asset: String,
    },
    /// An environment does not provide a resource that an op takes.
    #[error(
        "{who} takes resource `{resource}`, which environment `{environment}` does not \
         provide: {}", suggest_provider(.nearest, .resource, "resource")
    )]
    MissingResource {
        /// The item that takes it, such as ``op `flights` ``.
        who: String,
        /// The resource.
        resource: String,
        /// The environment.
        environment: String,
        /// Existing resources with similar names.
        nearest: Vec<String>,
    },
    /// An environment provides a resource of another type.
    #[error(
        "{who} takes resource `{resource}` as `{wanted}`, and environment `{environment}` \
         provides a `{given}`"
    )]
    ResourceType {
        /// The item that takes it, such as ``op `flights` ``.
        who: String,
        /// The resource.
        resource: String,
        /// The environment.
        environment: String,
        /// The type of the parameter.
        wanted: String,
        /// The provided type.
        given: String,
    },
    /// An environment does not define an asset's IO manager.
    #[error(
        "asset `{asset}` is stored by IO manager `{io_manager}`, which environment \
         `{environment}` does not have: {}", suggest_provider(.nearest, .io_manager, "io_manager")
    )]
    MissingIoManager {
        /// The asset.
        asset: String,
        /// The IO manager.
        io_manager: String,
        /// The environment.
        environment: String,
        /// Existing IO managers with similar names.
        nearest: Vec<String>,
    },
    /// A sensor or schedule does not fit the project.
    #[error("{who}: {problem}")]
    Trigger {
        /// The trigger, such as ``sensor `landing` ``.
        who: String,
        /// The problem.
        problem: InvalidTrigger,
    },
    /// Two environments have one name, or one environment defines a name twice.
    #[error("environment `{environment}` has {what} twice: keep one")]
    Repeated {
        /// The environment.
        environment: String,
        /// The repeated item.
        what: String,
    },
    /// An environment's name cannot be typed on the command line.
    #[error(
        "`{name}` cannot be the name of an environment: write lower-case ASCII letters, digits and \
         `-`, like `prod`"
    )]
    EnvironmentName {
        /// The name.
        name: String,
    },
}

fn suggest_provider(nearest: &[String], name: &str, method: &str) -> String {
    suggest(nearest).unwrap_or_else(|| format!("give it with `.{method}(\"{name}\", ..)`"))
}

/// An environment name that the project does not define.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no environment `{name}`: the project has {}", and_list(.known))]
pub struct UnknownEnvironment {
    /// The requested name.
    pub name: String,
    /// The environments of the project.
    pub known: Vec<String>,
}
