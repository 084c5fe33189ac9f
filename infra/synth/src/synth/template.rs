//! The template as askama fills it in.

use askama::Template as _;

use super::{
    Architecture, SynthError, access::Access, filters, machine::Machine,
    materializer::Materializer, reactions::Reactions, settings::Settings, triggers::Triggers,
};

/// The planner's timeout. The state machines wait for it that long.
pub(super) const PLANNER_SECONDS: u64 = 300;

/// The timeout of the function of sensors and schedules: as long as a sweep of a large bucket takes.
const SENSOR_SECONDS: u64 = 120;

/// How long a message that is being worked on is hidden: six times the function's timeout ("Using Lambda
/// with Amazon SQS").
const SENSOR_VISIBILITY_SECONDS: u64 = 6 * SENSOR_SECONDS;

/// What the template's parts in `templates/` show.
#[derive(Debug, askama::Template)]
#[template(path = "template.yaml", escape = "none")]
pub(super) struct Template<'a> {
    pub(super) project: &'a str,
    pub(super) description: String,
    pub(super) architecture: Architecture,
    pub(super) code_folder: &'a str,
    pub(super) settings: Settings,
    pub(super) materializers: Vec<Materializer>,
    pub(super) triggers: Triggers,
    pub(super) reactions: Reactions,
    pub(super) access: Access,
    pub(super) run: Machine,
    pub(super) backfill: Machine,
    pub(super) next: Next,
}

/// What to do next, for the descriptions of the outputs.
#[derive(Debug)]
pub(super) struct Next {
    pub(super) command_line: &'static str,
    pub(super) start: &'static str,
    pub(super) look: &'static str,
    pub(super) runs: &'static str,
    pub(super) dead_letters: &'static str,
    pub(super) freshness: &'static str,
    pub(super) sweep: &'static str,
    pub(super) redrive: &'static str,
}

impl Next {
    pub(super) const COMMANDS: Self = Self {
        command_line: "For a shell, so that the command line of the project acts on this deployment. Run it with: eval \"$(aws cloudformation describe-stacks --stack-name STACK --query \"Stacks[0].Outputs[?OutputKey=='CommandLine'].OutputValue\" --output text)\"",
        start: r#"Start a run with this machine: aws stepfunctions start-execution --state-machine-arn VALUE --input '{"select": "*", "partitions": "missing"}'"#,
        look: "Drop files for the project below landing/ (aws s3 cp FILE s3://VALUE/landing/); what assets hold is below data/.",
        runs: "The record. To see the runs in it: eval CommandLine, then the command line of the project: runs",
        freshness: "Hears of an asset whose data becomes too old, or fresh again. Subscribe: aws sns subscribe --topic-arn VALUE --protocol email --notification-endpoint YOU",
        dead_letters: "Events that nothing could be done with. Read one: aws sqs receive-message --queue-url VALUE",
        sweep: r#"Starts runs. To look through the buckets of the sensors now: aws lambda invoke --function-name VALUE --cli-binary-format raw-in-base64-out --payload '{"sweep": "*"}' /dev/stdout"#,
        redrive: "Files whose sensor could not be evaluated. Once what its log says is repaired: aws sqs start-message-move-task --source-arn VALUE",
    };
}

impl Template<'_> {
    fn planner_seconds(&self) -> u64 {
        PLANNER_SECONDS
    }

    fn sensor_seconds(&self) -> u64 {
        SENSOR_SECONDS
    }

    fn sensor_visibility_seconds(&self) -> u64 {
        SENSOR_VISIBILITY_SECONDS
    }

    /// The environment, as a shell's `export` takes it after other variables. A name that a shell
    /// would read as something else is left for the person to give.
    fn shell_environment(&self) -> String {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        match &self.settings.environment {
            Some(name) if name.bytes().all(plain) => format!(" PRECIP_ENV={name}"),
            Some(_) | None => String::new(),
        }
    }

    /// The zip of a function, as YAML.
    fn code(&self, function: &str) -> String {
        let path = format!("{}/{function}/bootstrap.zip", self.code_folder);
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"/._-".contains(&b);
        if path.bytes().all(plain) {
            path
        } else {
            serde_json::Value::from(path).to_string()
        }
    }

    /// The template as text.
    pub(super) fn text(&self) -> Result<String, SynthError> {
        let text = self
            .render()
            .map_err(|error| SynthError::Template(error.to_string()))?;
        Ok(text.trim_end().to_owned() + "\n")
    }
}
