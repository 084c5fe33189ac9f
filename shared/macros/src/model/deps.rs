//! Dependencies without data: `deps = [path, path(mapping = ..)]`.

use syn::{
    Error, Expr, Path, Result, Token, bracketed,
    ext::IdentExt,
    parenthesized,
    parse::{Parse, ParseStream, Parser},
    punctuated::Punctuated,
    spanned::Spanned,
    token,
};

/// One dependency.
pub(crate) struct Dep {
    /// The upstream asset's marker type; `None` where something else names it.
    pub(crate) asset: Option<Path>,
    /// How partitions correspond.
    pub(crate) mapping: Option<Expr>,
}

impl Dep {
    /// Reads `path`, `path(mapping = ..)`.
    fn parse_one(input: ParseStream<'_>) -> Result<Self> {
        let asset = input.call(Path::parse_mod_style)?;
        let mapping = if input.peek(token::Paren) {
            let inside;
            parenthesized!(inside in input);
            Some(parse_mapping(&inside)?)
        } else {
            None
        };
        Ok(Self {
            asset: Some(asset),
            mapping,
        })
    }

    /// Reads what is in `#[input(..)]`: `path`, `mapping = ..`, or both.
    pub(super) fn parse_input(input: ParseStream<'_>) -> Result<Self> {
        let by_name = input.peek(syn::Ident) && input.peek2(Token![=]);
        if by_name {
            return Ok(Self {
                asset: None,
                mapping: Some(parse_mapping(input)?),
            });
        }
        let asset = input.call(Path::parse_mod_style)?;
        let mapping = if input.is_empty() {
            None
        } else {
            input.parse::<Token![,]>()?;
            Some(parse_mapping(input)?)
        };
        Ok(Self {
            asset: Some(asset),
            mapping,
        })
    }

    /// Reads `[..]`.
    pub(super) fn parse_list(value: &Expr) -> Result<Vec<Self>> {
        let list = |input: ParseStream<'_>| {
            let inside;
            bracketed!(inside in input);
            Punctuated::<Self, Token![,]>::parse_terminated_with(&inside, Self::parse_one)
        };
        let tokens = quote::ToTokens::to_token_stream(value);
        if !matches!(value, Expr::Array(_)) {
            return Err(Error::new(
                value.span(),
                "write a list of assets, like `deps = [flights, weather]`",
            ));
        }
        list.parse2(tokens)
            .map(|deps| deps.into_iter().collect())
            .map_err(|error| {
                Error::new(
                    error.span(),
                    format!("{error}; a dependency is an asset by its path, like `flights` or `crate::raw::flights(mapping = ..)`"),
                )
            })
    }
}

fn parse_mapping(input: ParseStream<'_>) -> Result<Expr> {
    let name = input.call(syn::Ident::parse_any)?;
    if name != "mapping" {
        return Err(Error::new(
            name.span(),
            format!("a dependency has no option `{name}`: the only one is `mapping`"),
        ));
    }
    input.parse::<Token![=]>()?;
    let mapping = Expr::parse(input)?;
    input.parse::<Option<Token![,]>>()?;
    if input.is_empty() {
        Ok(mapping)
    } else {
        Err(input.error("nothing follows the mapping"))
    }
}
