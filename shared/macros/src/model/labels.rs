//! Lists and tables of an asset: tags, metadata, checks.

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
    options::{Entry, OptionValue, Options, string_literal},
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
pub(super) fn read_labels(option: &str, options: &mut Options, errors: &mut Errors) -> Vec<Label> {
    let Some(entry) = options.take_entry(option) else {
        return Vec::new();
    };
    let OptionValue::Group(tokens) = entry.value else {
        errors.push(Error::new(
            entry.name.span(),
            format!("write `{option}(name = .., ..)`"),
        ));
        return Vec::new();
    };
    let parsed = Punctuated::<Label, Token![,]>::parse_terminated.parse2(tokens);
    errors.ok_or_push(parsed).into_iter().flatten().collect()
}

/// Reads `tags(name = "value", ..)`.
pub(super) fn read_tags(options: &mut Options, errors: &mut Errors) -> Vec<(LitStr, LitStr)> {
    let parse_tag = |label: Label| -> Result<(LitStr, LitStr)> {
        TagKey::new(label.name.value()).map_err(|error| Error::new(label.name.span(), error))?;
        let value = string_literal(&label.value)?;
        TagValue::new(value.value()).map_err(|error| Error::new(value.span(), error))?;
        Ok((label.name, value))
    };
    read_labels("tags", options, errors)
        .into_iter()
        .filter_map(|label| errors.ok_or_push(parse_tag(label)))
        .collect()
}

/// A check whose result the asset's function returns.
pub(crate) struct DeclaredCheck {
    /// Its name.
    pub(crate) name: Ident,
    /// True if a failure holds back the downstream assets.
    pub(crate) blocking: bool,
    /// The description, for people.
    pub(crate) description: Option<LitStr>,
}

/// Reads `checks = [name, name(blocking, description = ".."), row_count(1..), ..]`: the checks
/// whose results the function returns, and the checks over its data.
pub(super) fn read_checks(
    options: &mut Options,
    errors: &mut Errors,
) -> (Vec<DeclaredCheck>, Vec<Expr>) {
    let (mut returned, mut over_data) = (Vec::<DeclaredCheck>::new(), Vec::new());
    let Some(entry) = options.take_entry("checks") else {
        return (returned, over_data);
    };
    // The elements may be names, calls and expressions, so they are sorted one by one below.
    let list = match &entry.value {
        OptionValue::Value(value) => match &**value {
            Expr::Array(list) => Ok(&list.elems),
            other => Err(other.span()),
        },
        _ => Err(entry.name.span()),
    };
    let checked_list = list.map_err(|span| {
        Error::new(
            span,
            "write a list of checks, like `checks = [row_count(1..).blocking(), not_null(\"carrier\")]`",
        )
    });
    for element in errors.ok_or_push(checked_list).into_iter().flatten() {
        // A string is most likely the name of a check in quotes.
        if let Expr::Lit(_) = element {
            errors.push(Error::new(
                element.span(),
                "this is not a check: write a check over the data, like `not_null(\"carrier\")`, or the \
                 name of a check whose result the function returns",
            ));
        } else if !is_returned(element) {
            over_data.push(element.clone());
        } else if let Some(entry) = errors.ok_or_push(syn::parse2(quote::quote!(#element))) {
            let check = returned_check(entry, errors);
            if returned.iter().any(|other| other.name == check.name) {
                errors.push(Error::new(
                    check.name.span(),
                    format!("check `{}` is listed twice: keep one", check.name),
                ));
            } else {
                returned.push(check);
            }
        }
    }
    (returned, over_data)
}

/// Reads a check whose result the function returns.
fn returned_check(entry: Entry, errors: &mut Errors) -> DeclaredCheck {
    let tokens = match entry.value {
        OptionValue::Group(tokens) => tokens,
        _ => TokenStream::new(),
    };
    Options::read("a check", tokens, errors, |own, errors| DeclaredCheck {
        name: entry.name,
        blocking: own.take_flag("blocking", errors),
        description: own.take_value("description", string_literal, errors),
    })
}

/// Returns whether an element is the name of a check, alone or with options. Every other expression
/// gives a check over data.
fn is_returned(element: &Expr) -> bool {
    match element {
        Expr::Path(_) => single_name(element).is_some(),
        Expr::Call(call) => {
            single_name(&call.func).is_some()
                && !call.args.is_empty()
                && call.args.iter().all(is_option)
        }
        _ => false,
    }
}

/// Returns whether an argument is `blocking` or `description = ".."`, possibly misspelled.
/// Constants have capitals, so they are arguments of a check over data.
fn is_option(argument: &Expr) -> bool {
    let is_lower_case = |name: &Ident| !name.to_string().contains(char::is_uppercase);
    matches!(argument, Expr::Assign(_)) || single_name(argument).is_some_and(is_lower_case)
}

fn single_name(expr: &Expr) -> Option<&Ident> {
    match expr {
        Expr::Path(path) => path.path.get_ident(),
        _ => None,
    }
}
