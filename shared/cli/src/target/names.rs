//! [`DeploymentNames`].

use crate::{args::Global, env, failure::Failure};

/// Advice on how to read the names of a deployment from its stack.
const READ_STACK_OUTPUTS: &str = "the stack's outputs have them as a line for the shell: eval \"$(aws \
                             cloudformation describe-stacks --stack-name NAME --query \
                             \"Stacks[0].Outputs[?OutputKey=='CommandLine'].OutputValue\" --output \
                             text)\"";

/// The names that identify a deployed project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeploymentNames {
    /// The table of the record.
    pub table: String,
    /// The bucket of data and run files.
    pub bucket: String,
    /// The ARN of the state machine that starts runs.
    pub state_machine: String,
}

impl DeploymentNames {
    /// Reads the names from the command line and the environment.
    ///
    /// # Errors
    /// [`Failure`] that lists the missing names with their options and variables.
    pub(crate) fn from_options(global: &Global) -> Result<Self, Failure> {
        let parts = [
            (&global.table, "--table", env::TABLE),
            (&global.bucket, "--bucket", env::BUCKET),
            (&global.state_machine, "--state-machine", env::STATE_MACHINE),
        ];
        // An empty variable counts as missing.
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
            Failure::environment("`--on aws` does not know the deployment: set")
                .with_detail(&missing)
                .with_help(READ_STACK_OUTPUTS),
        )
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::Root;

    fn parse_names(line: &str) -> Result<DeploymentNames, Failure> {
        let root = Root::try_parse_from(line.split_whitespace()).unwrap();
        DeploymentNames::from_options(&root.global)
    }

    #[test]
    fn options_name_a_deployment() {
        let names =
            parse_names("p --on aws --table t --bucket b --state-machine arn:m runs").unwrap();
        let expected = DeploymentNames {
            table: "t".to_owned(),
            bucket: "b".to_owned(),
            state_machine: "arn:m".to_owned(),
        };
        assert_eq!(names, expected);
    }

    #[test]
    fn missing_names_are_listed_with_variables_and_options() {
        let failure = parse_names("p --on aws --bucket b --table= runs").unwrap_err();
        assert_eq!(
            failure.detail,
            [
                "PRECIP_TABLE (or `--table`)",
                "PRECIP_STATE_MACHINE_ARN (or `--state-machine`)"
            ]
        );
        assert!(failure.help.unwrap().contains("describe-stacks"));
    }
}
