//! [`MultiAssetModel`]: the options of `#[multi_asset(..)]`.

use proc_macro2::TokenStream;
use syn::{
    Attribute, Error, Ident, LitStr, Result, Token, parenthesized,
    parse::{Parse, ParseStream, Parser},
    punctuated::Punctuated,
    token,
};

use precip_core::{key::AssetKey, spec::GroupName};

use super::{AssetModel, Dep, Docs, OpModel};
use crate::{
    errors::Errors,
    options::{Entry, OptionValue, Options, parsed_literal},
};

/// A multi-asset, as declared.
pub(crate) struct MultiAssetModel {
    pub(crate) outputs: Vec<AssetModel>,
    pub(crate) can_subset: bool,
    /// The dependencies of every output without `deps` of its own.
    pub(crate) deps: Vec<Dep>,
    pub(crate) op: OpModel,
}

/// One output: its doc comment, and `name` or `name(..)`.
struct OutputEntry {
    attrs: Vec<Attribute>,
    name: Ident,
    options: TokenStream,
}

impl Parse for OutputEntry {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let name = input.parse()?;
        let options = if input.peek(token::Paren) {
            let inside;
            parenthesized!(inside in input);
            inside.parse()?
        } else {
            TokenStream::new()
        };
        Ok(Self {
            attrs,
            name,
            options,
        })
    }
}

impl MultiAssetModel {
    /// Reads the options of a multi-asset.
    pub(crate) fn read(options: TokenStream, errors: &mut Errors) -> Self {
        Options::read("`#[multi_asset]`", options, errors, |options, errors| {
            let outputs = options.take_entry("outputs");
            let can_subset = options.take_flag("can_subset", errors);
            let deps = options.take_value("deps", Dep::parse_list, errors);
            let group = options.take_value("group", parsed_literal::<GroupName>, errors);
            let prefix = options.take_value("key_prefix", parsed_literal::<AssetKey>, errors);
            Self {
                outputs: read_outputs(outputs, options, [group, prefix], errors),
                can_subset,
                deps: deps.unwrap_or_default(),
                op: OpModel::read(options, errors),
            }
        })
    }
}

/// Reads the outputs. `group` and `prefix` are those of outputs without their own.
fn read_outputs(
    outputs: Option<Entry>,
    options: &Options,
    [group, prefix]: [Option<LitStr>; 2],
    errors: &mut Errors,
) -> Vec<AssetModel> {
    const EXAMPLE: &str = "name the assets that the function makes, in the order of the values it \
                           returns: `outputs(users, orders(group = \"sales\"))`";
    let Some(entry) = outputs else {
        errors.push(Error::new(options.span(), EXAMPLE));
        return Vec::new();
    };
    let OptionValue::Group(tokens) = entry.value else {
        errors.push(Error::new(entry.name.span(), EXAMPLE));
        return Vec::new();
    };
    let parsed = Punctuated::<OutputEntry, Token![,]>::parse_terminated.parse2(tokens);
    let entries: Vec<OutputEntry> = errors.ok_or_push(parsed).into_iter().flatten().collect();
    if entries.is_empty() {
        errors.push(Error::new(entry.name.span(), EXAMPLE));
    }
    let mut outputs: Vec<AssetModel> = Vec::new();
    for entry in entries {
        if outputs.iter().any(|other| other.marker == entry.name) {
            errors.push(Error::new(
                entry.name.span(),
                format!(
                    "output `{}` is listed twice: rename one of them",
                    entry.name
                ),
            ));
            continue;
        }
        // Each output has the options of an asset, with the op's group and prefix as defaults.
        let owner = format!("output `{}`", entry.name);
        outputs.push(Options::read(
            owner,
            entry.options,
            errors,
            |own, errors| {
                own.set_default("group", group.as_ref());
                // A whole key has no prefix in front of it.
                if !own.contains("key") {
                    own.set_default("key_prefix", prefix.as_ref());
                }
                let docs = Docs::from_attributes(&entry.attrs);
                AssetModel::read(entry.name, docs, own, errors)
            },
        ));
    }
    outputs
}
