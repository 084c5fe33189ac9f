//! What `#[schedule(..)]` says.

use std::time::Duration;

use precip_core::cron::{CronExpression, parse_time_zone};
use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Error, Expr, LitStr, Result, spanned::Spanned};

use super::{TriggerItem, TriggerModel, trigger};
use crate::{
    errors::Errors,
    options::{Given, Options, choice, duration, integer, parsed, string},
};

const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// A schedule, as written.
pub(crate) struct ScheduleModel {
    pub(crate) common: TriggerModel,
    pub(crate) timing: TimingModel,
    pub(crate) catch_up: Option<CatchUpModel>,
}

/// When it ticks.
pub(crate) enum TimingModel {
    Cron {
        cron: LitStr,
        timezone: Option<LitStr>,
    },
    Partitions {
        /// Minute, hour, weekday and day.
        places: [Option<u32>; 4],
        timezone: Option<LitStr>,
    },
}

/// Which missed ticks are made up for.
pub(crate) enum CatchUpModel {
    All,
    Latest,
    Within(Duration),
}

impl ScheduleModel {
    /// Reads the options of a schedule; `None` when they do not say when it ticks.
    pub(crate) fn read(
        options: TokenStream,
        item: &TriggerItem,
        errors: &mut Errors,
    ) -> Option<Self> {
        let known: Vec<&str> = ["cron", "timezone", "from_partitions", "catch_up"]
            .into_iter()
            .chain(trigger::OPTIONS.iter().copied())
            .collect();
        let mut options = Options::parse("`#[schedule]`", options, &known, errors);
        let common = TriggerModel::read(item, &mut options, errors);
        let catch_up = options.value("catch_up", catch_up, errors);
        let timing = timing(&mut options, errors)?;
        Some(Self {
            common,
            timing,
            catch_up,
        })
    }
}

fn timing(options: &mut Options, errors: &mut Errors) -> Option<TimingModel> {
    match (options.has("cron"), options.take("from_partitions")) {
        (false, None) => {
            errors.push(Error::new(
                options.span(),
                "say when it ticks: `cron = \"0 6 * * *\"`, or `from_partitions` for once after each \
                 window of the target's partitions",
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
            let cron = options.value("cron", parsed::<CronExpression>, errors);
            let timezone = options.value("timezone", time_zone, errors);
            Some(TimingModel::Cron {
                cron: cron?,
                timezone,
            })
        }
        (false, Some(entry)) => {
            if let Some(entry) = options.take("timezone") {
                errors.push(Error::new(
                    entry.name.span(),
                    "write it where the hour stands: `from_partitions(hour = 6, timezone = \"..\")`",
                ));
            }
            let inside = match entry.given {
                Given::Flag => TokenStream::new(),
                Given::Group(inside) => inside,
                Given::Value(value) => {
                    errors.push(Error::new(
                        value.span(),
                        "write `from_partitions`, or `from_partitions(hour = 6)`",
                    ));
                    return None;
                }
            };
            Some(from_partitions(inside, errors))
        }
    }
}

fn from_partitions(inside: TokenStream, errors: &mut Errors) -> TimingModel {
    let known = ["minute", "hour", "weekday", "day", "timezone"];
    let mut options = Options::parse("`from_partitions`", inside, &known, errors);
    let mut number = |name: &str, least: i64, most: i64, errors: &mut Errors| {
        let read = |value: &Expr| integer(value, least, most, "");
        let number = options.value(name, read, errors)?;
        u32::try_from(number).ok()
    };
    let minute = number("minute", 0, 59, errors);
    let hour = number("hour", 0, 23, errors);
    let day = number("day", 1, 31, errors);
    let weekday = options.value("weekday", |value| choice(value, &WEEKDAYS), errors);
    let weekday = weekday.and_then(|name| WEEKDAYS.iter().position(|day| *day == name));
    TimingModel::Partitions {
        places: [
            minute,
            hour,
            weekday.and_then(|day| u32::try_from(day).ok()),
            day,
        ],
        timezone: options.value("timezone", time_zone, errors),
    }
}

fn time_zone(value: &Expr) -> Result<LitStr> {
    let text = string(value)?;
    match parse_time_zone(&text.value()) {
        Ok(_) => Ok(text),
        Err(error) => Err(Error::new(text.span(), error)),
    }
}

fn catch_up(value: &Expr) -> Result<CatchUpModel> {
    if let Expr::Call(call) = value
        && call.func.to_token_stream().to_string() == "within"
        && let Some(age) = call.args.first()
        && call.args.len() == 1
    {
        return duration(age).map(CatchUpModel::Within);
    }
    match value.to_token_stream().to_string().as_str() {
        "all" => Ok(CatchUpModel::All),
        "latest" => Ok(CatchUpModel::Latest),
        other => Err(Error::new(
            value.span(),
            format!("`{other}` is no way to catch up: write `all`, `latest` or `within(\"6h\")`"),
        )),
    }
}
