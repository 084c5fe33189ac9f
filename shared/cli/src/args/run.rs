//! The arguments of commands that plan and run.

use std::path::PathBuf;

use clap::Args;

use super::SelectionArgs;

/// The arguments of `plan`: assets, partitions and config.
#[derive(Debug, Clone, Args)]
pub struct PlanArgs {
    /// Assets and partitions.
    #[command(flatten)]
    pub selection: SelectionArgs,

    /// Leave out the assets' checks
    #[arg(long)]
    pub without_checks: bool,

    /// Config for ops: a JSON file with an entry for each op, `{"flights": {"limit": 10}}`
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Config for ops as JSON text
    #[arg(long, value_name = "JSON", conflicts_with = "config")]
    pub config_json: Option<String>,
}

/// The arguments of `materialize`.
#[derive(Debug, Clone, Args)]
pub struct MaterializeArgs {
    /// Arguments of the plan.
    #[command(flatten)]
    pub plan: PlanArgs,

    /// Tag for the run; may be repeated
    #[arg(long = "tag", value_name = "KEY=VALUE")]
    pub tags: Vec<String>,

    /// Key that identifies this request: a second request with the same key starts no run
    #[arg(long, value_name = "KEY")]
    pub run_key: Option<String>,

    /// Execution options.
    #[command(flatten)]
    pub control: RunControlArgs,
}

/// Execution options of a run.
#[derive(Debug, Clone, Args)]
pub struct RunControlArgs {
    /// Number of ops that run at once; four for each core unless given
    #[arg(short = 'j', long, value_name = "N")]
    pub concurrency: Option<std::num::NonZeroUsize>,

    /// With `--on aws`: start the run, print its id and execution, and do not follow it
    #[arg(long)]
    pub detach: bool,
}
