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

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::Root;

    fn read(line: &str) -> Result<DeploymentNames, Failure> {
        let root = Root::try_parse_from(line.split_whitespace()).unwrap();
        DeploymentNames::read(&root.global)
    }

    #[test]
    fn options_name_a_deployment() {
        let names = read("p --on aws --table t --bucket b --state-machine arn:m runs").unwrap();
        let expected = DeploymentNames {
            table: "t".to_owned(),
            bucket: "b".to_owned(),
            state_machine: "arn:m".to_owned(),
        };
        assert_eq!(names, expected);
    }

    #[test]
    fn what_is_missing_is_listed_with_where_it_stands() {
        let failure = read("p --on aws --bucket b --table= runs").unwrap_err();
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
