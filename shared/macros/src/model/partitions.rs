//! [`PartitionsModel`]: the definition inside `partitions!(..)`.

use precip_core::{
    nearest::nearest_names,
    partitions::{
        InvalidTimeWindows, MultiPartitions, PartitionsDefinition, StaticPartitions,
        TimeWindowBuilder, TimeWindowPartitions,
    },
    prose::and_list,
};
use proc_macro2::{Ident, Span, TokenStream};
use syn::{
    Error, LitStr, Path, Result, Token,
    ext::IdentExt,
    parenthesized,
    parse::{Parse, ParseStream, Parser},
    punctuated::Punctuated,
    spanned::Spanned,
    token,
};

use crate::{
    errors::Errors,
    options::{Options, integer_literal, list_elements, string_literal},
};

/// The kinds of definition.
const KINDS: &[&str] = &[
    "hourly", "daily", "weekly", "monthly", "cron", "static", "dynamic", "multi",
];

/// A partitions definition, as declared.
pub(crate) enum PartitionsModel {
    Time(TimeModel),
    Static(Vec<LitStr>),
    Dynamic(LitStr),
    Multi(Vec<(Ident, Self)>),
    /// A dimension of a `multi` that is declared elsewhere.
    Shared(Path),
}

/// Time windows: the calls of the builder, in order.
pub(crate) struct TimeModel {
    /// `hourly`, `daily`, ..
    pub(crate) cadence: Ident,
    /// The `schedule` of a `cron` definition.
    pub(crate) schedule: Option<LitStr>,
    pub(crate) start: LitStr,
    /// Calls with a string: the method and its argument.
    pub(crate) texts: Vec<(&'static str, LitStr)>,
    /// Calls with a number: the method, its argument and the position in the source.
    pub(crate) numbers: Vec<(&'static str, i64, Span)>,
}

/// A definition before it is read: `kind(..)`.
struct DefinitionTokens {
    kind: Ident,
    inside: TokenStream,
}

impl Parse for DefinitionTokens {
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
        let definition = errors.ok_or_push(syn::parse2::<DefinitionTokens>(tokens))?;
        Self::read_kind(definition, errors)
    }

    /// Reads a definition by its kind.
    fn read_kind(definition: DefinitionTokens, errors: &mut Errors) -> Option<Self> {
        let kind = definition.kind.to_string();
        match kind.as_str() {
            "hourly" | "daily" | "weekly" | "monthly" | "cron" => {
                TimeModel::read(definition, errors).map(Self::Time)
            }
            "static" => read_static_keys(definition.inside, errors).map(Self::Static),
            "dynamic" => read_set_name(&definition, errors).map(Self::Dynamic),
            "multi" => read_dimensions(&definition, errors).map(Self::Multi),
            _ => {
                errors.push(unknown_kind(&definition.kind));
                None
            }
        }
    }

    /// Returns the definition itself; `None` for one that is not known at compile time.
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
    let hint = match nearest_names(&name, KINDS.iter().copied()).first() {
        Some(near) => format!("did you mean `{near}`? The kinds are "),
        None => "the kinds are ".to_owned(),
    };
    let kinds = and_list(KINDS);
    Error::new(
        kind.span(),
        format!("there are no `{name}` partitions: {hint}{kinds}"),
    )
}

/// Reads the keys of `static(..)`.
fn read_static_keys(tokens: TokenStream, errors: &mut Errors) -> Option<Vec<LitStr>> {
    let parsed = Punctuated::<LitStr, Token![,]>::parse_terminated.parse2(tokens);
    let keys: Vec<LitStr> = errors.ok_or_push(parsed)?.into_iter().collect();
    // Adding one key at a time shows which key is invalid, so that the error marks it.
    for (index, key) in keys.iter().enumerate() {
        let so_far = keys[..=index].iter().map(LitStr::value);
        if let Err(error) = StaticPartitions::new(so_far) {
            errors.push(Error::new(key.span(), error));
            return None;
        }
    }
    Some(keys)
}

/// Reads the name of the set of keys in `dynamic(..)`.
fn read_set_name(definition: &DefinitionTokens, errors: &mut Errors) -> Option<LitStr> {
    let parsed = syn::parse2::<LitStr>(definition.inside.clone()).map_err(|_| {
        Error::new(
            definition.kind.span(),
            "write the name of the set of keys: `dynamic(\"customers\")`",
        )
    });
    errors.ok_or_push(parsed)
}

/// One dimension of a `multi`: `name = definition`.
struct Dimension {
    name: Ident,
    definition: DimensionDefinition,
}

/// The definition of a dimension: written in place, or declared elsewhere.
enum DimensionDefinition {
    Own(DefinitionTokens),
    Shared(Path),
}

impl Parse for Dimension {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let name = input.parse()?;
        input.parse::<Token![=]>()?;
        let definition = if input.peek2(token::Paren) {
            DimensionDefinition::Own(input.parse()?)
        } else {
            DimensionDefinition::Shared(input.parse()?)
        };
        Ok(Self { name, definition })
    }
}

/// Reads the dimensions of `multi(..)`.
fn read_dimensions(
    multi: &DefinitionTokens,
    errors: &mut Errors,
) -> Option<Vec<(Ident, PartitionsModel)>> {
    let parsed = Punctuated::<Dimension, Token![,]>::parse_terminated.parse2(multi.inside.clone());
    let mut dimensions = Vec::new();
    let mut all_valid = true;
    for dimension in errors.ok_or_push(parsed)? {
        let definition = match dimension.definition {
            DimensionDefinition::Own(own) => PartitionsModel::read_kind(own, errors),
            DimensionDefinition::Shared(path) => Some(PartitionsModel::Shared(path)),
        };
        match definition {
            Some(definition) => dimensions.push((dimension.name, definition)),
            None => all_valid = false,
        }
    }
    // How dimensions fit together can only be checked here if all of them are known; otherwise it
    // is checked when the definition is first used.
    let known: Option<Vec<(String, PartitionsDefinition)>> = dimensions
        .iter()
        .map(|(name, model)| Some((name.unraw().to_string(), model.definition()?)))
        .collect();
    if let Some(known) = known.filter(|_| all_valid)
        && let Err(error) = MultiPartitions::new(known)
    {
        errors.push(Error::new(multi.kind.span(), error));
        return None;
    }
    all_valid.then_some(dimensions)
}

/// Takes a string option that must be given.
fn require(
    name: &str,
    example: &str,
    cadence: &Ident,
    options: &mut Options,
    errors: &mut Errors,
) -> Option<LitStr> {
    if !options.contains(name) {
        errors.push(Error::new(
            cadence.span(),
            format!("`{cadence}` needs `{name}`: write `{name} = \"{example}\"`"),
        ));
    }
    options.take_value(name, string_literal, errors)
}

/// Returns the offsets that a cadence has, each with its least and its greatest value.
fn offsets(cadence: &Ident) -> Vec<(&'static str, i64, i64)> {
    let end = ("end_offset", i32::MIN.into(), i64::from(i32::MAX));
    let minute = ("minute_offset", 0, 59);
    let hour = ("hour_offset", 0, 23);
    match cadence.to_string().as_str() {
        // A cron schedule says itself when its windows begin.
        "cron" => vec![end],
        "hourly" => vec![end, minute],
        "daily" => vec![end, minute, hour],
        "weekly" => vec![end, minute, hour, ("day_offset", 0, 6)],
        _ => vec![end, minute, hour, ("day_offset", 0, 31)],
    }
}

impl TimeModel {
    /// Reads time windows.
    fn read(definition: DefinitionTokens, errors: &mut Errors) -> Option<Self> {
        let owner = format!("`{}`", definition.kind);
        let kind = definition.kind;
        let model = Options::read(owner, definition.inside, errors, |options, errors| {
            Self::read_options(kind, options, errors)
        })?;
        match model.build() {
            Ok(_) => Some(model),
            Err(error) => {
                errors.push(Error::new(model.error_span(&error), error));
                None
            }
        }
    }

    fn read_options(cadence: Ident, options: &mut Options, errors: &mut Errors) -> Option<Self> {
        // A schedule has no format of its own, and the date is enough for most.
        let schedule = (cadence == "cron")
            .then(|| require("schedule", "0 6 * * 1-5", &cadence, options, errors));
        let example = if cadence == "hourly" {
            "2024-01-31-00:00"
        } else {
            "2024-01-31"
        };
        let start = require("start", example, &cadence, options, errors);
        let mut texts = Vec::new();
        for name in ["end", "timezone", "fmt"] {
            let text = options.take_value(name, string_literal, errors);
            texts.extend(text.map(|text| (name, text)));
        }
        let mut numbers = Vec::new();
        // Offsets that the cadence does not have are unknown options.
        for (name, least, most) in offsets(&cadence) {
            let offset = options.take_value(
                name,
                |value| Ok((integer_literal(value, least, most, "")?, value.span())),
                errors,
            );
            numbers.extend(offset.map(|(number, span)| (name, number, span)));
        }
        for name in ["exclude", "exclude_at"] {
            let elements = options.take_value(name, list_elements, errors);
            for element in elements.unwrap_or_default() {
                let text = errors.ok_or_push(string_literal(&element));
                texts.extend(text.map(|text| (name, text)));
            }
        }
        Some(Self {
            cadence,
            schedule: match schedule {
                Some(schedule) => Some(schedule?),
                None => None,
            },
            start: start?,
            texts,
            numbers,
        })
    }

    /// The format of a cron schedule's keys without `fmt`: to the minute.
    pub(crate) const CRON_FORMAT: &str = "%Y-%m-%d-%H:%M";

    /// Builds the definition, which validates it.
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
            let value = text.value();
            builder = match *call {
                "end" => builder.end(value),
                "timezone" => builder.timezone(value),
                "fmt" => builder.fmt(value),
                "exclude" => builder.exclude(value),
                _ => builder.exclude_at(value),
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
        // A format that is coarser than the windows gives two windows one key.
        built.check_keys()?;
        Ok(built)
    }

    /// Returns the position of the tokens that an error is about.
    fn error_span(&self, error: &InvalidTimeWindows) -> Span {
        let text = |name: &str| {
            let given = self.texts.iter().find(|(call, _)| *call == name);
            given.map(|(_, text)| text.span())
        };
        // The error holds the exclusion as text, which finds its literal again.
        let exclusion = |refused: &str| {
            let given = self.texts.iter().find(|(call, text)| {
                call.starts_with("exclude") && refused.contains(&text.value())
            });
            given.map(|(_, text)| text.span())
        };
        // Errors about a value that was not given mark the kind itself.
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
