//! [`Options`].

use precip_core::nearest::{nearest, or_list};
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use syn::{
    Error, Expr, ExprLit, Lit, LitStr, Result, Token,
    ext::IdentExt,
    parenthesized,
    parse::{Parse, ParseStream, Parser},
    punctuated::Punctuated,
    token,
};

use crate::errors::Errors;

/// What follows an option's name.
pub(crate) enum Given {
    /// Nothing.
    Flag,
    /// `= value`.
    Value(Box<Expr>),
    /// `(..)`.
    Group(TokenStream),
}

/// One option as it was written.
pub(crate) struct Entry {
    /// Its name.
    pub(crate) name: Ident,
    /// What follows.
    pub(crate) given: Given,
}

impl Parse for Entry {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let name = input.call(Ident::parse_any)?;
        let given = if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            if input.is_empty() || input.peek(Token![,]) {
                return Err(Error::new(
                    name.span(),
                    format!("`{name} =` needs a value after it"),
                ));
            }
            Given::Value(input.parse()?)
        } else if input.peek(token::Paren) {
            let inside;
            parenthesized!(inside in input);
            Given::Group(inside.parse()?)
        } else {
            Given::Flag
        };
        Ok(Self { name, given })
    }
}

/// The options of one macro or group, each taken at most once.
pub(crate) struct Options {
    /// What has the options, for messages: `#[asset]`.
    owner: String,
    span: Span,
    entries: Vec<Entry>,
}

impl Options {
    /// Reads options. Of those that cannot be read, the first is reported, and those before it count.
    pub(crate) fn parse(
        owner: impl Into<String>,
        tokens: TokenStream,
        known: &[&str],
        errors: &mut Errors,
    ) -> Self {
        let span = tokens
            .clone()
            .into_iter()
            .next()
            .map_or_else(Span::call_site, |token: TokenTree| token.span());
        let mut options = Self {
            owner: owner.into(),
            span,
            entries: Vec::new(),
        };
        let read = Punctuated::<Entry, Token![,]>::parse_terminated.parse2(tokens);
        for entry in errors.take(read).into_iter().flatten() {
            options.add(entry, known, errors);
        }
        options
    }

    fn add(&mut self, entry: Entry, known: &[&str], errors: &mut Errors) {
        let name = entry.name.to_string();
        if !known.contains(&name.as_str()) {
            errors.push(Error::new(entry.name.span(), self.unknown(&name, known)));
        } else if self.entries.iter().any(|other| other.name == entry.name) {
            errors.push(Error::new(
                entry.name.span(),
                format!("{} has `{name}` twice: keep one", self.owner),
            ));
        } else {
            self.entries.push(entry);
        }
    }

    fn unknown(&self, name: &str, known: &[&str]) -> String {
        let owner = &self.owner;
        if known.is_empty() {
            return format!("{owner} has no option `{name}`: it has none");
        }
        let all = or_list(known).replace(" or ", " and ");
        match nearest(name, known.iter().copied()).first() {
            Some(near) => format!(
                "{owner} has no option `{name}`: did you mean `{near}`? The options are {all}"
            ),
            None => format!("{owner} has no option `{name}`: the options are {all}"),
        }
    }

    /// The span of the first token, or of the macro itself.
    pub(crate) fn span(&self) -> Span {
        self.span
    }

    /// Whether an option is there that was not taken yet.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.entries.iter().any(|entry| entry.name == name)
    }

    /// Adds an option that is not there, when there is a value for it.
    pub(crate) fn default(&mut self, name: &str, value: Option<&LitStr>) {
        if let Some(value) = value.filter(|_| !self.has(name)) {
            self.entries.push(Entry {
                name: Ident::new(name, value.span()),
                given: Given::Value(Box::new(Expr::Lit(ExprLit {
                    attrs: Vec::new(),
                    lit: Lit::Str(value.clone()),
                }))),
            });
        }
    }

    /// Takes an option out.
    pub(crate) fn take(&mut self, name: &str) -> Option<Entry> {
        let place = self.entries.iter().position(|entry| entry.name == name)?;
        Some(self.entries.remove(place))
    }

    /// Takes an option that is a value out, and reads it.
    pub(crate) fn value<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&Expr) -> Result<T>,
        errors: &mut Errors,
    ) -> Option<T> {
        let entry = self.take(name)?;
        match &entry.given {
            Given::Value(value) => errors.take(read(value)),
            _ => {
                errors.push(Error::new(
                    entry.name.span(),
                    format!("`{name}` needs a value: write `{name} = ..`"),
                ));
                None
            }
        }
    }

    /// Takes an option that is only a name out: whether it is there.
    pub(crate) fn flag(&mut self, name: &str, errors: &mut Errors) -> bool {
        let Some(entry) = self.take(name) else {
            return false;
        };
        if !matches!(entry.given, Given::Flag) {
            errors.push(Error::new(
                entry.name.span(),
                format!("`{name}` takes no value: write `{name}` alone, or leave it out"),
            ));
        }
        true
    }
}
