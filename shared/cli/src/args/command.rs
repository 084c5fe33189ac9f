//! [`Command`]: the list of commands.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use clap_complete::Shell;

use super::{
    AutomationAction, CostArgs, DynamicAction, GcArgs, GraphFormat, MaterializeArgs, PlanArgs,
    PoolAction, RunControlArgs, ScheduleAction, SensorAction, SimulateArgs, StatusFilter,
    SynthArgs, TableFormat,
};

/// One command.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the assets
    Assets {
        /// Assets to list
        #[arg(short, long, value_name = "SELECTION", default_value = "*")]
        select: String,
    },
    /// Show one asset: definition, neighbours, partitions and status
    Asset {
        /// Asset key
        key: String,
        /// Partition whose latest materialization is shown, with its metadata
        #[arg(short, long, value_name = "KEY")]
        partition: Option<String>,
    },
    /// Draw the asset graph
    Graph {
        /// Assets to draw
        #[arg(short, long, value_name = "SELECTION", default_value = "*")]
        select: String,
        /// Output format
        #[arg(short, long, value_enum, default_value_t)]
        format: GraphFormat,
        /// File to write; stdout unless given
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// List an asset's partitions and their status
    Partitions {
        /// Asset key
        key: String,
        /// Only partitions with this status
        #[arg(long, value_enum)]
        status: Option<StatusFilter>,
    },
    /// Print what would run, in waves, and why
    Plan(PlanArgs),
    /// Estimate what a run would cost on AWS
    Cost(CostArgs),
    /// Simulate a run on AWS: how long it takes, what it costs, what holds it back
    Simulate(SimulateArgs),
    /// Materialize assets: missing partitions unless others are named
    Materialize(MaterializeArgs),
    /// List runs, newest first
    Runs {
        /// Maximum number of runs
        #[arg(short = 'n', long, default_value_t = 20, value_name = "N")]
        limit: usize,
    },
    /// Show one run: progress, failures, and what they held back
    Run {
        /// Run id, a prefix of it, or `latest`
        id: String,
    },
    /// Resume a run that was interrupted
    Resume {
        /// Run id, a prefix of it, or `latest`
        id: String,
        /// Execution options.
        #[command(flatten)]
        control: RunControlArgs,
    },
    /// Ask a run to stop
    Cancel {
        /// Run id, a prefix of it, or `latest`
        id: String,
    },
    /// Start a new run of what failed in a run, and of what that held back
    Retry {
        /// Run id, a prefix of it, or `latest`
        id: String,
        /// Execution options.
        #[command(flatten)]
        control: RunControlArgs,
    },
    /// Print stored data
    Show {
        /// Asset key
        key: String,
        /// Partition; not for an unpartitioned asset
        #[arg(short, long, value_name = "KEY")]
        partition: Option<String>,
        /// Output format
        #[arg(short, long, value_enum, default_value_t)]
        format: TableFormat,
        /// Maximum number of rows
        #[arg(short = 'n', long, value_name = "N")]
        limit: Option<usize>,
    },
    /// List the latest results of an asset's checks
    Checks {
        /// Asset key; every asset without one
        #[arg(required_unless_present = "failed")]
        key: Option<String>,
        /// Only results for this partition
        #[arg(short, long, value_name = "KEY", requires = "key")]
        partition: Option<String>,
        /// Only checks that did not pass
        #[arg(long)]
        failed: bool,
    },
    /// List unreferenced stored data, or remove it
    Gc(GcArgs),
    /// List, add or remove the keys of a dynamic partitions set
    Dynamic {
        /// Name of the set
        set: String,
        /// Action; lists unless given
        #[command(subcommand)]
        action: Option<DynamicAction>,
    },
    /// List the pools, or set how many ops of a pool run at once
    Pools {
        /// Action; lists unless given
        #[command(subcommand)]
        action: Option<PoolAction>,
    },
    /// List, explain, start or stop automation conditions
    Automation {
        /// Action; lists unless given
        #[command(subcommand)]
        action: Option<AutomationAction>,
    },
    /// List the sensors: what each waits for, and whether it is on
    Sensors,
    /// Show a sensor, start or stop it, or test it with an event
    Sensor {
        /// Name of the sensor
        name: String,
        /// Print what the sensor would request for the event in this file; changes nothing
        #[arg(long, value_name = "FILE")]
        event: Option<PathBuf>,
        /// Action; shows the sensor unless given
        #[command(subcommand)]
        action: Option<SensorAction>,
    },
    /// List the schedules: when each ticks next, and whether it is on
    Schedules,
    /// Show a schedule, start or stop it, or preview its next ticks
    Schedule {
        /// Name of the schedule
        name: String,
        /// Action; shows the schedule unless given
        #[command(subcommand)]
        action: Option<ScheduleAction>,
    },
    /// List the ticks of sensors, schedules and automation, with their outcomes
    Ticks {
        /// Only the ticks of this sensor or schedule, or of `automation`
        name: Option<String>,
        /// Maximum number of ticks of each
        #[arg(short = 'n', long, default_value_t = 10, value_name = "N")]
        limit: usize,
    },
    /// Run sensors, schedules and automation in this process, with folders as buckets
    Dev(DevArgs),
    /// Print a summary of the project, or all of it with `--json`
    Describe {
        /// Print the JSON Schema of the `--json` output
        #[arg(long)]
        schema: bool,
    },
    /// Generate what is deployed on AWS: SAM template, state machines, manifest
    Synth(SynthArgs),
    /// Check definitions, environment, folders and record for problems
    Doctor,
    /// Print a completion script for a shell
    Completions {
        /// Shell to complete for
        shell: Shell,
    },
}

/// The arguments of `dev`.
#[derive(Debug, Clone, Args)]
pub struct DevArgs {
    /// Folder to use as a bucket; BUCKET is its name, or the variable that holds its name
    #[arg(long = "folder", value_name = "BUCKET=FOLDER")]
    pub buckets: Vec<String>,

    /// Execution options.
    #[command(flatten)]
    pub control: RunControlArgs,
}
