//! What `#[sensor(..)]` says.

use precip_core::trigger::KeyTemplate;
use proc_macro2::TokenStream;
use syn::{Error, Expr, LitStr, Path};

use super::{
    TriggerItem, TriggerModel,
    trigger::{self, paths, selection},
};
use crate::{
    errors::Errors,
    options::{Options, choice, expr, integer, list, parsed, string},
};

/// A sensor, as written.
pub(crate) struct SensorModel {
    pub(crate) common: TriggerModel,
    pub(crate) source: SourceModel,
}

/// What it waits for.
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

/// Which objects.
pub(crate) enum FilterModel {
    Key(LitStr),
    Between {
        prefix: Option<LitStr>,
        suffix: Option<LitStr>,
    },
}

/// The options of each kind of sensor: the first says which kind it is.
const KINDS: [&[&str]; 3] = [
    &["bucket", "key", "prefix", "suffix", "min_size", "deletes"],
    &["assets", "require"],
    &["runs", "of"],
];

impl SensorModel {
    /// Reads the options of a sensor; `None` when they do not say what it waits for.
    pub(crate) fn read(
        options: TokenStream,
        item: &TriggerItem,
        errors: &mut Errors,
    ) -> Option<Self> {
        let known: Vec<&str> = KINDS
            .concat()
            .into_iter()
            .chain(trigger::OPTIONS.iter().copied())
            .collect();
        let mut options = Options::parse("`#[sensor]`", options, &known, errors);
        let common = TriggerModel::read(item, &mut options, errors);
        let source = source(&mut options, item, errors)?;
        Some(Self { common, source })
    }
}

fn source(options: &mut Options, item: &TriggerItem, errors: &mut Errors) -> Option<SourceModel> {
    let Some(kind) = KINDS.iter().position(|kind| options.has(kind[0])) else {
        errors.push(Error::new(
            options.span(),
            "say what it waits for: objects in a `bucket = \"..\"`, new materializations of \
             `assets = [..]`, or the end of `runs = [failed]`",
        ));
        return None;
    };
    for other in KINDS.iter().enumerate().filter(|(place, _)| *place != kind) {
        for name in other.1.iter() {
            if let Some(entry) = options.take(name) {
                errors.push(Error::new(
                    entry.name.span(),
                    format!(
                        "a sensor with `{}` has no `{name}`: leave one of them out",
                        KINDS[kind][0]
                    ),
                ));
            }
        }
    }
    match kind {
        0 => objects(options, item, errors),
        1 => {
            let span = options.span();
            let assets = options.value("assets", paths, errors);
            let require = options.value("require", |v| choice(v, &["all", "any"]), errors);
            let assets = assets?;
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
            let statuses = options.value("runs", statuses, errors);
            let of = options.value("of", selection, errors);
            if !item.is_function() {
                errors.push(Error::new(
                    item.name().span(),
                    "what is to be done when a run ends is said by a function: put the attribute on one",
                ));
            }
            Some(SourceModel::Runs {
                statuses: statuses?,
                of,
            })
        }
    }
}

fn statuses(value: &Expr) -> syn::Result<Vec<String>> {
    let names = ["succeeded", "failed", "canceled"];
    let listed = list(value)?;
    if listed.is_empty() {
        return Err(Error::new_spanned(
            value,
            "name at least one: `runs = [failed]`",
        ));
    }
    listed.iter().map(|status| choice(status, &names)).collect()
}

fn objects(options: &mut Options, item: &TriggerItem, errors: &mut Errors) -> Option<SourceModel> {
    let bucket = options.value("bucket", expr, errors);
    let deletes = options.flag("deletes", errors);
    let least = |value: &Expr| integer(value, 0, i64::MAX, "bytes");
    let min_size = options.value("min_size", least, errors);
    if options.has("key") {
        for name in ["prefix", "suffix"] {
            if let Some(entry) = options.take(name) {
                errors.push(Error::new(
                    entry.name.span(),
                    format!("the `key` says already what keys look like: leave `{name}` out"),
                ));
            }
        }
    } else if !options.has("prefix") && !options.has("suffix") && !item.is_function() {
        errors.push(Error::new(
            options.span(),
            "say which objects: `key = \"orders/{date}.csv\"`, or `prefix` and `suffix`",
        ));
    }
    let filter = if options.has("key") {
        options
            .value("key", parsed::<KeyTemplate>, errors)
            .map(FilterModel::Key)
    } else {
        Some(FilterModel::Between {
            prefix: options.value("prefix", string, errors),
            suffix: options.value("suffix", string, errors),
        })
    };
    Some(SourceModel::Objects {
        bucket: Box::new(bucket?),
        filter: filter?,
        min_size: min_size.and_then(|size| u64::try_from(size).ok()),
        deletes,
    })
}
