//! [`OpModel`]: the options of an op.

use syn::Expr;

use super::policy::{
    BackfillModel, ComputeModel, RetryModel, read_backfill, read_compute, read_retry,
};
use crate::{
    errors::Errors,
    options::{Options, any_expr, string_literal},
};

/// An op, as declared.
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
        let partitions = options.take_value("partitions", any_expr, errors);
        let backfill = read_backfill(options, errors);
        Self {
            partitions,
            backfill,
            ..Self::read_unpartitioned(options, errors)
        }
    }

    /// Reads the options of an op without partitions of its own.
    pub(super) fn read_unpartitioned(options: &mut Options, errors: &mut Errors) -> Self {
        Self {
            partitions: None,
            backfill: None,
            retry: read_retry(options, errors),
            pool: options.take_value("pool", string_literal, errors),
            compute: read_compute(options, errors),
        }
    }
}
