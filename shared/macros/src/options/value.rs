//! Reading one value, and refusing it at its own tokens.

use std::{fmt::Display, str::FromStr, time::Duration};

use precip_core::nearest::{nearest, or_list};
use proc_macro2::Ident;
use quote::ToTokens;
use syn::{Error, Expr, ExprLit, ExprUnary, Lit, LitStr, Result, UnOp, spanned::Spanned};

/// Any expression.
pub(crate) fn expr(value: &Expr) -> Result<Expr> {
    Ok(value.clone())
}

/// A string literal.
pub(crate) fn string(value: &Expr) -> Result<LitStr> {
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

/// A string literal that is a `T`.
pub(crate) fn parsed<T: FromStr<Err: Display>>(value: &Expr) -> Result<LitStr> {
    let text = string(value)?;
    match text.value().parse::<T>() {
        Ok(_) => Ok(text),
        Err(error) => Err(Error::new(text.span(), error)),
    }
}

/// A string literal that is a duration.
pub(crate) fn duration(value: &Expr) -> Result<Duration> {
    let text = string(value)?;
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

/// A whole number within bounds, both included.
pub(crate) fn integer(value: &Expr, least: i64, most: i64, unit: &str) -> Result<i64> {
    let refuse = || {
        let unit = if unit.is_empty() {
            String::new()
        } else {
            format!(" {unit}")
        };
        let bounds = if most == i64::MAX {
            format!("of {least} or more{unit}")
        } else {
            format!("from {least} to {most}{unit}")
        };
        Error::new(value.span(), format!("write a whole number {bounds}"))
    };
    let (negative, digits) = match value {
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
    }) = digits
    else {
        return Err(refuse());
    };
    let number: i64 = digits.base10_parse().map_err(|_| refuse())?;
    let number = if negative { -number } else { number };
    if (least..=most).contains(&number) {
        Ok(number)
    } else {
        Err(refuse())
    }
}

/// One of a few names, written as an identifier.
pub(crate) fn choice(value: &Expr, names: &[&str]) -> Result<String> {
    let written = value.to_token_stream().to_string();
    if names.contains(&written.as_str()) {
        return Ok(written);
    }
    let list = or_list(names);
    let message = match nearest(&written, names.iter().copied()).first() {
        Some(near) => format!("`{written}` is not {list}: did you mean `{near}`?"),
        None => format!("`{written}` is not {list}"),
    };
    Err(Error::new(value.span(), message))
}

/// The elements of `[a, b, ..]`.
pub(crate) fn list(value: &Expr) -> Result<Vec<Expr>> {
    match value {
        Expr::Array(array) => Ok(array.elems.iter().cloned().collect()),
        other => Err(Error::new(
            other.span(),
            "write a list here, with `[` and `]` around it",
        )),
    }
}

/// A path of one name.
pub(crate) fn single_ident(value: &Expr) -> Option<Ident> {
    match value {
        Expr::Path(path) => path.path.get_ident().cloned(),
        _ => None,
    }
}
