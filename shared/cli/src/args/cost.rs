//! The arguments of `cost`.

use clap::Args;

use super::{PlanArgs, Processor};

/// A run whose cost is estimated.
#[derive(Debug, Clone, Args)]
pub struct CostArgs {
    /// Arguments of the plan.
    #[command(flatten)]
    pub plan: PlanArgs,

    /// Processor that functions are built for
    #[arg(long, value_enum, default_value_t)]
    pub architecture: Processor,
}
