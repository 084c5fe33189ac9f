//! `freshness(..)`, or `freshness = expression`.

use std::time::Duration;

use precip_core::freshness::{FreshnessPolicy, InvalidFreshness};
use proc_macro2::Span;
use syn::{Error, Expr, LitStr, spanned::Spanned};

use crate::{
    errors::Errors,
    options::{Given, Options, duration, string},
};

/// When data is fresh, as written.
pub(crate) enum FreshnessModel {
    Shared(Expr),
    TimeWindow {
        fail: Duration,
        warn: Option<Duration>,
    },
    Cron {
        deadline: LitStr,
        lower_bound: Duration,
        timezone: String,
    },
}

const EXAMPLE: &str = "write `freshness(fail_window = \"24h\")`, or `freshness(deadline_cron = \
                       \"0 9 * * *\", lower_bound_delta = \"2h\")`";

/// A duration and where it is written.
struct Written(Duration, Span);

fn written(value: &Expr) -> syn::Result<Written> {
    Ok(Written(duration(value)?, value.span()))
}

/// Reads a freshness policy.
pub(super) fn freshness(options: &mut Options, errors: &mut Errors) -> Option<FreshnessModel> {
    let entry = options.take("freshness")?;
    let tokens = match entry.given {
        Given::Value(shared) => return Some(FreshnessModel::Shared(*shared)),
        Given::Group(tokens) => tokens,
        Given::Flag => {
            errors.push(Error::new(entry.name.span(), EXAMPLE));
            return None;
        }
    };
    let is_cron = tokens.to_string().contains("deadline_cron");
    let known: &[&str] = if is_cron {
        &["deadline_cron", "lower_bound_delta", "timezone"]
    } else {
        &["fail_window", "warn_window"]
    };
    let mut own = Options::parse("`freshness`", tokens, known, errors);
    for needed in &known[..if is_cron { 2 } else { 1 }] {
        if !own.has(needed) {
            errors.push(Error::new(
                entry.name.span(),
                format!("`freshness` needs `{needed}`: {EXAMPLE}"),
            ));
            return None;
        }
    }
    if is_cron {
        cron(&mut own, errors)
    } else {
        time_window(&mut own, errors)
    }
}

fn time_window(own: &mut Options, errors: &mut Errors) -> Option<FreshnessModel> {
    let fail = own.value("fail_window", written, errors);
    let warn = own.value("warn_window", written, errors);
    let (fail, warn) = (fail?, warn);
    let delay = warn.as_ref().map(|warn| warn.0);
    if let Err(error) = FreshnessPolicy::time_window(fail.0, delay) {
        let about_warning = match &error {
            InvalidFreshness::TooShort { field, .. } => field.starts_with("warn"),
            _ => true,
        };
        let span = warn.filter(|_| about_warning).map_or(fail.1, |warn| warn.1);
        errors.push(Error::new(span, error));
        return None;
    }
    Some(FreshnessModel::TimeWindow {
        fail: fail.0,
        warn: delay,
    })
}

fn cron(own: &mut Options, errors: &mut Errors) -> Option<FreshnessModel> {
    let deadline = own.value("deadline_cron", string, errors);
    let lower_bound = own.value("lower_bound_delta", written, errors);
    let timezone = own.value("timezone", string, errors);
    let (deadline, lower_bound) = (deadline?, lower_bound?);
    let name = timezone
        .as_ref()
        .map_or_else(|| "UTC".to_owned(), LitStr::value);
    if let Err(error) = FreshnessPolicy::cron(&deadline.value(), lower_bound.0, &name) {
        let span = match (&error, &timezone) {
            (InvalidFreshness::Cron(_), _) => deadline.span(),
            (InvalidFreshness::TimeZone(_), Some(timezone)) => timezone.span(),
            _ => lower_bound.1,
        };
        errors.push(Error::new(span, error));
        return None;
    }
    Some(FreshnessModel::Cron {
        deadline,
        lower_bound: lower_bound.0,
        timezone: name,
    })
}
