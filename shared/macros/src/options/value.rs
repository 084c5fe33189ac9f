//! Parsers of one value, whose errors mark the value's own tokens.

use std::{fmt::Display, str::FromStr, time::Duration};

use precip_core::{nearest::nearest_names, prose::or_list};
use proc_macro2::Ident;
use quote::ToTokens;
use syn::{Error, Expr, ExprLit, ExprUnary, Lit, LitStr, Path, Result, UnOp, spanned::Spanned};

/// Accepts any expression.
pub(crate) fn any_expr(value: &Expr) -> Result<Expr> {
    Ok(value.clone())
}

/// Parses a string literal.
pub(crate) fn string_literal(value: &Expr) -> Result<LitStr> {
    match value {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) => Ok(text.clone()),
        other => Err(Error::new(
            other.span(),
            "write a string literal here, like `\"..\"`: it is checked when the project is compiled",
        )),
    }
}

/// Parses a string literal that has to be a valid `T`.
pub(crate) fn parsed_literal<T: FromStr<Err: Display>>(value: &Expr) -> Result<LitStr> {
    let text = string_literal(value)?;
    match text.value().parse::<T>() {
        Ok(_) => Ok(text),
        Err(error) => Err(Error::new(text.span(), error)),
    }
}

/// Parses a string literal as a duration.
pub(crate) fn duration_literal(value: &Expr) -> Result<Duration> {
    let text = string_literal(value)?;
    humantime::parse_duration(&text.value()).map_err(|error| {
        Error::new(
            text.span(),
            format!(
                "`{}` is not a duration ({error}): write numbers with units, like `30s`, `5m` or \
                 `1h 30m`",
                text.value()
            ),
        )
    })
}

/// Parses a whole number between two bounds, both included.
pub(crate) fn integer_literal(value: &Expr, least: i64, most: i64, unit: &str) -> Result<i64> {
    let refuse = || {
        let separator = if unit.is_empty() { "" } else { " " };
        let bounds = if most == i64::MAX {
            format!("of {least} or more{separator}{unit}")
        } else {
            format!("from {least} to {most}{separator}{unit}")
        };
        Error::new(value.span(), format!("write a whole number {bounds}"))
    };
    // `-5` is an expression of its own: a minus in front of a literal.
    let (negative, operand) = match value {
        Expr::Unary(ExprUnary {
            op: UnOp::Neg(_),
            expr,
            ..
        }) => (true, &**expr),
        plain => (false, plain),
    };
    let Expr::Lit(ExprLit {
        lit: Lit::Int(digits),
        ..
    }) = operand
    else {
        return Err(refuse());
    };
    let magnitude: i64 = digits.base10_parse().map_err(|_| refuse())?;
    let number = if negative { -magnitude } else { magnitude };
    if (least..=most).contains(&number) {
        Ok(number)
    } else {
        Err(refuse())
    }
}

/// Parses an identifier that has to be one of a few names.
pub(crate) fn one_of(value: &Expr, names: &[&str]) -> Result<String> {
    let name = value.to_token_stream().to_string();
    if names.contains(&name.as_str()) {
        return Ok(name);
    }
    let list = or_list(names);
    let message = match nearest_names(&name, names.iter().copied()).first() {
        Some(near) => format!("`{name}` is not {list}: did you mean `{near}`?"),
        None => format!("`{name}` is not {list}"),
    };
    Err(Error::new(value.span(), message))
}

/// Parses the elements of `[a, b, ..]`.
pub(crate) fn list_elements(value: &Expr) -> Result<Vec<Expr>> {
    match value {
        Expr::Array(array) => Ok(array.elems.iter().cloned().collect()),
        other => Err(Error::new(
            other.span(),
            "write a list here, with `[` and `]` around it",
        )),
    }
}

/// Returns the name that an expression consists of, if it is a single one.
pub(crate) fn single_ident(value: &Expr) -> Option<Ident> {
    match value {
        Expr::Path(path) => path.path.get_ident().cloned(),
        _ => None,
    }
}

/// Parses the path of an asset's marker type.
pub(crate) fn asset_path(value: &Expr) -> Result<Path> {
    match value {
        Expr::Path(path) if path.qself.is_none() => Ok(path.path.clone()),
        other => Err(Error::new(
            other.span(),
            "write the asset's path, like `flights` or `crate::raw::flights`",
        )),
    }
}

/// Parses a list of paths of assets' marker types.
pub(crate) fn asset_paths(value: &Expr) -> Result<Vec<Path>> {
    list_elements(value)?.iter().map(asset_path).collect()
}
