//! [`SynthError`].

use precip_core::prose::or_list;

/// The reason why a project cannot be deployed as declared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SynthError {
    /// The project's state machines cannot be generated.
    #[error("there are no state machines for the project: {0}")]
    Machines(String),
    /// The manifest holds assets that do not fit together.
    #[error("the manifest holds assets that do not fit together: {0}")]
    Graph(#[from] precip_core::graph::InvalidGraph),
    /// The project's name is not valid in the names of resources.
    #[error(
        "`{given}` cannot be part of resource names: write at most 40 letters, digits, `_` and `-`, a \
         letter first"
    )]
    ProjectName {
        /// The name.
        given: String,
    },
    /// The project has no environment of this name.
    #[error("there is no environment `{given}`: {}", environment_advice(known))]
    Environment {
        /// The name.
        given: String,
        /// The existing environments.
        known: Vec<String>,
    },
    /// An op requires resources that Lambda does not offer.
    #[error("op `{op}` requires {what}, but Lambda offers {range}: change its compute profile")]
    Compute {
        /// The op.
        op: String,
        /// The requirement.
        what: String,
        /// The range that Lambda offers.
        range: &'static str,
    },
    /// There are more compute profiles than a stack can hold.
    #[error(
        "the ops have {found} different compute profiles, each with a function of its own, but a stack \
         holds at most {most}: let ops with similar needs share a profile"
    )]
    Profiles {
        /// The number of profiles.
        found: usize,
        /// The largest possible number.
        most: usize,
    },
    /// Two binaries whose functions would have the same name.
    #[error(
        "the functions of binaries `{other}` and `{binary}` would have the same name, since `-` and `_` are \
         left out of it: rename one of them"
    )]
    Binaries {
        /// One of the binaries.
        binary: String,
        /// The other binary.
        other: String,
    },
    /// The template exceeds a limit of CloudFormation.
    #[error("the template has {found} {what}, but CloudFormation accepts {most}: {instead}")]
    Limit {
        /// The thing that is counted.
        what: &'static str,
        /// Its number.
        found: usize,
        /// The limit.
        most: usize,
        /// The advice.
        instead: &'static str,
    },
    /// An environment variable that a Lambda function cannot have.
    #[error("{by} reads environment variable `{name}`, which {why}: read another one")]
    Variable {
        /// The reader of the variable.
        by: String,
        /// Its name.
        name: String,
        /// The reason why a function cannot have it.
        why: &'static str,
    },
    /// A secret that Secrets Manager cannot hold.
    #[error(
        "{by} reads secret `{name}`, which Secrets Manager cannot hold: write an ARN, or at most 512 \
         letters, digits and `/_+=.@-`"
    )]
    Secret {
        /// The reader of the secret.
        by: String,
        /// Its name.
        name: String,
    },
    /// An automation condition is invalid.
    #[error("the automation conditions cannot be deployed: {0}")]
    Automation(String),
    /// A sensor or a schedule that cannot be deployed.
    #[error("{who} {problem}")]
    Trigger {
        /// The sensor or schedule.
        who: String,
        /// The mistake, and what to write instead.
        problem: String,
    },
    /// A state machine has a placeholder without a value.
    #[error(
        "state machine `{machine}` has the placeholder `${{{name}}}`, which has no value; known are {}",
        known.join(", ")
    )]
    Placeholder {
        /// The machine.
        machine: String,
        /// The placeholder.
        name: String,
        /// The known placeholders.
        known: Vec<String>,
    },
    /// The template could not be rendered, which is a defect of this crate.
    #[error("failed to render the template: {0}")]
    Template(String),
}

/// Returns advice about the environments of a project.
fn environment_advice(known: &[String]) -> String {
    if known.is_empty() {
        return "the project declares none".to_owned();
    }
    format!("use {}", or_list(known))
}
