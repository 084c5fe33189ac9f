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

/// Reads `checks = [name, name(blocking, description = ".."), row_count(1..), ..]`: the checks whose results the
/// function returns, and those over its data.
pub(super) fn checks(
    options: &mut Options,
    errors: &mut Errors,
) -> (Vec<DeclaredCheck>, Vec<Expr>) {
    let (mut returned, mut over_data) = (Vec::<DeclaredCheck>::new(), Vec::new());
    let Some(entry) = options.take("checks") else {
        return (returned, over_data);
    };
    let list = match &entry.given {
        Given::Value(value) => match &**value {
            Expr::Array(list) => Ok(&list.elems),
            other => Err(other.span()),
        },
        _ => Err(entry.name.span()),
    };
    let list = list.map_err(|span| {
        Error::new(
            span,
            "write a list of checks, like `checks = [row_count(1..).blocking(), not_null(\"carrier\")]`",
        )
    });
    for element in errors.take(list).into_iter().flatten() {
        if let Expr::Lit(_) = element {
            errors.push(Error::new(
                element.span(),
                "this is no check: write one over the data, like `not_null(\"carrier\")`, or the name of one \
                 whose result the function returns",
            ));
        } else if !is_returned(element) {
            over_data.push(element.clone());
        } else if let Some(check) = errors.take(syn::parse2(quote::quote!(#element))) {
            let check = returned_check(check, errors);
            if returned.iter().any(|other| other.name == check.name) {
                errors.push(Error::new(
                    check.name.span(),
                    format!("check `{}` comes twice: keep one", check.name),
                ));
            } else {
                returned.push(check);
            }
        }
    }
    (returned, over_data)
}

fn returned_check(entry: Entry, errors: &mut Errors) -> DeclaredCheck {
    let mut own = match entry.given {
        Given::Group(tokens) => {
            Options::parse("a check", tokens, &["blocking", "description"], errors)
        }
        _ => Options::parse("a check", TokenStream::new(), &[], errors),
    };
    DeclaredCheck {
        name: entry.name,
        blocking: own.flag("blocking", errors),
        description: own.value("description", string, errors),
    }
}

/// Whether it is the name of a check, alone or with options. Every other expression makes a check over data.
fn is_returned(element: &Expr) -> bool {
    match element {
        Expr::Path(_) => name(element).is_some(),
        Expr::Call(call) => {
            name(&call.func).is_some() && !call.args.is_empty() && call.args.iter().all(is_option)
        }
        _ => false,
    }
}

/// Whether it is `blocking` or `description = ".."`, spelled in some way: constants have other names.
fn is_option(argument: &Expr) -> bool {
    let is_option = |name: &Ident| !name.to_string().contains(char::is_uppercase);
    matches!(argument, Expr::Assign(_)) || name(argument).is_some_and(is_option)
}

fn name(expr: &Expr) -> Option<&Ident> {
    match expr {
        Expr::Path(path) => path.path.get_ident(),
        _ => None,
    }
}
