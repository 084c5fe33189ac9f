//! [`AssetModel`]: the options of one asset.

use precip_core::{
    key::AssetKey,
    spec::{GroupName, Kind, Owner},
};
use syn::{Attribute, Error, Expr, ExprLit, Ident, Lit, LitStr, Meta, ext::IdentExt};

use super::{
    DeclaredCheck, Dep, FreshnessModel, Label,
    freshness::read_freshness,
    labels::{read_checks, read_labels, read_tags},
};
use crate::{
    errors::Errors,
    options::{Options, any_expr, list_elements, parsed_literal, string_literal},
};

/// A doc comment.
#[derive(Default, Clone)]
pub(crate) struct Docs {
    /// The attributes, to be repeated on the marker type.
    pub(crate) attrs: Vec<Attribute>,
}

impl Docs {
    /// Returns the doc comment among some attributes.
    pub(crate) fn from_attributes(attrs: &[Attribute]) -> Self {
        Self {
            attrs: attrs
                .iter()
                .filter(|attr| attr.path().is_ident("doc"))
                .cloned()
                .collect(),
        }
    }

    /// Returns the text: lines without the space after `///`, without empty lines at either end.
    pub(crate) fn text(&self) -> Option<String> {
        let lines: Vec<String> = self
            .attrs
            .iter()
            .filter_map(|attr| match &attr.meta {
                // `/// text` is the attribute `#[doc = " text"]`.
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

    /// Reads the option `description`; without it, the doc comment is the description.
    pub(super) fn read_description(
        &self,
        options: &mut Options,
        errors: &mut Errors,
    ) -> Option<String> {
        options
            .take_value("description", string_literal, errors)
            .map(|text| text.value())
            .or_else(|| self.text())
    }
}

/// One asset, as declared.
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
    /// `None` if the option is not given.
    pub(crate) deps: Option<Vec<Dep>>,
    /// The checks whose results the function returns.
    pub(crate) checks: Vec<DeclaredCheck>,
    /// The checks over the asset's data.
    pub(crate) data_checks: Vec<Expr>,
    pub(crate) freshness: Option<FreshnessModel>,
    pub(crate) automation: Option<Expr>,
    pub(crate) docs: Docs,
}

impl AssetModel {
    /// Reads the options of an asset that a function makes.
    pub(crate) fn read(
        marker: Ident,
        docs: Docs,
        options: &mut Options,
        errors: &mut Errors,
    ) -> Self {
        let mut asset = Self::read_names(marker, docs, options, errors);
        asset.code_version = options.take_value("code_version", string_literal, errors);
        asset.io_manager = options.take_value("io_manager", string_literal, errors);
        asset.read_relations(options, errors);
        (asset.checks, asset.data_checks) = read_checks(options, errors);
        asset.freshness = read_freshness(options, errors);
        asset.automation = options.take_value("automation", any_expr, errors);
        asset
    }

    /// Reads the options of an asset that is made elsewhere, so that the project neither stores nor
    /// checks nor automates it.
    pub(super) fn read_external(
        marker: Ident,
        docs: Docs,
        options: &mut Options,
        errors: &mut Errors,
    ) -> Self {
        let mut asset = Self::read_names(marker, docs, options, errors);
        asset.read_relations(options, errors);
        asset.freshness = read_freshness(options, errors);
        asset
    }

    /// Reads the options that name and describe an asset.
    fn read_names(marker: Ident, docs: Docs, options: &mut Options, errors: &mut Errors) -> Self {
        Self {
            key: read_key(&marker, options, errors),
            group: options.take_value("group", parsed_literal::<GroupName>, errors),
            tags: read_tags(options, errors),
            owners: read_literals::<Owner>("owners", options, errors),
            kinds: read_literals::<Kind>("kinds", options, errors),
            description: docs.read_description(options, errors),
            code_version: None,
            io_manager: None,
            metadata: Vec::new(),
            deps: None,
            checks: Vec::new(),
            data_checks: Vec::new(),
            freshness: None,
            automation: None,
            marker,
            docs,
        }
    }

    fn read_relations(&mut self, options: &mut Options, errors: &mut Errors) {
        self.metadata = read_labels("metadata", options, errors);
        self.deps = options.take_value("deps", Dep::parse_list, errors);
    }
}

/// Reads the key: given as a whole, or joined from a prefix and a name, by default the function's.
fn read_key(marker: &Ident, options: &mut Options, errors: &mut Errors) -> String {
    let whole = options.take_value("key", parsed_literal::<AssetKey>, errors);
    let prefix = options.take_value("key_prefix", parsed_literal::<AssetKey>, errors);
    let given_name = options.take_value("name", parsed_literal::<AssetKey>, errors);
    if let Some(whole) = whole {
        for other in [&prefix, &given_name].into_iter().flatten() {
            errors.push(Error::new(
                other.span(),
                "`key` is the whole key: leave out `key_prefix` and `name`",
            ));
        }
        // The given key is used even with errors, so that other items find the asset.
        return whole.value();
    }
    let name = given_name.map_or_else(|| marker.unraw().to_string(), |name| name.value());
    let key = match prefix {
        Some(prefix) => format!("{}/{name}", prefix.value()),
        None => name,
    };
    // The parts were validated; the joined key may still be too long, or the function's name
    // invalid.
    if let Err(error) = AssetKey::new(&key) {
        errors.push(Error::new(
            marker.span(),
            format!("{error}; or give one with `key = \"..\"`"),
        ));
    }
    key
}

/// Reads a list of string literals, each a valid `T`.
fn read_literals<T: std::str::FromStr<Err: std::fmt::Display>>(
    name: &str,
    options: &mut Options,
    errors: &mut Errors,
) -> Vec<LitStr> {
    let elements = options
        .take_value(name, list_elements, errors)
        .unwrap_or_default();
    elements
        .iter()
        .filter_map(|element| errors.ok_or_push(parsed_literal::<T>(element)))
        .collect()
}
