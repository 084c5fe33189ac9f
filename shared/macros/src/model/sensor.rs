//! [`SensorModel`]: the options of `#[sensor(..)]`.

use precip_core::trigger::KeyTemplate;
use proc_macro2::TokenStream;
use syn::{Error, Expr, LitStr, Path};

use super::{TriggerItem, TriggerModel, trigger::selection_literal};
use crate::{
    errors::Errors,
    options::{
        Options, any_expr, asset_paths, integer_literal, list_elements, one_of, parsed_literal,
        string_literal,
    },
};

/// A sensor, as declared.
pub(crate) struct SensorModel {
    pub(crate) common: TriggerModel,
    pub(crate) source: SourceModel,
}

/// The source of a sensor's events.
pub(crate) enum SourceModel {
    Objects {
        bucket: Box<Expr>,
        filter: FilterModel,
        min_size: Option<u64>,
        deletes: bool,
    },
    Assets {
        assets: Vec<Path>,
        any: bool,
    },
    Runs {
        statuses: Vec<String>,
        of: Option<LitStr>,
    },
}

/// The filter of object keys.
pub(crate) enum FilterModel {
    Key(LitStr),
    Between {
        prefix: Option<LitStr>,
        suffix: Option<LitStr>,
    },
}

/// The options of each kind of sensor, by which a sensor's kind is recognized: the first of each is
/// required.
const SOURCE_OPTIONS: [&[&str]; 3] = [
    &["bucket", "key", "prefix", "suffix", "min_size", "deletes"],
    &["assets", "require"],
    &["runs", "of"],
];

impl SensorModel {
    /// Reads the options of a sensor; `None` when they give no source.
    pub(crate) fn read(
        options: TokenStream,
        item: &TriggerItem,
        errors: &mut Errors,
    ) -> Option<Self> {
        Options::read("`#[sensor]`", options, errors, |options, errors| {
            let source = read_source(options, item, errors);
            let common = TriggerModel::read(item, options, errors);
            Some(Self {
                common,
                source: source?,
            })
        })
    }
}

/// Reads the source of a sensor's events.
fn read_source(
    options: &mut Options,
    item: &TriggerItem,
    errors: &mut Errors,
) -> Option<SourceModel> {
    // Every option is asked for, so that a sensor without a kind has no unknown ones.
    for name in SOURCE_OPTIONS.concat() {
        options.contains(name);
    }
    // The first kind that is given wins; options of the others are refused below.
    let Some(kind) = SOURCE_OPTIONS
        .iter()
        .position(|names| options.contains(names[0]))
    else {
        errors.push(Error::new(
            options.span(),
            "write what it waits for: objects in a `bucket = \"..\"`, new materializations of \
             `assets = [..]`, or the end of `runs = [failed]`",
        ));
        return None;
    };
    for (_, names) in SOURCE_OPTIONS
        .iter()
        .enumerate()
        .filter(|(index, _)| *index != kind)
    {
        for name in names.iter() {
            if let Some(entry) = options.take_entry(name) {
                errors.push(Error::new(
                    entry.name.span(),
                    format!(
                        "a sensor with `{}` has no `{name}`: leave one of them out",
                        SOURCE_OPTIONS[kind][0]
                    ),
                ));
            }
        }
    }
    match kind {
        0 => read_objects(options, item, errors),
        1 => {
            let span = options.span();
            let listed = options.take_value("assets", asset_paths, errors);
            let require = options.take_value("require", |v| one_of(v, &["all", "any"]), errors);
            let assets = listed?;
            if assets.is_empty() {
                errors.push(Error::new(
                    span,
                    "name at least one asset: `assets = [flights, weather]`",
                ));
            }
            Some(SourceModel::Assets {
                assets,
                any: require.as_deref() == Some("any"),
            })
        }
        _ => {
            let statuses = options.take_value("runs", run_statuses, errors);
            let of = options.take_value("of", selection_literal, errors);
            if !item.is_function() {
                errors.push(Error::new(
                    item.name().span(),
                    "a sensor of runs needs a function that decides what to do: put the attribute on one",
                ));
            }
            Some(SourceModel::Runs {
                statuses: statuses?,
                of,
            })
        }
    }
}

/// Parses a list of statuses in which runs end.
fn run_statuses(value: &Expr) -> syn::Result<Vec<String>> {
    let names = ["succeeded", "failed", "canceled"];
    let listed = list_elements(value)?;
    if listed.is_empty() {
        return Err(Error::new_spanned(
            value,
            "name at least one status: `runs = [failed]`",
        ));
    }
    listed.iter().map(|status| one_of(status, &names)).collect()
}

/// Reads the options of a sensor of objects.
fn read_objects(
    options: &mut Options,
    item: &TriggerItem,
    errors: &mut Errors,
) -> Option<SourceModel> {
    let bucket = options.take_value("bucket", any_expr, errors);
    let deletes = options.take_flag("deletes", errors);
    let bytes = |value: &Expr| integer_literal(value, 0, i64::MAX, "bytes");
    let min_size = options.take_value("min_size", bytes, errors);
    let has_key = options.contains("key");
    if has_key {
        for name in ["prefix", "suffix"] {
            if let Some(entry) = options.take_entry(name) {
                errors.push(Error::new(
                    entry.name.span(),
                    format!("`key` describes the whole object key: leave `{name}` out"),
                ));
            }
        }
    } else if !options.contains("prefix") && !options.contains("suffix") && !item.is_function() {
        errors.push(Error::new(
            options.span(),
            "write which objects: `key = \"orders/{date}.csv\"`, or `prefix` and `suffix`",
        ));
    }
    // A template of the key, or prefix and suffix; without any, all objects.
    let filter = if has_key {
        options
            .take_value("key", parsed_literal::<KeyTemplate>, errors)
            .map(FilterModel::Key)
    } else {
        Some(FilterModel::Between {
            prefix: options.take_value("prefix", string_literal, errors),
            suffix: options.take_value("suffix", string_literal, errors),
        })
    };
    Some(SourceModel::Objects {
        bucket: Box::new(bucket?),
        filter: filter?,
        min_size: min_size.and_then(|size| u64::try_from(size).ok()),
        deletes,
    })
}
