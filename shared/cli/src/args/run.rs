//! Commands that plan and run.

use std::path::PathBuf;

use clap::Args;

use super::TargetArgs;

/// What is to be run, and with what.
#[derive(Debug, Clone, Args)]
pub struct PlanArgs {
    /// Assets and partitions.
    #[command(flatten)]
    pub target: TargetArgs,

    /// Leave the assets' checks out
    #[arg(long)]
    pub without_checks: bool,

    /// Config for ops: a JSON file with one entry an op, `{"flights": {"limit": 10}}`
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Config for ops as JSON text
    #[arg(long, value_name = "JSON", conflicts_with = "config")]
    pub config_json: Option<String>,
}

/// A run to be started.
#[derive(Debug, Clone, Args)]
pub struct MaterializeArgs {
    /// What is to be run, and with what.
    #[command(flatten)]
    pub plan: PlanArgs,

    /// A label of the run
    #[arg(long = "tag", value_name = "KEY=VALUE")]
    pub tags: Vec<String>,

    /// A name for this request: the same name never starts a second run
    #[arg(long, value_name = "KEY")]
    pub run_key: Option<String>,

    /// How it is run.
    #[command(flatten)]
    pub control: RunControlArgs,
}

/// How a run is run.
#[derive(Debug, Clone, Args)]
pub struct RunControlArgs {
    /// How many ops run at once; four for each core unless given
    #[arg(short = 'j', long, value_name = "N")]
    pub concurrency: Option<std::num::NonZeroUsize>,

    /// With `--on aws`: start the run, print its id and its execution, and do not follow it
    #[arg(long)]
    pub detach: bool,
}
