//! What a run costs.

use clap::Args;

use super::{PlanArgs, Processor};

/// A run whose cost is estimated.
#[derive(Debug, Clone, Args)]
pub struct CostArgs {
    /// What is to be run, and with what.
    #[command(flatten)]
    pub plan: PlanArgs,

    /// The processor that functions are built for
    #[arg(long, value_enum, default_value_t)]
    pub architecture: Processor,
}
