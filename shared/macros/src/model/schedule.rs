//! [`ScheduleModel`]: the options of `#[schedule(..)]`.

use std::time::Duration;

use precip_core::cron::{CronExpression, parse_time_zone};
use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Error, Expr, LitStr, Result, spanned::Spanned};

use super::{TriggerItem, TriggerModel};
use crate::{
    errors::Errors,
    options::{
        Entry, OptionValue, Options, duration_literal, integer_literal, one_of, parsed_literal,
        string_literal,
    },
};

const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// A schedule, as declared.
pub(crate) struct ScheduleModel {
    pub(crate) common: TriggerModel,
    pub(crate) timing: TimingModel,
    pub(crate) catch_up: Option<CatchUpModel>,
}

/// The times at which a schedule ticks.
pub(crate) enum TimingModel {
    Cron {
        cron: LitStr,
        timezone: Option<LitStr>,
    },
    Partitions {
        /// Minute, hour, weekday and day of the month.
        offsets: [Option<u32>; 4],
        timezone: Option<LitStr>,
    },
}

/// The missed ticks that are caught up on.
pub(crate) enum CatchUpModel {
    All,
    Latest,
    Within(Duration),
}

impl ScheduleModel {
    /// Reads the options of a schedule; `None` when they give no times.
    pub(crate) fn read(
        options: TokenStream,
        item: &TriggerItem,
        errors: &mut Errors,
    ) -> Option<Self> {
        Options::read("`#[schedule]`", options, errors, |options, errors| {
            let timing = read_timing(options, errors);
            let catch_up = options.take_value("catch_up", catch_up_policy, errors);
            let common = TriggerModel::read(item, options, errors);
            Some(Self {
                common,
                timing: timing?,
                catch_up,
            })
        })
    }
}

/// Reads the times: `cron` with `timezone`, or `from_partitions`.
fn read_timing(options: &mut Options, errors: &mut Errors) -> Option<TimingModel> {
    let cron = options.contains("cron");
    let timezone = options.contains("timezone");
    match (cron, options.take_entry("from_partitions")) {
        (false, None) => {
            errors.push(Error::new(
                options.span(),
                "write when it ticks: `cron = \"0 6 * * *\"`, or `from_partitions` for one tick after \
                 each window of the target's partitions",
            ));
            None
        }
        (true, Some(entry)) => {
            errors.push(Error::new(
                entry.name.span(),
                "a schedule has `cron` or `from_partitions`: keep one",
            ));
            None
        }
        (true, None) => {
            let expression = options.take_value("cron", parsed_literal::<CronExpression>, errors);
            let zone = options.take_value("timezone", time_zone, errors);
            Some(TimingModel::Cron {
                cron: expression?,
                timezone: zone,
            })
        }
        (false, Some(entry)) => {
            // With `from_partitions` the zone is inside its parentheses.
            if timezone && let Some(misplaced) = options.take_entry("timezone") {
                errors.push(Error::new(
                    misplaced.name.span(),
                    "write it next to the hour: `from_partitions(hour = 6, timezone = \"..\")`",
                ));
            }
            read_from_partitions(entry, errors)
        }
    }
}

/// Reads `from_partitions`, or `from_partitions(hour = 6, ..)`.
fn read_from_partitions(entry: Entry, errors: &mut Errors) -> Option<TimingModel> {
    let inside = match entry.value {
        OptionValue::Flag => TokenStream::new(),
        OptionValue::Group(inside) => inside,
        OptionValue::Value(value) => {
            errors.push(Error::new(
                value.span(),
                "write `from_partitions`, or `from_partitions(hour = 6)`",
            ));
            return None;
        }
    };
    let timing = Options::read("`from_partitions`", inside, errors, |options, errors| {
        let mut number = |name: &str, least: i64, most: i64, errors: &mut Errors| {
            let parse = |value: &Expr| integer_literal(value, least, most, "");
            u32::try_from(options.take_value(name, parse, errors)?).ok()
        };
        let minute = number("minute", 0, 59, errors);
        let hour = number("hour", 0, 23, errors);
        let day = number("day", 1, 31, errors);
        let weekday = options
            .take_value("weekday", |value| one_of(value, &WEEKDAYS), errors)
            .and_then(|name| WEEKDAYS.iter().position(|day| *day == name))
            .and_then(|index| u32::try_from(index).ok());
        TimingModel::Partitions {
            offsets: [minute, hour, weekday, day],
            timezone: options.take_value("timezone", time_zone, errors),
        }
    });
    Some(timing)
}

/// Parses the name of a time zone.
fn time_zone(value: &Expr) -> Result<LitStr> {
    let text = string_literal(value)?;
    match parse_time_zone(&text.value()) {
        Ok(_) => Ok(text),
        Err(error) => Err(Error::new(text.span(), error)),
    }
}

/// Parses `all`, `latest` or `within("6h")`.
fn catch_up_policy(value: &Expr) -> Result<CatchUpModel> {
    if let Expr::Call(call) = value
        && call.func.to_token_stream().to_string() == "within"
        && let Some(age) = call.args.first()
        && call.args.len() == 1
    {
        return duration_literal(age).map(CatchUpModel::Within);
    }
    // Plain names, so their text is compared.
    match value.to_token_stream().to_string().as_str() {
        "all" => Ok(CatchUpModel::All),
        "latest" => Ok(CatchUpModel::Latest),
        other => Err(Error::new(
            value.span(),
            format!(
                "`{other}` is not a way to catch up: write `all`, `latest` or `within(\"6h\")`"
            ),
        )),
    }
}
