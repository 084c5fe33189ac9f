//! What can be wrong with definitions.

use std::fmt;

use precip_core::{graph::GraphProblem, nearest::or_list, trigger::InvalidTrigger};

use crate::definitions::SourceLocation;

/// Everything that is wrong with a project's definitions, so that all can be mended at once.
#[derive(Debug, Clone, PartialEq)]
pub struct InvalidDefinitions {
    pub(super) problems: Vec<DefinitionProblem>,
}

impl InvalidDefinitions {
    /// What is wrong: at least one problem, by place.
    pub fn problems(&self) -> &[DefinitionProblem] {
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

/// One thing that is wrong, and where it is declared.
#[derive(Debug, Clone, PartialEq)]
pub struct DefinitionProblem {
    /// Where; `None` for what belongs to no one declaration.
    pub source: Option<SourceLocation>,
    /// What.
    pub problem: Problem,
}

impl fmt::Display for DefinitionProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Some(source) => write!(f, "{source}: {}", self.problem),
            None => self.problem.fmt(f),
        }
    }
}

/// One thing that can be wrong with definitions.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The declarations do not make a graph.
    #[error(transparent)]
    Graph(#[from] GraphProblem),
    /// Two declarations have one name.
    #[error("{what} is declared already, at {first}: rename one of them")]
    Duplicate {
        /// What, such as ``asset `raw/flights` ``.
        what: String,
        /// Where it is declared first.
        first: SourceLocation,
    },
    /// A declaration cannot be used.
    #[error("`{name}`: {reason}")]
    Declaration {
        /// What was to be declared.
        name: String,
        /// Why not.
        reason: String,
    },
    /// A parameter takes data of an asset that the op does not depend on.
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
         provide: {}", give(.nearest, .resource, "resource")
    )]
    MissingResource {
        /// Who takes it, such as ``op `flights` ``.
        who: String,
        /// The resource.
        resource: String,
        /// The environment.
        environment: String,
        /// Resources that are there and have a similar name.
        nearest: Vec<String>,
    },
    /// An environment provides a resource of another type.
    #[error(
        "{who} takes resource `{resource}` as `{wanted}`, and environment `{environment}` \
         provides a `{given}`"
    )]
    ResourceType {
        /// Who takes it, such as ``op `flights` ``.
        who: String,
        /// The resource.
        resource: String,
        /// The environment.
        environment: String,
        /// The type of the parameter.
        wanted: String,
        /// The type that is provided.
        given: String,
    },
    /// An environment has no IO manager of the name that an asset gives.
    #[error(
        "asset `{asset}` is stored by IO manager `{io_manager}`, which environment \
         `{environment}` does not have: {}", give(.nearest, .io_manager, "io_manager")
    )]
    MissingIoManager {
        /// The asset.
        asset: String,
        /// The IO manager.
        io_manager: String,
        /// The environment.
        environment: String,
        /// IO managers that are there and have a similar name.
        nearest: Vec<String>,
    },
    /// A sensor or schedule does not fit the project.
    #[error("{who}: {problem}")]
    Trigger {
        /// Which, such as ``sensor `landing` ``.
        who: String,
        /// What is wrong.
        problem: InvalidTrigger,
    },
    /// Two environments have one name, or one gives a name twice.
    #[error("environment `{environment}` has {what} twice: keep one")]
    Repeated {
        /// The environment.
        environment: String,
        /// What.
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

fn give(nearest: &[String], name: &str, method: &str) -> String {
    if nearest.is_empty() {
        format!("give it with `.{method}(\"{name}\", ..)`")
    } else {
        format!("did you mean {}?", or_list(nearest))
    }
}

/// A name that is no environment's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no environment `{name}`: the project has {}", or_list(.known).replace(" or ", " and "))]
pub struct UnknownEnvironment {
    /// What was asked for.
    pub name: String,
    /// The environments that there are.
    pub known: Vec<String>,
}
