//! [`Function`]: the function under a macro.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Error, FnArg, Ident, ItemFn, ReturnType, Type, spanned::Spanned};

use super::{Docs, Param};
use crate::errors::Errors;

/// The function under a macro, with its parts.
pub(crate) struct Function {
    /// The function without the attributes that belong to the macro.
    pub(crate) item: ItemFn,
    /// Its parameters.
    pub(crate) params: Vec<Param>,
    /// Its return type; `()` without one.
    pub(crate) returns: Type,
    /// Its doc comment.
    pub(crate) docs: Docs,
}

impl Function {
    /// Parses an item; `None` when it is not a function.
    pub(crate) fn parse(owner: &str, tokens: TokenStream, errors: &mut Errors) -> Option<Self> {
        let mut item: ItemFn = match syn::parse2(tokens.clone()) {
            Ok(item) => item,
            Err(_) => {
                errors.push(Error::new_spanned(
                    tokens,
                    format!(
                        "`{owner}` belongs on a function, like `fn flights() -> Vec<Flight> {{ .. }}`"
                    ),
                ));
                return None;
            }
        };
        if !item.sig.generics.params.is_empty() {
            errors.push(Error::new(
                item.sig.generics.span(),
                format!("`{owner}` belongs on a function without type parameters: name the types"),
            ));
        }
        // Parsing a parameter removes the macro's attributes from it: the compiler does not know
        // them.
        let mut params = Vec::new();
        for arg in &mut item.sig.inputs {
            match arg {
                FnArg::Typed(arg) => params.extend(errors.ok_or_push(Param::parse(arg))),
                FnArg::Receiver(receiver) => errors.push(Error::new(
                    receiver.span(),
                    format!("`{owner}` belongs on a function, not a method: take shared state as a `#[resource]` parameter"),
                )),
            }
        }
        let returns = match &item.sig.output {
            ReturnType::Default => syn::parse_quote_spanned!(item.sig.ident.span()=> ()),
            ReturnType::Type(_, declared) => (**declared).clone(),
        };
        let docs = Docs::from_attributes(&item.attrs);
        Some(Self {
            item,
            params,
            returns,
            docs,
        })
    }

    /// Returns the function's name.
    pub(crate) fn name(&self) -> &Ident {
        &self.item.sig.ident
    }

    /// Returns whether it is an `async fn`.
    pub(crate) fn is_async(&self) -> bool {
        self.item.sig.asyncness.is_some()
    }

    /// Returns the function as written, without the macro's own attributes.
    pub(crate) fn to_tokens(&self) -> TokenStream {
        let item = &self.item;
        quote!(#item)
    }
}
