//! The options of an op that have options of their own: backfill policy, retry policy and compute
//! profile.

use std::time::Duration;

use precip_core::spec::BinaryName;
use syn::{Error, Expr, ExprCall, LitStr, Result, spanned::Spanned};

use crate::{
    errors::Errors,
    options::{
        Options, ValueOrGroup, duration_literal, integer_literal, one_of, parsed_literal,
        single_ident,
    },
};

/// A backfill policy, as declared.
pub(crate) enum BackfillModel {
    PerPartition,
    SingleRun,
    MultiRun(u32),
}

/// Reads `backfill_policy = per_partition | single_run | multi_run(n)`.
pub(super) fn read_backfill(options: &mut Options, errors: &mut Errors) -> Option<BackfillModel> {
    options.take_value(
        "backfill_policy",
        |value| {
            // `multi_run(n)` is a call; the other policies are plain names.
            if let Expr::Call(ExprCall { func, args, .. }) = value
                && single_ident(func).is_some_and(|name| name == "multi_run")
            {
                let Some(argument) = args.first().filter(|_| args.len() == 1) else {
                    return Err(Error::new(
                        value.span(),
                        "write the largest number of partitions of one run: `multi_run(10)`",
                    ));
                };
                let count = integer_literal(argument, 1, u32::MAX.into(), "partitions")?;
                return Ok(BackfillModel::MultiRun(
                    count.try_into().unwrap_or(u32::MAX),
                ));
            }
            match one_of(value, &["per_partition", "single_run", "multi_run(..)"])?.as_str() {
                "per_partition" => Ok(BackfillModel::PerPartition),
                _ => Ok(BackfillModel::SingleRun),
            }
        },
        errors,
    )
}

/// A retry policy, as declared.
pub(crate) enum RetryModel {
    Shared(Expr),
    Own {
        max_retries: u32,
        delay: Duration,
        backoff: &'static str,
        jitter: &'static str,
    },
}

/// Reads `retry_policy(..)`, or `retry_policy = expression`.
pub(super) fn read_retry(options: &mut Options, errors: &mut Errors) -> Option<RetryModel> {
    let example = "write `retry_policy(max_retries = 3, delay = \"30s\")`";
    match options
        .take_value_or_group("retry_policy", example, errors)?
        .1
    {
        ValueOrGroup::Value(shared) => Some(RetryModel::Shared(shared)),
        ValueOrGroup::Group(tokens) => Some(Options::read(
            "`retry_policy`",
            tokens,
            errors,
            read_own_retry,
        )),
    }
}

fn read_own_retry(own: &mut Options, errors: &mut Errors) -> RetryModel {
    let retries = own.take_value(
        "max_retries",
        |value| integer_literal(value, 0, u32::MAX.into(), ""),
        errors,
    );
    let delay = own.take_value("delay", duration_literal, errors);
    let backoff = own.take_value(
        "backoff",
        |value| one_of(value, &["constant", "linear", "exponential"]),
        errors,
    );
    let jitter = own.take_value(
        "jitter",
        |value| one_of(value, &["none", "full", "plus_minus"]),
        errors,
    );
    RetryModel::Own {
        // One retry, as in Dagster.
        max_retries: retries.map_or(1, |count| count.try_into().unwrap_or(u32::MAX)),
        delay: delay.unwrap_or_default(),
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
    }
}

/// A compute profile, as declared.
pub(crate) enum ComputeModel {
    Shared(Expr),
    Own {
        memory_mib: Option<u32>,
        timeout: Option<Duration>,
        ephemeral_storage_mib: Option<u32>,
        binary: Option<LitStr>,
    },
}

/// The longest timeout of a Lambda function.
const MAX_TIMEOUT: Duration = Duration::from_secs(15 * 60);

/// Reads `compute(..)`, or `compute = expression`.
pub(super) fn read_compute(options: &mut Options, errors: &mut Errors) -> Option<ComputeModel> {
    let example = "write `compute(memory_mib = 1024, timeout = \"5m\")`";
    match options.take_value_or_group("compute", example, errors)?.1 {
        ValueOrGroup::Value(shared) => Some(ComputeModel::Shared(shared)),
        ValueOrGroup::Group(tokens) => {
            Some(Options::read("`compute`", tokens, errors, read_own_compute))
        }
    }
}

fn read_own_compute(own: &mut Options, errors: &mut Errors) -> ComputeModel {
    ComputeModel::Own {
        memory_mib: take_mib("memory_mib", 128, own, errors),
        timeout: own.take_value("timeout", lambda_timeout, errors),
        ephemeral_storage_mib: take_mib("ephemeral_storage_mib", 512, own, errors),
        binary: own.take_value("binary", parsed_literal::<BinaryName>, errors),
    }
}

/// Takes a number of mebibytes, from `least` to Lambda's limit.
fn take_mib(name: &str, least: i64, own: &mut Options, errors: &mut Errors) -> Option<u32> {
    own.take_value(
        name,
        |value| integer_literal(value, least, 10_240, "MiB"),
        errors,
    )
    .and_then(|mib| u32::try_from(mib).ok())
}

/// Parses a duration that a Lambda function can have as its timeout.
fn lambda_timeout(value: &Expr) -> Result<Duration> {
    let timeout = duration_literal(value)?;
    if timeout.is_zero() || timeout > MAX_TIMEOUT {
        return Err(Error::new(
            value.span(),
            "an attempt may take from `1s` to `15m`, which is AWS Lambda's limit",
        ));
    }
    Ok(timeout)
}
