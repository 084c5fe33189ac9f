//! Lists and tables of labels: tags, metadata, checks.

use precip_core::spec::{TagKey, TagValue};
use proc_macro2::TokenStream;
use syn::{
    Error, Expr, Ident, LitStr, Result, Token,
    ext::IdentExt,
    parse::{Parse, ParseStream, Parser},
    punctuated::Punctuated,
    spanned::Spanned,
};

use crate::{
    errors::Errors,
    options::{Entry, Given, Options, string},
};

/// `name = value`, where the name is an identifier or a string.
pub(crate) struct Label {
    /// The name.
    pub(crate) name: LitStr,
    /// The value.
    pub(crate) value: Expr,
}

impl Parse for Label {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let name = if input.peek(LitStr) {
            input.parse()?
        } else {
            let name = input.call(Ident::parse_any)?;
            LitStr::new(&name.unraw().to_string(), name.span())
        };
        input.parse::<Token![=]>()?;
        Ok(Self {
            name,
            value: input.parse()?,
        })
    }
}

/// Reads `option(name = value, ..)`.
pub(super) fn labels(option: &str, options: &mut Options, errors: &mut Errors) -> Vec<Label> {
    let Some(entry) = options.take(option) else {
        return Vec::new();
    };
    let Given::Group(tokens) = entry.given else {
        errors.push(Error::new(
            entry.name.span(),
            format!("write `{option}(name = .., ..)`"),
        ));
        return Vec::new();
    };
    let read = Punctuated::<Label, Token![,]>::parse_terminated.parse2(tokens);
    errors.take(read).into_iter().flatten().collect()
}

/// Reads `tags(name = "value", ..)`.
pub(super) fn tags(options: &mut Options, errors: &mut Errors) -> Vec<(LitStr, LitStr)> {
    let read = |label: Label| -> Result<(LitStr, LitStr)> {
        TagKey::new(label.name.value()).map_err(|error| Error::new(label.name.span(), error))?;
        let value = string(&label.value)?;
        TagValue::new(value.value()).map_err(|error| Error::new(value.span(), error))?;
        Ok((label.name, value))
    };
    labels("tags", options, errors)
        .into_iter()
        .filter_map(|label| errors.take(read(label)))
        .collect()
}

/// A check whose result the asset's function returns.
pub(crate) struct DeclaredCheck {
    /// Its name.
    pub(crate) name: Ident,
    /// Whether a failure stops what is downstream.
    pub(crate) blocking: bool,
    /// What it looks for.
    pub(crate) description: Option<LitStr>,
}

/// Reads `checks(name, name(blocking, description = ".."), ..)`.
pub(super) fn checks(options: &mut Options, errors: &mut Errors) -> Vec<DeclaredCheck> {
    let Some(entry) = options.take("checks") else {
        return Vec::new();
    };
    let tokens: TokenStream = match entry.given {
        Given::Value(value) => match &*value {
            Expr::Array(list) => {
                let elements = &list.elems;
                quote::quote!(#elements)
            }
            other => {
                errors.push(Error::new(
                    other.span(),
                    "write a list of checks, like `checks = [not_empty, no_nulls(blocking)]`",
                ));
                return Vec::new();
            }
        },
        _ => {
            errors.push(Error::new(
                entry.name.span(),
                "write a list of checks, like `checks = [not_empty, no_nulls(blocking)]`",
            ));
            return Vec::new();
        }
    };
    let read = Punctuated::<Entry, Token![,]>::parse_terminated.parse2(tokens);
    let mut checks: Vec<DeclaredCheck> = Vec::new();
    for entry in errors.take(read).into_iter().flatten() {
        let mut own = match entry.given {
            Given::Group(tokens) => {
                Options::parse("a check", tokens, &["blocking", "description"], errors)
            }
            _ => Options::parse("a check", TokenStream::new(), &[], errors),
        };
        if checks.iter().any(|check| check.name == entry.name) {
            errors.push(Error::new(
                entry.name.span(),
                format!("check `{}` comes twice: keep one", entry.name),
            ));
            continue;
        }
        checks.push(DeclaredCheck {
            name: entry.name,
            blocking: own.flag("blocking", errors),
            description: own.value("description", string, errors),
        });
    }
    checks
}
