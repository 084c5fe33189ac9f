//! The arguments of `simulate`.

use std::time::Duration;

use clap::Args;

use super::{PlanArgs, Processor};

/// A run that is simulated, and the account that it runs in.
#[derive(Debug, Clone, Args)]
pub struct SimulateArgs {
    /// Arguments of the plan.
    #[command(flatten)]
    pub plan: PlanArgs,

    /// Functions that the account runs at once; many new accounts have 10
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub account_concurrency: u32,

    /// Functions that a run invokes at once, at most: the parameter MaxConcurrency
    #[arg(long, value_name = "N", default_value_t = 800, value_parser = clap::value_parser!(u32).range(1..))]
    pub max_concurrency: u32,

    /// Duration of ops without measurements, such as 500ms; their timeout unless given
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub duration: Option<Duration>,

    /// Processor that functions are built for
    #[arg(long, value_enum, default_value_t)]
    pub architecture: Processor,
}

fn parse_duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .map_err(|_| "write a number with a unit, like 500ms or 2s".to_owned())
}
