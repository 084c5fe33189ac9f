//! What `#[multi_asset(..)]` says.

use proc_macro2::TokenStream;
use syn::{
    Attribute, Error, Ident, LitStr, Result, Token, parenthesized,
    parse::{Parse, ParseStream, Parser},
    punctuated::Punctuated,
    token,
};

use precip_core::{key::AssetKey, spec::GroupName};

use super::{AssetModel, Dep, Docs, OpModel, asset, op};
use crate::{
    errors::Errors,
    options::{Given, Options, parsed},
};

/// A multi-asset, as written.
pub(crate) struct MultiModel {
    pub(crate) outputs: Vec<AssetModel>,
    pub(crate) can_subset: bool,
    /// What every output depends on that says nothing of its own.
    pub(crate) deps: Vec<Dep>,
    pub(crate) op: OpModel,
}

/// `/// doc` and `name` or `name(..)`.
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

impl MultiModel {
    /// Reads the options of a multi-asset.
    pub(crate) fn read(options: TokenStream, errors: &mut Errors) -> Self {
        let known: Vec<&str> = ["outputs", "can_subset", "deps", "group", "key_prefix"]
            .iter()
            .chain(op::OPTIONS)
            .copied()
            .collect();
        let mut options = Options::parse("`#[multi_asset]`", options, &known, errors);
        let group = options.value("group", parsed::<GroupName>, errors);
        let prefix = options.value("key_prefix", parsed::<AssetKey>, errors);
        let outputs = outputs(&mut options, group.as_ref(), prefix.as_ref(), errors);
        Self {
            outputs,
            can_subset: options.flag("can_subset", errors),
            deps: options
                .value("deps", Dep::parse_list, errors)
                .unwrap_or_default(),
            op: OpModel::read(&mut options, errors),
        }
    }
}

fn outputs(
    options: &mut Options,
    group: Option<&LitStr>,
    prefix: Option<&LitStr>,
    errors: &mut Errors,
) -> Vec<AssetModel> {
    const EXAMPLE: &str = "name what the function makes, in the order of the values it returns: \
                           `outputs(users, orders(group = \"sales\"))`";
    let Some(entry) = options.take("outputs") else {
        errors.push(Error::new(options.span(), EXAMPLE));
        return Vec::new();
    };
    let Given::Group(tokens) = entry.given else {
        errors.push(Error::new(entry.name.span(), EXAMPLE));
        return Vec::new();
    };
    let read = Punctuated::<OutputEntry, Token![,]>::parse_terminated.parse2(tokens);
    let entries: Vec<OutputEntry> = errors.take(read).into_iter().flatten().collect();
    if entries.is_empty() {
        errors.push(Error::new(entry.name.span(), EXAMPLE));
    }
    let mut outputs: Vec<AssetModel> = Vec::new();
    for entry in entries {
        if outputs.iter().any(|other| other.marker == entry.name) {
            errors.push(Error::new(
                entry.name.span(),
                format!("output `{}` comes twice: rename one of them", entry.name),
            ));
            continue;
        }
        let owner = format!("output `{}`", entry.name);
        let mut own = Options::parse(owner, entry.options, asset::OPTIONS, errors);
        own.default("group", group);
        if !own.has("key") {
            own.default("key_prefix", prefix);
        }
        let docs = Docs::of(&entry.attrs);
        outputs.push(AssetModel::read(entry.name, docs, &mut own, errors));
    }
    outputs
}
