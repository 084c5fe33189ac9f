//! The option `freshness(..)`, or `freshness = expression`.

use std::time::Duration;

use precip_core::freshness::{FreshnessPolicy, InvalidFreshness};
use proc_macro2::{Ident, Span};
use syn::{Error, Expr, LitStr, spanned::Spanned};

use crate::{
    errors::Errors,
    options::{Options, ValueOrGroup, duration_literal, string_literal},
};

/// A freshness policy, as declared.
pub(crate) enum FreshnessModel {
    /// An expression that gives a policy.
    Shared(Expr),
    /// Data is fresh for a time after it was made.
    TimeWindow {
        /// The age at which data is stale.
        fail: Duration,
        /// The age at which to warn.
        warn: Option<Duration>,
    },
    /// Data has to be made before each deadline.
    Cron {
        /// A cron schedule of the deadlines.
        deadline: LitStr,
        /// The longest time before a deadline that counts.
        lower_bound: Duration,
        /// The time zone of the schedule.
        timezone: String,
    },
}

const EXAMPLE: &str = "write `freshness(fail_window = \"24h\")`, or `freshness(deadline_cron = \
                       \"0 9 * * *\", lower_bound_delta = \"2h\")`";

/// A duration and its position in the source.
struct SpannedDuration(Duration, Span);

fn spanned_duration(value: &Expr) -> syn::Result<SpannedDuration> {
    Ok(SpannedDuration(duration_literal(value)?, value.span()))
}

/// Reads the option `freshness`.
pub(super) fn read_freshness(options: &mut Options, errors: &mut Errors) -> Option<FreshnessModel> {
    let (name, value) = options.take_value_or_group("freshness", EXAMPLE, errors)?;
    let tokens = match value {
        ValueOrGroup::Value(shared) => return Some(FreshnessModel::Shared(shared)),
        ValueOrGroup::Group(tokens) => tokens,
    };
    // The two kinds have no option in common, so the kind has to be known before options are read.
    let is_cron = tokens.to_string().contains("deadline_cron");
    Options::read("`freshness`", tokens, errors, |own, errors| {
        if is_cron {
            read_cron(&name, own, errors)
        } else {
            read_time_window(&name, own, errors)
        }
    })
}

/// Returns whether an option is given, or reports that it is missing.
fn require(option: &str, name: &Ident, own: &mut Options, errors: &mut Errors) -> bool {
    let given = own.contains(option);
    if !given {
        errors.push(Error::new(
            name.span(),
            format!("`freshness` needs `{option}`: {EXAMPLE}"),
        ));
    }
    given
}

fn read_time_window(
    name: &Ident,
    own: &mut Options,
    errors: &mut Errors,
) -> Option<FreshnessModel> {
    require("fail_window", name, own, errors);
    let fail = own.take_value("fail_window", spanned_duration, errors);
    let warn = own.take_value("warn_window", spanned_duration, errors);
    let fail = fail?;
    let warn_after = warn.as_ref().map(|warn| warn.0);
    if let Err(error) = FreshnessPolicy::time_window(fail.0, warn_after) {
        // Only a window that is too short is a mistake of one of the two; all others are in how the
        // warning relates to the failure.
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
        warn: warn_after,
    })
}

fn read_cron(name: &Ident, own: &mut Options, errors: &mut Errors) -> Option<FreshnessModel> {
    // The kind was chosen by the deadline, but its name may be part of a longer word.
    if require("deadline_cron", name, own, errors) {
        require("lower_bound_delta", name, own, errors);
    }
    let deadline = own.take_value("deadline_cron", string_literal, errors);
    let lower_bound = own.take_value("lower_bound_delta", spanned_duration, errors);
    let timezone = own.take_value("timezone", string_literal, errors);
    let (deadline, lower_bound) = (deadline?, lower_bound?);
    let zone_name = timezone
        .as_ref()
        .map_or_else(|| "UTC".to_owned(), LitStr::value);
    if let Err(error) = FreshnessPolicy::cron(&deadline.value(), lower_bound.0, &zone_name) {
        // The error marks the option that it is about.
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
        timezone: zone_name,
    })
}
