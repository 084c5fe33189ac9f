//! [`Root`]: the whole command line.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::{Args, Parser, ValueEnum};

use super::Command;
use crate::env;

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    version,
    about = "Materialize, inspect and check the data assets of this project.",
    after_help = "Exit codes: 0 done, 1 a run failed, 2 usage, 3 definitions invalid, 4 environment.",
    disable_help_subcommand = true,
    max_term_width = 100
)]
pub struct Root {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,

    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// Folder for state and data; environments other than the first have theirs below it
    #[arg(long, global = true, env = env::HOME, value_name = "DIR", default_value = ".precip", hide_env_values = true)]
    pub home: PathBuf,

    /// Environment to use; the project's first one unless given
    #[arg(long = "env", global = true, env = env::ENVIRONMENT, value_name = "NAME", hide_env_values = true)]
    pub environment: Option<String>,

    /// Where to act: `local`, on this machine, or `aws`, on the project's deployment
    #[arg(long = "on", global = true, env = env::ON, value_enum, ignore_case = true, default_value_t, value_name = "TARGET", hide_env_values = true, hide_possible_values = true)]
    pub target: TargetKind,

    /// The deployment's table, from its stack's outputs
    #[arg(long, global = true, env = env::TABLE, value_name = "NAME", hide_env_values = true, help_heading = "With --on aws")]
    pub table: Option<String>,

    /// The deployment's bucket
    #[arg(long, global = true, env = env::BUCKET, value_name = "NAME", hide_env_values = true, help_heading = "With --on aws")]
    pub bucket: Option<String>,

    /// The ARN of the deployment's state machine
    #[arg(long, global = true, env = env::STATE_MACHINE, value_name = "ARN", hide_env_values = true, help_heading = "With --on aws")]
    pub state_machine: Option<String>,

    /// Act as if it were this time (RFC 3339)
    #[arg(long, global = true, env = env::NOW, value_name = "TIME", hide_env_values = true, value_parser = parse_time)]
    pub now: Option<DateTime<Utc>>,

    /// Write JSON to stdout
    #[arg(long, global = true)]
    pub json: bool,
}

/// The kind of target that commands act on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum TargetKind {
    /// This machine
    #[default]
    Local,
    /// The project's deployment on AWS
    Aws,
}

fn parse_time(text: &str) -> Result<DateTime<Utc>, String> {
    text.parse().map_err(|error| {
        format!("{error}; write a time like `2013-02-01T06:30:00Z` or `2013-02-01T01:30:00-05:00`")
    })
}
