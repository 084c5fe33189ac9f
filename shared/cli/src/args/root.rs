//! All commands.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use super::{CostArgs, GcArgs, MaterializeArgs, PlanArgs, RunControlArgs, SynthArgs};
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
    /// What holds for every command.
    #[command(flatten)]
    pub global: Global,

    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// What holds for every command.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// The folder that holds state and data; below it, those of each environment but the first
    #[arg(long, global = true, env = env::HOME, value_name = "DIR", default_value = ".precip", hide_env_values = true)]
    pub home: PathBuf,

    /// The environment to use, as the project names it; its first one unless given
    #[arg(long = "env", global = true, env = env::ENVIRONMENT, value_name = "NAME", hide_env_values = true)]
    pub environment: Option<String>,

    /// Where: `local`, on this machine, or `aws`, on the project's deployment
    #[arg(long, global = true, env = env::ON, value_enum, ignore_case = true, default_value_t, value_name = "PLACE", hide_env_values = true, hide_possible_values = true)]
    pub on: On,

    /// The deployment's table, as its stack's outputs say
    #[arg(long, global = true, env = env::TABLE, value_name = "NAME", hide_env_values = true, help_heading = "With --on aws")]
    pub table: Option<String>,

    /// The deployment's bucket
    #[arg(long, global = true, env = env::BUCKET, value_name = "NAME", hide_env_values = true, help_heading = "With --on aws")]
    pub bucket: Option<String>,

    /// The ARN of the deployment's state machine
    #[arg(long, global = true, env = env::STATE_MACHINE, value_name = "ARN", hide_env_values = true, help_heading = "With --on aws")]
    pub state_machine: Option<String>,

    /// Act as if it were this moment (RFC 3339)
    #[arg(long, global = true, env = env::NOW, value_name = "TIME", hide_env_values = true, value_parser = moment)]
    pub now: Option<DateTime<Utc>>,

    /// Write machine-readable JSON to stdout
    #[arg(long, global = true)]
    pub json: bool,
}

/// Where commands act.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum On {
    /// This machine
    #[default]
    Local,
    /// The project's deployment on AWS
    Aws,
}

fn moment(text: &str) -> Result<DateTime<Utc>, String> {
    text.parse().map_err(|error| {
        format!("{error}; a moment is written like `2013-02-01T06:30:00Z` or `2013-02-01T01:30:00-05:00`")
    })
}

/// One command.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the assets
    Assets {
        /// Which assets
        #[arg(short, long, value_name = "SELECTION", default_value = "*")]
        select: String,
    },
    /// Show one asset: what it is made from, how it is divided, what is stored
    Asset {
        /// The asset's key
        key: String,
        /// The partition whose latest materialization is shown, with the facts kept with it
        #[arg(short, long, value_name = "KEY")]
        partition: Option<String>,
    },
    /// Draw the asset graph
    Graph {
        /// Which assets
        #[arg(short, long, value_name = "SELECTION", default_value = "*")]
        select: String,
        /// The form
        #[arg(short, long, value_enum, default_value_t)]
        format: GraphFormat,
        /// Where to write; stdout unless given
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// List an asset's partitions
    Partitions {
        /// The asset's key
        key: String,
        /// Only partitions of this status
        #[arg(long, value_enum)]
        status: Option<StatusFilter>,
    },
    /// Print what would run, in waves, and why
    Plan(PlanArgs),
    /// Print what a run would cost on AWS, and what that is made of
    Cost(CostArgs),
    /// Run assets and store what they make; what is missing unless told otherwise
    Materialize(MaterializeArgs),
    /// List runs, newest first
    Runs {
        /// How many
        #[arg(short = 'n', long, default_value_t = 20, value_name = "N")]
        limit: usize,
    },
    /// Show one run: what it did, what failed, what was held back
    Run {
        /// The run's id, the first characters of it, or `latest`
        id: String,
    },
    /// Go on with a run that was interrupted
    Resume {
        /// The run's id, the first characters of it, or `latest`
        id: String,
        /// How it is run.
        #[command(flatten)]
        control: RunControlArgs,
    },
    /// Ask a run to stop
    Cancel {
        /// The run's id, the first characters of it, or `latest`
        id: String,
    },
    /// Run again what failed in a run, and what that held back
    Retry {
        /// The run's id, the first characters of it, or `latest`
        id: String,
        /// How it is run.
        #[command(flatten)]
        control: RunControlArgs,
    },
    /// Print what is stored
    Show {
        /// The asset's key
        key: String,
        /// The partition; not for an unpartitioned asset
        #[arg(short, long, value_name = "KEY")]
        partition: Option<String>,
        /// The form
        #[arg(short, long, value_enum, default_value_t)]
        format: TableFormat,
        /// How many rows at most
        #[arg(short = 'n', long, value_name = "N")]
        limit: Option<usize>,
    },
    /// List the latest results of an asset's checks
    Checks {
        /// The asset's key
        key: String,
        /// Only for this partition
        #[arg(short, long, value_name = "KEY")]
        partition: Option<String>,
    },
    /// List what is stored without any use: attempts that no materialization points at
    Gc(GcArgs),
    /// List, add or remove the keys of a dynamic partitions set
    Dynamic {
        /// The set's name
        set: String,
        /// What to do; lists unless given
        #[command(subcommand)]
        action: Option<DynamicAction>,
    },
    /// List the pools, or set how many ops of one run at once
    Pools {
        /// What to do; lists unless given
        #[command(subcommand)]
        action: Option<PoolAction>,
    },
    /// Show what the automation conditions ask for and did, or turn them on or off
    Automation {
        /// What to do; lists unless given
        #[command(subcommand)]
        action: Option<AutomationAction>,
    },
    /// List the sensors: what each waits for, and whether it is on
    Sensors,
    /// Show a sensor, turn it on or off, or try it on a real event
    Sensor {
        /// The sensor's name
        name: String,
        /// Say what it would request for the event in this file, and change nothing
        #[arg(long, value_name = "FILE")]
        event: Option<PathBuf>,
        /// What to do; shows it unless given
        #[command(subcommand)]
        action: Option<SensorAction>,
    },
    /// List the schedules: when each ticks next, and whether it is on
    Schedules,
    /// Show a schedule, turn it on or off, or list its next ticks with their partitions
    Schedule {
        /// The schedule's name
        name: String,
        /// What to do; shows it unless given
        #[command(subcommand)]
        action: Option<ScheduleAction>,
    },
    /// List why something did or did not run: the ticks of sensors, schedules and automation
    Ticks {
        /// Only those of the sensor or schedule of this name, or `automation`
        name: Option<String>,
        /// How many of each
        #[arg(short = 'n', long, default_value_t = 10, value_name = "N")]
        limit: usize,
    },
    /// Run sensors, schedules and automation in this process, with folders as buckets
    Dev(DevArgs),
    /// Write the whole project as data: `--json` for tools, otherwise a summary
    Describe {
        /// Write the JSON Schema of what `--json` writes
        #[arg(long)]
        schema: bool,
    },
    /// Write what is deployed on AWS: the SAM template, the state machines, the manifest
    Synth(SynthArgs),
    /// Look for what is wrong: definitions, environment, folders, record
    Doctor,
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// What to do with a sensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub enum SensorAction {
    /// Turn it on
    Start,
    /// Turn it off
    Stop,
    /// Let it forget what it has handled
    ResetCursor,
}

/// What to do with a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub enum ScheduleAction {
    /// List the next ticks with their partitions
    Preview {
        /// How many
        #[arg(short = 'n', long, default_value_t = 10, value_name = "N")]
        count: usize,
    },
    /// Turn it on
    Start,
    /// Turn it off
    Stop,
}

/// How `dev` runs.
#[derive(Debug, Clone, Args)]
pub struct DevArgs {
    /// The folder that stands for a bucket: the bucket's name, or the variable that names it
    #[arg(long = "folder", value_name = "BUCKET=FOLDER")]
    pub buckets: Vec<String>,

    /// How runs are run.
    #[command(flatten)]
    pub control: RunControlArgs,
}

/// What to do with the keys of a dynamic partitions set.
#[derive(Debug, Clone, Subcommand)]
pub enum DynamicAction {
    /// List the keys
    List,
    /// Add keys
    Add {
        /// The keys
        #[arg(required = true)]
        keys: Vec<String>,
    },
    /// Remove keys
    Remove {
        /// The keys
        #[arg(required = true)]
        keys: Vec<String>,
    },
}

/// What to do with the pools.
#[derive(Debug, Clone, Subcommand)]
pub enum PoolAction {
    /// List the pools
    List,
    /// Set a pool's limit
    Limit {
        /// The pool's name
        pool: String,
        /// How many ops run at once; no limit unless given
        slots: Option<u32>,
    },
}

/// What to do with the automation conditions.
#[derive(Debug, Clone, Subcommand)]
pub enum AutomationAction {
    /// List the assets that have a condition
    List,
    /// Say why an asset is to be made now, and why not
    Explain {
        /// The asset's key
        key: String,
    },
    /// Say whether it is on, and what it did last
    Status,
    /// Turn it on
    On,
    /// Turn it off: nothing is made unless asked for, and what changes meanwhile is taken up later
    Off,
    /// Say why an asset was made by itself or was not, as it was evaluated then
    History {
        /// The asset's key
        key: String,
        /// How many evaluations
        #[arg(short = 'n', long, default_value_t = 3, value_name = "N")]
        limit: usize,
    },
}

/// The form of a drawn graph.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum GraphFormat {
    /// A picture
    #[default]
    Svg,
    /// A Mermaid flow chart
    Mermaid,
    /// Graphviz's DOT language
    Dot,
}

/// The form of printed rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum TableFormat {
    /// Aligned columns
    #[default]
    Table,
    /// Comma-separated values with a header
    Csv,
    /// A JSON list of rows
    Json,
}

/// The status of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StatusFilter {
    /// Never made
    Missing,
    /// Made
    Materialized,
    /// Tried last without success
    Failed,
}
