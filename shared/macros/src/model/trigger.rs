//! What sensors and schedules have in common.

use precip_core::{selection::Selection, spec::TriggerName};
use proc_macro2::TokenStream;
use syn::{
    Error, Expr, Fields, Ident, ItemStruct, LitStr, Path, Result, ext::IdentExt, spanned::Spanned,
};

use super::{Docs, Function, ParamKind};
use crate::{
    errors::Errors,
    options::{Options, choice, list, parsed, string},
};

/// The options that both have.
pub(super) const OPTIONS: &[&str] = &["name", "target", "status", "description"];

/// What the macro stands on.
pub(crate) enum TriggerItem {
    /// A function that decides.
    Function(Box<Function>),
    /// A struct without fields: what the macro says is all there is to it.
    Struct(Box<ItemStruct>),
}

impl TriggerItem {
    /// Takes an item apart; `None` when it is neither.
    pub(crate) fn parse(owner: &str, tokens: TokenStream, errors: &mut Errors) -> Option<Self> {
        if let Ok(item) = syn::parse2::<ItemStruct>(tokens.clone()) {
            if matches!(item.fields, Fields::Unit) && item.generics.params.is_empty() {
                return Some(Self::Struct(Box::new(item)));
            }
            errors.push(Error::new_spanned(
                tokens,
                format!(
                    "`{owner}` goes on a function, or on a struct without fields when nothing is to \
                     be decided, like `pub struct nightly;`"
                ),
            ));
            return None;
        }
        let function = Function::parse(owner, tokens, errors)?;
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

    /// Its name.
    pub(crate) fn name(&self) -> &Ident {
        match self {
            Self::Function(function) => function.name(),
            Self::Struct(item) => &item.ident,
        }
    }

    /// Its doc comment.
    pub(crate) fn docs(&self) -> Docs {
        match self {
            Self::Function(function) => function.docs.clone(),
            Self::Struct(item) => Docs::of(&item.attrs),
        }
    }

    /// Whether a function decides.
    pub(crate) fn is_function(&self) -> bool {
        matches!(self, Self::Function(_))
    }
}

/// What sensors and schedules both say.
pub(crate) struct TriggerModel {
    pub(crate) name: String,
    pub(crate) target: Option<TargetModel>,
    pub(crate) running: bool,
    pub(crate) description: Option<String>,
}

/// What is to be made.
pub(crate) enum TargetModel {
    /// A selection.
    Selection(LitStr),
    /// Assets, by their marker types.
    Assets(Vec<Path>),
}

impl TriggerModel {
    /// Reads them.
    pub(super) fn read(item: &TriggerItem, options: &mut Options, errors: &mut Errors) -> Self {
        let ident = item.name();
        let given = options.value("name", parsed::<TriggerName>, errors);
        let name = match given {
            Some(given) => given.value(),
            None => {
                let name = ident.unraw().to_string();
                if let Err(error) = TriggerName::new(&name) {
                    errors.push(Error::new(
                        ident.span(),
                        format!("{error}; or give it one with `name = \"..\"`"),
                    ));
                }
                name
            }
        };
        if !options.has("target") && !item.is_function() {
            errors.push(Error::new(
                options.span(),
                "say what it makes: `target = \"daily_events+\"`, or put the attribute on a function \
                 that answers `RunRequest`s",
            ));
        }
        let target = options.value("target", target, errors);
        let status = options.value(
            "status",
            |value| choice(value, &["running", "stopped"]),
            errors,
        );
        let description = options.value("description", string, errors);
        Self {
            name,
            target,
            running: status.as_deref() == Some("running"),
            description: description
                .map(|text| text.value())
                .or_else(|| item.docs().text()),
        }
    }
}

fn target(value: &Expr) -> Result<TargetModel> {
    if let Expr::Array(_) = value {
        return Ok(TargetModel::Assets(paths(value)?));
    }
    selection(value).map(TargetModel::Selection)
}

/// A selection that can be read.
pub(super) fn selection(value: &Expr) -> Result<LitStr> {
    let text = string(value).map_err(|_| {
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

/// Marker types of assets.
pub(super) fn paths(value: &Expr) -> Result<Vec<Path>> {
    list(value)?
        .iter()
        .map(|element| match element {
            Expr::Path(path) if path.qself.is_none() => Ok(path.path.clone()),
            other => Err(Error::new(
                other.span(),
                "write the asset's path, like `flights` or `crate::raw::flights`",
            )),
        })
        .collect()
}
