//! [`Options`].

use precip_core::{nearest::nearest_names, prose::and_list};
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

/// The part of an option after its name.
pub(crate) enum OptionValue {
    /// Nothing.
    Flag,
    /// `= value`.
    Value(Box<Expr>),
    /// `(..)`.
    Group(TokenStream),
}

/// The value of an option that is given as `name = value` or as `name(..)`.
pub(crate) enum ValueOrGroup {
    /// `= value`.
    Value(Expr),
    /// `(..)`.
    Group(TokenStream),
}

/// One option, as written.
pub(crate) struct Entry {
    /// Its name.
    pub(crate) name: Ident,
    /// The rest of it.
    pub(crate) value: OptionValue,
}

impl Parse for Entry {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let name = input.call(Ident::parse_any)?;
        let value = if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            if input.is_empty() || input.peek(Token![,]) {
                return Err(Error::new(
                    name.span(),
                    format!("`{name} =` needs a value after it"),
                ));
            }
            OptionValue::Value(input.parse()?)
        } else if input.peek(token::Paren) {
            let inside;
            parenthesized!(inside in input);
            OptionValue::Group(inside.parse()?)
        } else {
            OptionValue::Flag
        };
        Ok(Self { name, value })
    }
}

/// The options of one macro or group.
///
/// The names that the reader asks for are the options that exist: there is no other list of them,
/// so the answer to an unknown option always names exactly those that are read.
pub(crate) struct Options {
    /// The owner of the options, for messages: `#[asset]`.
    owner: String,
    span: Span,
    /// The options that have not been taken yet.
    entries: Vec<Entry>,
    /// The names that the reader has asked for so far, in that order.
    known: Vec<String>,
}

impl Options {
    /// Parses options, lets `reader` take them, and reports every option that it did not ask for.
    ///
    /// `reader` has to ask for all its options on every path, in the order in which messages list
    /// them.
    pub(crate) fn read<T>(
        owner: impl Into<String>,
        tokens: TokenStream,
        errors: &mut Errors,
        reader: impl FnOnce(&mut Self, &mut Errors) -> T,
    ) -> T {
        let mut options = Self::parse(owner.into(), tokens, errors);
        // Which options are unknown shows only afterwards, but it is said first: a misspelled name
        // is often the cause of the reader's own errors.
        let mut reader_errors = Errors::default();
        let value = reader(&mut options, &mut reader_errors);
        options.report_unknown(errors);
        // Without errors every option was read: none is ignored silently.
        debug_assert!(
            !reader_errors.is_empty() || options.entries.iter().all(|e| !options.is_known(&e.name)),
            "the reader of {} asks for an option that it does not take",
            options.owner
        );
        errors.append(reader_errors);
        value
    }

    /// Parses options. A syntax error is reported and leaves none.
    fn parse(owner: String, tokens: TokenStream, errors: &mut Errors) -> Self {
        // Errors about missing options mark the first token; an empty list has none.
        let first = tokens.clone().into_iter().next();
        let mut options = Self {
            owner,
            span: first.map_or_else(Span::call_site, |token: TokenTree| token.span()),
            entries: Vec::new(),
            known: Vec::new(),
        };
        let parsed = Punctuated::<Entry, Token![,]>::parse_terminated.parse2(tokens);
        for entry in errors.ok_or_push(parsed).into_iter().flatten() {
            if options.entries.iter().any(|other| other.name == entry.name) {
                errors.push(Error::new(
                    entry.name.span(),
                    format!("{} has `{}` twice: keep one", options.owner, entry.name),
                ));
            } else {
                options.entries.push(entry);
            }
        }
        options
    }

    /// Reports the options that the reader did not ask for.
    fn report_unknown(&self, errors: &mut Errors) {
        for entry in &self.entries {
            if !self.is_known(&entry.name) {
                let message = self.unknown_message(&entry.name.to_string());
                errors.push(Error::new(entry.name.span(), message));
            }
        }
    }

    fn unknown_message(&self, name: &str) -> String {
        let owner = &self.owner;
        let all = and_list(&self.known);
        match nearest_names(name, self.known.iter().map(String::as_str)).first() {
            // One suggestion only: the list of all options follows.
            Some(near) => format!(
                "{owner} has no option `{name}`: did you mean `{near}`? The options are {all}"
            ),
            None => format!("{owner} has no option `{name}`: the options are {all}"),
        }
    }

    /// Returns the span of the first token, or of the macro itself.
    pub(crate) fn span(&self) -> Span {
        self.span
    }

    /// Returns whether an option is given and has not been taken yet.
    pub(crate) fn contains(&mut self, name: &str) -> bool {
        self.mark_known(name);
        self.entries.iter().any(|entry| entry.name == name)
    }

    /// Sets an option that is not given, if there is a value for it.
    pub(crate) fn set_default(&mut self, name: &str, value: Option<&LitStr>) {
        if let Some(value) = value.filter(|_| !self.entries.iter().any(|e| e.name == name)) {
            self.entries.push(Entry {
                name: Ident::new(name, value.span()),
                value: OptionValue::Value(Box::new(Expr::Lit(ExprLit {
                    attrs: Vec::new(),
                    lit: Lit::Str(value.clone()),
                }))),
            });
        }
    }

    /// Takes an option.
    pub(crate) fn take_entry(&mut self, name: &str) -> Option<Entry> {
        self.mark_known(name);
        let index = self.entries.iter().position(|entry| entry.name == name)?;
        Some(self.entries.remove(index))
    }

    /// Takes an option of the form `name = value` and parses its value.
    pub(crate) fn take_value<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&Expr) -> Result<T>,
        errors: &mut Errors,
    ) -> Option<T> {
        let entry = self.take_entry(name)?;
        match &entry.value {
            OptionValue::Value(value) => errors.ok_or_push(parse(value)),
            _ => {
                errors.push(Error::new(
                    entry.name.span(),
                    format!("`{name}` needs a value: write `{name} = ..`"),
                ));
                None
            }
        }
    }

    /// Takes an option of the form `name = value` or `name(..)`; `example` is the answer to the
    /// name alone. Returns the option's name too, for errors about what is missing in it.
    pub(crate) fn take_value_or_group(
        &mut self,
        name: &str,
        example: &str,
        errors: &mut Errors,
    ) -> Option<(Ident, ValueOrGroup)> {
        let entry = self.take_entry(name)?;
        let value = match entry.value {
            OptionValue::Value(value) => ValueOrGroup::Value(*value),
            OptionValue::Group(tokens) => ValueOrGroup::Group(tokens),
            OptionValue::Flag => {
                errors.push(Error::new(entry.name.span(), example));
                return None;
            }
        };
        Some((entry.name, value))
    }

    /// Takes an option of the form `name`, and returns whether it is given.
    pub(crate) fn take_flag(&mut self, name: &str, errors: &mut Errors) -> bool {
        let Some(entry) = self.take_entry(name) else {
            return false;
        };
        if !matches!(entry.value, OptionValue::Flag) {
            errors.push(Error::new(
                entry.name.span(),
                format!("`{name}` takes no value: write `{name}` alone, or leave it out"),
            ));
        }
        true
    }

    fn is_known(&self, name: &Ident) -> bool {
        self.known.iter().any(|known| name == known)
    }

    fn mark_known(&mut self, name: &str) {
        if !self.known.iter().any(|known| known == name) {
            self.known.push(name.to_owned());
        }
    }
}
