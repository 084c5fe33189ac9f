//! The template that askama renders.

use askama::Template as _;

use super::{
    Architecture, SynthError, access::Access, filters, machine::Machine,
    materializer::Materializer, reactions::Reactions, settings::Settings, triggers::Triggers,
};

/// The planner's timeout, in seconds. The state machines wait that long for an answer.
pub(super) const PLANNER_SECONDS: u64 = 300;

/// The timeout of the function of sensors and schedules, in seconds: enough to sweep a large
/// bucket.
pub(super) const SENSOR_SECONDS: u64 = 120;

/// The time that a received message stays hidden, in seconds: six times the function's timeout
/// ("Using Lambda with Amazon SQS").
pub(super) const SENSOR_VISIBILITY_SECONDS: u64 = 6 * SENSOR_SECONDS;

/// The values that the template's parts in `templates/` use.
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

/// The next steps, for the descriptions of the outputs.
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
        command_line: "Lets the project's command line act on this deployment. Run in a shell: eval \"$(aws cloudformation describe-stacks --stack-name STACK --query \"Stacks[0].Outputs[?OutputKey=='CommandLine'].OutputValue\" --output text)\"",
        start: r#"Start a run with this machine: aws stepfunctions start-execution --state-machine-arn VALUE --input '{"select": "*", "partitions": "missing"}'"#,
        look: "Drop files for the project below landing/ (aws s3 cp FILE s3://VALUE/landing/); the data of assets is below data/.",
        runs: "The record. To see the runs in it: eval CommandLine, then the command line of the project: runs",
        freshness: "Messages about assets whose data becomes too old, or fresh again. Subscribe: aws sns subscribe --topic-arn VALUE --protocol email --notification-endpoint YOU",
        dead_letters: "Events that could not be handled. Read one: aws sqs receive-message --queue-url VALUE",
        sweep: r#"Starts runs. To sweep the sensors' buckets now: aws lambda invoke --function-name VALUE --cli-binary-format raw-in-base64-out --payload '{"sweep": "*"}' /dev/stdout"#,
        redrive: "Files whose sensor could not be evaluated. Fix the error in its log, then: aws sqs start-message-move-task --source-arn VALUE",
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

    /// Returns the environment for a shell's `export`. A name that a shell would read as something
    /// else is left to the person.
    fn shell_environment(&self) -> String {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        match &self.settings.environment {
            Some(name) if name.bytes().all(plain) => format!(" PRECIP_ENV={name}"),
            Some(_) | None => String::new(),
        }
    }

    /// Returns the path of a function's zip, as YAML.
    fn code_path(&self, function: &str) -> String {
        let path = format!("{}/{function}/bootstrap.zip", self.code_folder);
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"/._-".contains(&b);
        if path.bytes().all(plain) {
            path
        } else {
            serde_json::Value::from(path).to_string()
        }
    }

    /// Renders the template.
    pub(super) fn render_text(&self) -> Result<String, SynthError> {
        let text = self
            .render()
            .map_err(|error| SynthError::Template(error.to_string()))?;
        Ok(text.trim_end().to_owned() + "\n")
    }
}
