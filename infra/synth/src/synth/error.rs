//! [`SynthError`].

use precip_core::nearest::or_list;

/// A project that cannot be deployed as it is declared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SynthError {
    /// The project has no state machines.
    #[error("there are no state machines for the project: {0}")]
    Machines(String),
    /// The manifest holds assets that do not fit together.
    #[error("the manifest holds assets that do not fit together: {0}")]
    Graph(#[from] precip_core::graph::InvalidGraph),
    /// The project's name does not fit into the names of what is deployed.
    #[error(
        "`{given}` cannot name what is deployed: write at most 40 letters, digits, `_` and `-`, a \
         letter first"
    )]
    ProjectName {
        /// The name.
        given: String,
    },
    /// The project has no environment of this name.
    #[error("there is no environment `{given}`: {}", has(known))]
    Environment {
        /// The name.
        given: String,
        /// The environments that there are.
        known: Vec<String>,
    },
    /// An op needs a machine that Lambda does not have.
    #[error("op `{op}` asks for {what}, and Lambda has {range}: change its compute profile")]
    Compute {
        /// The op.
        op: String,
        /// What it asks for.
        what: String,
        /// What there is.
        range: &'static str,
    },
    /// There are more compute profiles than one stack can hold.
    #[error(
        "the ops have {found} different compute profiles, each a function of its own, and a stack \
         holds {most}: let ops that need about the same share a profile"
    )]
    Profiles {
        /// How many there are.
        found: usize,
        /// How many fit.
        most: usize,
    },
    /// Two programs whose functions would have one name.
    #[error(
        "the functions of binaries `{other}` and `{binary}` would have one name, as what is deployed knows no \
         `-` and `_`: rename one of them"
    )]
    Binaries {
        /// One of them.
        binary: String,
        /// The other one.
        other: String,
    },
    /// More is deployed than a stack may hold.
    #[error("the template has {found} {what}, and CloudFormation takes {most}: {instead}")]
    Limit {
        /// What there is too much of.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there may be.
        most: usize,
        /// What to do.
        instead: &'static str,
    },
    /// An environment variable that a Lambda function cannot have.
    #[error("{by} reads environment variable `{name}`, which {why}: read another one")]
    Variable {
        /// What reads it.
        by: String,
        /// Its name.
        name: String,
        /// Why a function cannot have it.
        why: &'static str,
    },
    /// A secret that Secrets Manager cannot hold.
    #[error(
        "{by} reads secret `{name}`, which Secrets Manager cannot hold: write an ARN, or at most 512 \
         letters, digits and `/_+=.@-`"
    )]
    Secret {
        /// What reads it.
        by: String,
        /// Its name.
        name: String,
    },
    /// An automation condition makes no sense.
    #[error("the automation conditions cannot be deployed: {0}")]
    Automation(String),
    /// A sensor or a schedule that cannot be deployed.
    #[error("{who} {problem}")]
    Trigger {
        /// Which one.
        who: String,
        /// What is wrong with it, and what to write instead.
        problem: String,
    },
    /// A state machine has a placeholder that nothing stands for.
    #[error(
        "state machine `{machine}` has the placeholder `${{{name}}}`, and nothing stands for it; known are {}",
        known.join(", ")
    )]
    Placeholder {
        /// The machine.
        machine: String,
        /// The placeholder.
        name: String,
        /// Those that are known.
        known: Vec<String>,
    },
    /// The template could not be written. It is a defect of this crate.
    #[error("failed to write the template: {0}")]
    Template(String),
}

fn has(known: &[String]) -> String {
    if known.is_empty() {
        return "the project declares none".to_owned();
    }
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    format!("use {}", or_list(&known))
}
