//! What is said of an op: how it is divided, tried again, limited, and what it runs on.

use syn::Expr;

use super::policy::{BackfillModel, ComputeModel, RetryModel, backfill, compute, retry};
use crate::{
    errors::Errors,
    options::{Options, expr, string},
};

/// The options of an op.
pub(crate) const OPTIONS: &[&str] = &[
    "partitions",
    "backfill_policy",
    "retry_policy",
    "pool",
    "compute",
];

/// An op, as written.
pub(crate) struct OpModel {
    pub(crate) partitions: Option<Expr>,
    pub(crate) backfill: Option<BackfillModel>,
    pub(crate) retry: Option<RetryModel>,
    pub(crate) pool: Option<syn::LitStr>,
    pub(crate) compute: Option<ComputeModel>,
}

impl OpModel {
    /// Reads the options of an op.
    pub(crate) fn read(options: &mut Options, errors: &mut Errors) -> Self {
        Self {
            partitions: options.value("partitions", expr, errors),
            backfill: backfill(options, errors),
            retry: retry(options, errors),
            pool: options.value("pool", string, errors),
            compute: compute(options, errors),
        }
    }
}
