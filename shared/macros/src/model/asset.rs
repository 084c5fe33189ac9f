//! What is said of one asset.

use precip_core::{
    key::AssetKey,
    spec::{GroupName, Kind, Owner},
};
use syn::{Attribute, Error, Expr, ExprLit, Ident, Lit, LitStr, Meta, ext::IdentExt};

use super::{
    DeclaredCheck, Dep, FreshnessModel, Label,
    freshness::freshness,
    labels::{checks, labels, tags},
};
use crate::{
    errors::Errors,
    options::{Options, expr, list, parsed, string},
};

/// The options of one asset.
pub(crate) const OPTIONS: &[&str] = &[
    "key",
    "key_prefix",
    "name",
    "group",
    "tags",
    "owners",
    "kinds",
    "description",
    "code_version",
    "io_manager",
    "metadata",
    "deps",
    "checks",
    "freshness",
    "automation",
];

/// A doc comment.
#[derive(Default, Clone)]
pub(crate) struct Docs {
    /// The attributes, to be repeated on the marker type.
    pub(crate) attrs: Vec<Attribute>,
}

impl Docs {
    /// The doc comment among some attributes.
    pub(crate) fn of(attrs: &[Attribute]) -> Self {
        Self {
            attrs: attrs
                .iter()
                .filter(|attr| attr.path().is_ident("doc"))
                .cloned()
                .collect(),
        }
    }

    /// Its text: lines without the space after `///`, no empty line at either end.
    pub(crate) fn text(&self) -> Option<String> {
        let lines: Vec<String> = self
            .attrs
            .iter()
            .filter_map(|attr| match &attr.meta {
                Meta::NameValue(pair) => match &pair.value {
                    Expr::Lit(ExprLit {
                        lit: Lit::Str(text),
                        ..
                    }) => Some(text.value()),
                    _ => None,
                },
                _ => None,
            })
            .map(|line| {
                line.strip_prefix(' ')
                    .unwrap_or(&line)
                    .trim_end()
                    .to_owned()
            })
            .collect();
        let text = lines.join("\n").trim_matches('\n').to_owned();
        (!text.is_empty()).then_some(text)
    }
}

/// One asset, as written.
pub(crate) struct AssetModel {
    /// The marker type's name.
    pub(crate) marker: Ident,
    pub(crate) key: String,
    pub(crate) group: Option<LitStr>,
    pub(crate) tags: Vec<(LitStr, LitStr)>,
    pub(crate) owners: Vec<LitStr>,
    pub(crate) kinds: Vec<LitStr>,
    pub(crate) description: Option<String>,
    pub(crate) code_version: Option<LitStr>,
    pub(crate) io_manager: Option<LitStr>,
    pub(crate) metadata: Vec<Label>,
    /// `None` where nothing is said.
    pub(crate) deps: Option<Vec<Dep>>,
    /// Those whose results the function returns.
    pub(crate) checks: Vec<DeclaredCheck>,
    /// Those over its data.
    pub(crate) data_checks: Vec<Expr>,
    pub(crate) freshness: Option<FreshnessModel>,
    pub(crate) automation: Option<Expr>,
    pub(crate) docs: Docs,
}

impl AssetModel {
    /// Reads the options of an asset.
    pub(crate) fn read(
        marker: Ident,
        docs: Docs,
        options: &mut Options,
        errors: &mut Errors,
    ) -> Self {
        let (checks, data_checks) = checks(options, errors);
        Self {
            key: key(&marker, options, errors),
            group: options.value("group", parsed::<GroupName>, errors),
            tags: tags(options, errors),
            owners: strings::<Owner>("owners", options, errors),
            kinds: strings::<Kind>("kinds", options, errors),
            description: options
                .value("description", string, errors)
                .map(|text| text.value())
                .or_else(|| docs.text()),
            code_version: options.value("code_version", string, errors),
            io_manager: options.value("io_manager", string, errors),
            metadata: labels("metadata", options, errors),
            deps: options.value("deps", Dep::parse_list, errors),
            checks,
            data_checks,
            freshness: freshness(options, errors),
            automation: options.value("automation", expr, errors),
            marker,
            docs,
        }
    }
}

/// The key: given as a whole, or made of a prefix and a name, which is the function's unless given.
fn key(marker: &Ident, options: &mut Options, errors: &mut Errors) -> String {
    let whole = options.value("key", parsed::<AssetKey>, errors);
    let prefix = options.value("key_prefix", parsed::<AssetKey>, errors);
    let name = options.value("name", parsed::<AssetKey>, errors);
    if let Some(whole) = whole {
        for other in [&prefix, &name].into_iter().flatten() {
            errors.push(Error::new(
                other.span(),
                "`key` is the whole key: leave out `key_prefix` and `name`",
            ));
        }
        return whole.value();
    }
    let name = name.map_or_else(|| marker.unraw().to_string(), |name| name.value());
    let key = match prefix {
        Some(prefix) => format!("{}/{name}", prefix.value()),
        None => name,
    };
    if let Err(error) = AssetKey::new(&key) {
        errors.push(Error::new(
            marker.span(),
            format!("{error}; or give one with `key = \"..\"`"),
        ));
    }
    key
}

fn strings<T: std::str::FromStr<Err: std::fmt::Display>>(
    name: &str,
    options: &mut Options,
    errors: &mut Errors,
) -> Vec<LitStr> {
    let elements = options.value(name, list, errors).unwrap_or_default();
    elements
        .iter()
        .filter_map(|element| errors.take(parsed::<T>(element)))
        .collect()
}
