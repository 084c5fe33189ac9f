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
    /// The upstream asset's marker type; `None` if the parameter's name is the asset.
    pub(crate) asset: Option<Path>,
    /// The mapping between the partitions of the two assets.
    pub(crate) mapping: Option<Expr>,
}

impl Dep {
    /// Parses `path` or `path(mapping = ..)`.
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

    /// Parses the arguments of `#[input(..)]`: `path`, `mapping = ..`, or both.
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

    /// Parses a list of dependencies, `[..]`.
    pub(super) fn parse_list(value: &Expr) -> Result<Vec<Self>> {
        // To Rust, `flights(mapping = ..)` is a call with an assignment: parse the tokens again.
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

/// Parses `mapping = ..`, the last of the arguments.
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
        Err(input.error("remove this: the mapping is the last argument"))
    }
}
