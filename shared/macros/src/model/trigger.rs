//! [`TriggerModel`]: the options that sensors and schedules share.

use precip_core::{selection::Selection, spec::TriggerName};
use proc_macro2::TokenStream;
use syn::{
    Error, Expr, Fields, Ident, ItemStruct, LitStr, Path, Result, ext::IdentExt, spanned::Spanned,
};

use super::{Docs, Function, ParamKind};
use crate::{
    errors::Errors,
    options::{Options, asset_paths, one_of, parsed_literal, string_literal},
};

/// The item under a macro.
pub(crate) enum TriggerItem {
    /// A function that decides.
    Function(Box<Function>),
    /// A struct without fields: the options are the whole trigger.
    Struct(Box<ItemStruct>),
}

impl TriggerItem {
    /// Parses an item; `None` when it is neither.
    pub(crate) fn parse(owner: &str, tokens: TokenStream, errors: &mut Errors) -> Option<Self> {
        // A struct is tried first: its error for functions would hide the one that matters.
        if let Ok(item) = syn::parse2::<ItemStruct>(tokens.clone()) {
            if matches!(item.fields, Fields::Unit) && item.generics.params.is_empty() {
                return Some(Self::Struct(Box::new(item)));
            }
            errors.push(Error::new_spanned(
                tokens,
                format!(
                    "`{owner}` belongs on a function, or on a struct without fields if there is nothing \
                     to decide, like `pub struct nightly;`"
                ),
            ));
            return None;
        }
        let function = Function::parse(owner, tokens, errors)?;
        // Triggers run before anything is planned: there are no inputs and no run config yet.
        for param in &function.params {
            if let ParamKind::Input { .. } | ParamKind::Config = param.kind {
                errors.push(Error::new(
                    param.ty.span(),
                    format!(
                        "a function under `{owner}` takes its context and `#[resource]`s: `{}` is \
                         neither",
                        param.name
                    ),
                ));
            }
        }
        Some(Self::Function(Box::new(function)))
    }

    /// Returns the item's name.
    pub(crate) fn name(&self) -> &Ident {
        match self {
            Self::Function(function) => function.name(),
            Self::Struct(item) => &item.ident,
        }
    }

    /// Returns the item's doc comment.
    pub(crate) fn docs(&self) -> Docs {
        match self {
            Self::Function(function) => function.docs.clone(),
            Self::Struct(item) => Docs::from_attributes(&item.attrs),
        }
    }

    /// Returns whether a function decides.
    pub(crate) fn is_function(&self) -> bool {
        matches!(self, Self::Function(_))
    }
}

/// The options that sensors and schedules share.
pub(crate) struct TriggerModel {
    pub(crate) name: String,
    pub(crate) target: Option<TargetModel>,
    pub(crate) running: bool,
    pub(crate) description: Option<String>,
}

/// The assets that a trigger's runs make.
pub(crate) enum TargetModel {
    /// A selection.
    Selection(LitStr),
    /// Assets, by their marker types.
    Assets(Vec<Path>),
}

impl TriggerModel {
    /// Reads the options of a trigger.
    pub(super) fn read(item: &TriggerItem, options: &mut Options, errors: &mut Errors) -> Self {
        let ident = item.name();
        let given = options.take_value("name", parsed_literal::<TriggerName>, errors);
        let name = match given {
            Some(given) => given.value(),
            None => {
                let name = ident.unraw().to_string();
                // A given name was validated; the function's may be too long.
                if let Err(error) = TriggerName::new(&name) {
                    errors.push(Error::new(
                        ident.span(),
                        format!("{error}; or give it one with `name = \"..\"`"),
                    ));
                }
                name
            }
        };
        if !options.contains("target") && !item.is_function() {
            errors.push(Error::new(
                options.span(),
                "write what it makes: `target = \"daily_events+\"`, or put the attribute on a function \
                 that returns `RunRequest`s",
            ));
        }
        let target = options.take_value("target", target_assets, errors);
        let status = options.take_value(
            "status",
            |value| one_of(value, &["running", "stopped"]),
            errors,
        );
        let description = item.docs().read_description(options, errors);
        Self {
            name,
            target,
            running: status.as_deref() == Some("running"),
            description,
        }
    }
}

/// Parses a target: a selection, or a list of assets.
fn target_assets(value: &Expr) -> Result<TargetModel> {
    if let Expr::Array(_) = value {
        return Ok(TargetModel::Assets(asset_paths(value)?));
    }
    selection_literal(value).map(TargetModel::Selection)
}

/// Parses a string literal that has to be a valid selection.
pub(super) fn selection_literal(value: &Expr) -> Result<LitStr> {
    let text = string_literal(value).map_err(|_| {
        Error::new(
            value.span(),
            "write a selection like `\"daily_events+\"`, or assets like `[daily_events, weather]`",
        )
    })?;
    match Selection::parse(&text.value()) {
        Ok(_) => Ok(text),
        Err(error) => {
            let help = error.help().map(|help| format!("; {help}"));
            let message = format!("{}{}", error.message(), help.unwrap_or_default());
            Err(Error::new(text.span(), message))
        }
    }
}
