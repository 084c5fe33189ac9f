//! [`DeploymentNames`].

use crate::{args::Global, env, failure::Failure};

/// How to learn the names of a deployment from its stack.
const ASK_THE_STACK: &str = "the stack says them, as a line for the shell: eval \"$(aws \
                             cloudformation describe-stacks --stack-name NAME --query \
                             \"Stacks[0].Outputs[?OutputKey=='CommandLine'].OutputValue\" --output \
                             text)\"";

/// What a deployed project is found by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeploymentNames {
    /// The table of the record.
    pub table: String,
    /// The bucket of data and run files.
    pub bucket: String,
    /// The ARN of the state machine that runs are started with.
    pub state_machine: String,
}

impl DeploymentNames {
    /// Reads them off the command line and the environment.
    ///
    /// # Errors
    /// [`Failure`], which lists what is missing and where it stands.
    pub fn read(global: &Global) -> Result<Self, Failure> {
        let parts = [
            (&global.table, "--table", env::TABLE),
            (&global.bucket, "--bucket", env::BUCKET),
            (&global.state_machine, "--state-machine", env::STATE_MACHINE),
        ];
        let given = |value: &Option<String>| value.clone().filter(|value| !value.is_empty());
        let [table, bucket, machine] = parts.map(|(value, _, _)| given(value));
        if let (Some(table), Some(bucket), Some(state_machine)) = (table, bucket, machine) {
            return Ok(Self {
                table,
                bucket,
                state_machine,
            });
        }
        let missing = parts
            .iter()
            .filter(|(value, _, _)| given(value).is_none())
            .map(|(_, option, variable)| format!("{variable} (or `{option}`)\n"));
        let missing: String = missing.collect();
        Err(
            Failure::environment("`--on aws` needs to know which deployment: set")
                .detail(&missing)
                .help(ASK_THE_STACK),
        )
    }
}
