//! Backfill policy, retry policy and compute profile.

use std::time::Duration;

use precip_core::spec::BinaryName;
use syn::{Error, Expr, ExprCall, LitStr, spanned::Spanned};

use crate::{
    errors::Errors,
    options::{Given, Options, choice, duration, integer, parsed, single_ident},
};

/// `backfill_policy = ..`.
pub(crate) enum BackfillModel {
    PerPartition,
    SingleRun,
    MultiRun(u32),
}

/// Reads `backfill_policy = per_partition | single_run | multi_run(n)`.
pub(super) fn backfill(options: &mut Options, errors: &mut Errors) -> Option<BackfillModel> {
    options.value(
        "backfill_policy",
        |value| {
            if let Expr::Call(ExprCall { func, args, .. }) = value
                && single_ident(func).is_some_and(|name| name == "multi_run")
            {
                let Some(count) = args.first().filter(|_| args.len() == 1) else {
                    return Err(Error::new(
                        value.span(),
                        "write how many partitions one run takes at most: `multi_run(10)`",
                    ));
                };
                let count = integer(count, 1, u32::MAX.into(), "partitions")?;
                return Ok(BackfillModel::MultiRun(
                    count.try_into().unwrap_or(u32::MAX),
                ));
            }
            match choice(value, &["per_partition", "single_run", "multi_run(..)"])?.as_str() {
                "per_partition" => Ok(BackfillModel::PerPartition),
                _ => Ok(BackfillModel::SingleRun),
            }
        },
        errors,
    )
}

/// `retry_policy(..)`, or `retry_policy = expression`.
pub(crate) enum RetryModel {
    Shared(Expr),
    Own {
        max_retries: u32,
        delay: Duration,
        backoff: &'static str,
        jitter: &'static str,
    },
}

/// Reads a retry policy.
pub(super) fn retry(options: &mut Options, errors: &mut Errors) -> Option<RetryModel> {
    let entry = options.take("retry_policy")?;
    let tokens = match entry.given {
        Given::Value(shared) => return Some(RetryModel::Shared(*shared)),
        Given::Group(tokens) => tokens,
        Given::Flag => {
            errors.push(Error::new(
                entry.name.span(),
                "write `retry_policy(max_retries = 3, delay = \"30s\")`",
            ));
            return None;
        }
    };
    let known = ["max_retries", "delay", "backoff", "jitter"];
    let mut own = Options::parse("`retry_policy`", tokens, &known, errors);
    let retries = own.value(
        "max_retries",
        |value| integer(value, 0, u32::MAX.into(), ""),
        errors,
    );
    let backoff = own.value(
        "backoff",
        |value| choice(value, &["constant", "linear", "exponential"]),
        errors,
    );
    let jitter = own.value(
        "jitter",
        |value| choice(value, &["none", "full", "plus_minus"]),
        errors,
    );
    Some(RetryModel::Own {
        // One retry, as in Dagster.
        max_retries: retries.map_or(1, |count| count.try_into().unwrap_or(u32::MAX)),
        delay: own.value("delay", duration, errors).unwrap_or_default(),
        backoff: match backoff.as_deref() {
            Some("linear") => "Linear",
            Some("exponential") => "Exponential",
            _ => "Constant",
        },
        jitter: match jitter.as_deref() {
            Some("full") => "Full",
            Some("plus_minus") => "PlusMinus",
            _ => "None",
        },
    })
}

/// `compute(..)`, or `compute = expression`.
pub(crate) enum ComputeModel {
    Shared(Expr),
    Own {
        memory_mib: Option<u32>,
        timeout: Option<Duration>,
        ephemeral_storage_mib: Option<u32>,
        binary: Option<LitStr>,
    },
}

/// The longest that a Lambda function may run.
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// Reads a compute profile.
pub(super) fn compute(options: &mut Options, errors: &mut Errors) -> Option<ComputeModel> {
    let entry = options.take("compute")?;
    let tokens = match entry.given {
        Given::Value(shared) => return Some(ComputeModel::Shared(*shared)),
        Given::Group(tokens) => tokens,
        Given::Flag => {
            errors.push(Error::new(
                entry.name.span(),
                "write `compute(memory_mib = 1024, timeout = \"5m\")`",
            ));
            return None;
        }
    };
    let known = ["memory_mib", "timeout", "ephemeral_storage_mib", "binary"];
    let mut own = Options::parse("`compute`", tokens, &known, errors);
    let mut mib = |name: &str, least: i64, errors: &mut Errors| {
        own.value(name, |value| integer(value, least, 10_240, "MiB"), errors)
            .and_then(|mib| u32::try_from(mib).ok())
    };
    let memory_mib = mib("memory_mib", 128, errors);
    let ephemeral_storage_mib = mib("ephemeral_storage_mib", 512, errors);
    let timeout = own.value(
        "timeout",
        |value| {
            let timeout = duration(value)?;
            if timeout.is_zero() || timeout > LONGEST {
                return Err(Error::new(
                    value.span(),
                    "an attempt may take from `1s` to `15m`, which is AWS Lambda's limit",
                ));
            }
            Ok(timeout)
        },
        errors,
    );
    Some(ComputeModel::Own {
        memory_mib,
        timeout,
        ephemeral_storage_mib,
        binary: own.value("binary", parsed::<BinaryName>, errors),
    })
}
