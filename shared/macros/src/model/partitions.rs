//! What `partitions!(..)` says.

use precip_core::nearest::{nearest, or_list};
use precip_core::partitions::{
    InvalidTimeWindows, MultiPartitions, PartitionsDefinition, StaticPartitions, TimeWindowBuilder,
    TimeWindowPartitions,
};
use proc_macro2::{Ident, Span, TokenStream};
use syn::{
    Error, Expr, LitStr, Path, Result, Token,
    ext::IdentExt,
    parenthesized,
    parse::{Parse, ParseStream, Parser},
    punctuated::Punctuated,
    token,
};

use crate::{
    errors::Errors,
    options::{Options, integer, list, string},
};

/// The kinds of definition.
const KINDS: &[&str] = &[
    "hourly", "daily", "weekly", "monthly", "cron", "static", "dynamic", "multi",
];

/// A partitions definition, as written.
pub(crate) enum PartitionsModel {
    Time(TimeModel),
    Static(Vec<LitStr>),
    Dynamic(LitStr),
    Multi(Vec<(Ident, Self)>),
    /// One that is declared elsewhere: a dimension of a `multi`.
    Shared(Path),
}

/// Windows of time: the builder's calls, in order.
pub(crate) struct TimeModel {
    /// `hourly`, `daily`, ..
    pub(crate) cadence: Ident,
    /// `schedule` of `cron`.
    pub(crate) schedule: Option<LitStr>,
    pub(crate) start: LitStr,
    /// Calls with a text.
    pub(crate) texts: Vec<(&'static str, LitStr)>,
    /// Calls with a number.
    pub(crate) numbers: Vec<(&'static str, i64, Span)>,
}

struct Written {
    kind: Ident,
    inside: TokenStream,
}

impl Parse for Written {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let kind = input.call(Ident::parse_any)?;
        let inside;
        parenthesized!(inside in input);
        Ok(Self {
            kind,
            inside: inside.parse()?,
        })
    }
}

impl PartitionsModel {
    /// Reads a definition.
    pub(crate) fn read(tokens: TokenStream, errors: &mut Errors) -> Option<Self> {
        if tokens.is_empty() {
            errors.push(Error::new(
                Span::call_site(),
                "write a definition, like `partitions!(daily(start = \"2024-01-01\"))`",
            ));
            return None;
        }
        let written = errors.take(syn::parse2::<Written>(tokens))?;
        Self::of(written, errors)
    }

    fn of(written: Written, errors: &mut Errors) -> Option<Self> {
        let kind = written.kind.to_string();
        match kind.as_str() {
            "hourly" | "daily" | "weekly" | "monthly" | "cron" => {
                TimeModel::read(written, errors).map(Self::Time)
            }
            "static" => keys(written.inside, errors).map(Self::Static),
            "dynamic" => dynamic(&written, errors).map(Self::Dynamic),
            "multi" => dimensions(&written, errors).map(Self::Multi),
            _ => {
                errors.push(unknown_kind(&written.kind));
                None
            }
        }
    }

    /// The definition itself; `None` for one that is partly declared elsewhere.
    fn definition(&self) -> Option<PartitionsDefinition> {
        match self {
            Self::Time(time) => time.build().ok().map(Into::into),
            Self::Static(keys) => StaticPartitions::new(keys.iter().map(LitStr::value))
                .ok()
                .map(Into::into),
            Self::Dynamic(_) | Self::Multi(_) | Self::Shared(_) => None,
        }
    }
}

fn unknown_kind(kind: &Ident) -> Error {
    let name = kind.to_string();
    let hint = match nearest(&name, KINDS.iter().copied()).first() {
        Some(near) => format!("did you mean `{near}`? The kinds are "),
        None => "the kinds are ".to_owned(),
    };
    let kinds = or_list(KINDS).replace(" or ", " and ");
    Error::new(
        kind.span(),
        format!("there are no `{name}` partitions: {hint}{kinds}"),
    )
}

fn keys(tokens: TokenStream, errors: &mut Errors) -> Option<Vec<LitStr>> {
    let read = Punctuated::<LitStr, Token![,]>::parse_terminated.parse2(tokens);
    let keys: Vec<LitStr> = errors.take(read)?.into_iter().collect();
    // One at a time, so that the key that does not fit is the one that is marked.
    for (place, key) in keys.iter().enumerate() {
        let so_far = keys[..=place].iter().map(LitStr::value);
        if let Err(error) = StaticPartitions::new(so_far) {
            errors.push(Error::new(key.span(), error));
            return None;
        }
    }
    Some(keys)
}

fn dynamic(written: &Written, errors: &mut Errors) -> Option<LitStr> {
    let read = syn::parse2::<LitStr>(written.inside.clone()).map_err(|_| {
        Error::new(
            written.kind.span(),
            "write the name of the set of keys: `dynamic(\"customers\")`",
        )
    });
    errors.take(read)
}

struct Dimension {
    name: Ident,
    definition: DimensionWritten,
}

enum DimensionWritten {
    Own(Written),
    Shared(Path),
}

impl Parse for Dimension {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let name = input.parse()?;
        input.parse::<Token![=]>()?;
        let definition = if input.peek2(token::Paren) {
            DimensionWritten::Own(input.parse()?)
        } else {
            DimensionWritten::Shared(input.parse()?)
        };
        Ok(Self { name, definition })
    }
}

fn dimensions(written: &Written, errors: &mut Errors) -> Option<Vec<(Ident, PartitionsModel)>> {
    let read = Punctuated::<Dimension, Token![,]>::parse_terminated.parse2(written.inside.clone());
    let mut dimensions = Vec::new();
    let mut whole = true;
    for dimension in errors.take(read)? {
        let definition = match dimension.definition {
            DimensionWritten::Own(own) => PartitionsModel::of(own, errors),
            DimensionWritten::Shared(path) => Some(PartitionsModel::Shared(path)),
        };
        match definition {
            Some(definition) => dimensions.push((dimension.name, definition)),
            None => whole = false,
        }
    }
    let known: Option<Vec<(String, PartitionsDefinition)>> = dimensions
        .iter()
        .map(|(name, model)| Some((name.unraw().to_string(), model.definition()?)))
        .collect();
    if let Some(known) = known.filter(|_| whole)
        && let Err(error) = MultiPartitions::new(known)
    {
        errors.push(Error::new(written.kind.span(), error));
        return None;
    }
    whole.then_some(dimensions)
}

impl TimeModel {
    fn read(written: Written, errors: &mut Errors) -> Option<Self> {
        let is_cron = written.kind == "cron";
        let owner = format!("`{}`", written.kind);
        let known: &[&str] = match written.kind.to_string().as_str() {
            "hourly" => &[
                "start",
                "end",
                "timezone",
                "fmt",
                "end_offset",
                "minute_offset",
                "exclude",
                "exclude_at",
            ],
            "daily" => &[
                "start",
                "end",
                "timezone",
                "fmt",
                "end_offset",
                "minute_offset",
                "hour_offset",
                "exclude",
                "exclude_at",
            ],
            "cron" => &[
                "schedule",
                "start",
                "end",
                "timezone",
                "fmt",
                "end_offset",
                "exclude",
                "exclude_at",
            ],
            _ => &[
                "start",
                "end",
                "timezone",
                "fmt",
                "end_offset",
                "minute_offset",
                "hour_offset",
                "day_offset",
                "exclude",
                "exclude_at",
            ],
        };
        let mut options = Options::parse(owner, written.inside, known, errors);
        let mut require = |name: &str, example: &str, errors: &mut Errors| {
            if !options.has(name) {
                errors.push(Error::new(
                    written.kind.span(),
                    format!(
                        "`{}` needs `{name}`: write `{name} = \"{example}\"`",
                        written.kind
                    ),
                ));
            }
            options.value(name, string, errors)
        };
        let example = if written.kind == "hourly" {
            "2024-01-31-00:00"
        } else {
            "2024-01-31"
        };
        let start = require("start", example, errors);
        let schedule = if is_cron {
            // Windows of a schedule have no usual format; the date is enough for most.
            Some(require("schedule", "0 6 * * 1-5", errors)?)
        } else {
            None
        };
        let mut texts = Vec::new();
        for name in ["end", "timezone", "fmt"] {
            texts.extend(options.value(name, string, errors).map(|text| (name, text)));
        }
        for name in ["exclude", "exclude_at"] {
            for element in options.value(name, list, errors).unwrap_or_default() {
                texts.extend(errors.take(string(&element)).map(|text| (name, text)));
            }
        }
        let mut numbers = Vec::new();
        for (name, least, most) in [
            ("end_offset", i32::MIN.into(), i64::from(i32::MAX)),
            ("minute_offset", 0, 59),
            ("hour_offset", 0, 23),
            (
                "day_offset",
                0,
                if written.kind == "weekly" { 6 } else { 31 },
            ),
        ] {
            let read = |value: &Expr| {
                let number = integer(value, least, most, "")?;
                Ok((name, number, syn::spanned::Spanned::span(value)))
            };
            numbers.extend(options.value(name, read, errors));
        }
        let model = Self {
            cadence: written.kind,
            schedule,
            start: start?,
            texts,
            numbers,
        };
        match model.build() {
            Ok(_) => Some(model),
            Err(error) => {
                errors.push(Error::new(model.place(&error), error));
                None
            }
        }
    }

    /// The format of keys of a cron schedule that gives none: to the minute.
    pub(crate) const CRON_FORMAT: &str = "%Y-%m-%d-%H:%M";

    fn build(&self) -> std::result::Result<TimeWindowPartitions, InvalidTimeWindows> {
        let start = self.start.value();
        let mut builder: TimeWindowBuilder = match self.cadence.to_string().as_str() {
            "hourly" => TimeWindowPartitions::hourly(start),
            "daily" => TimeWindowPartitions::daily(start),
            "weekly" => TimeWindowPartitions::weekly(start),
            "monthly" => TimeWindowPartitions::monthly(start),
            _ => {
                let schedule = self
                    .schedule
                    .as_ref()
                    .map(LitStr::value)
                    .unwrap_or_default();
                TimeWindowPartitions::cron(schedule, start, Self::CRON_FORMAT)
            }
        };
        for (call, text) in &self.texts {
            let text = text.value();
            builder = match *call {
                "end" => builder.end(text),
                "timezone" => builder.timezone(text),
                "fmt" => builder.fmt(text),
                "exclude" => builder.exclude(text),
                _ => builder.exclude_at(text),
            };
        }
        for (call, number, _) in &self.numbers {
            let whole = u32::try_from(*number).unwrap_or_default();
            builder = match *call {
                "end_offset" => builder.end_offset(i32::try_from(*number).unwrap_or_default()),
                "minute_offset" => builder.minute_offset(whole),
                "hour_offset" => builder.hour_offset(whole),
                _ => builder.day_offset(whole),
            };
        }
        let built = builder.build()?;
        built.check_keys()?;
        Ok(built)
    }

    /// The tokens that an error is about.
    fn place(&self, error: &InvalidTimeWindows) -> Span {
        let text = |name: &str| {
            let given = self.texts.iter().find(|(call, _)| *call == name);
            given.map(|(_, text)| text.span())
        };
        let exclusion = |refused: &str| {
            let given = self.texts.iter().find(|(call, text)| {
                call.starts_with("exclude") && refused.contains(&text.value())
            });
            given.map(|(_, text)| text.span())
        };
        let found = match error {
            InvalidTimeWindows::Cron(_) => self.schedule.as_ref().map(LitStr::span),
            InvalidTimeWindows::Exclusion(cron) => exclusion(&cron.to_string()),
            InvalidTimeWindows::TimeZone(_) => text("timezone"),
            InvalidTimeWindows::Format(_) | InvalidTimeWindows::CoarseFormat { .. } => text("fmt"),
            InvalidTimeWindows::Moment {
                field, text: given, ..
            } => match *field {
                "start" => Some(self.start.span()),
                "end" => text("end"),
                _ => exclusion(given),
            },
            InvalidTimeWindows::NoSuchOffset { offset, .. } => {
                let given = self.numbers.iter().find(|(call, _, _)| call == offset);
                given.map(|(_, _, span)| *span)
            }
        };
        found.unwrap_or_else(|| self.cadence.span())
    }
}
