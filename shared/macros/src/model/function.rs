//! The function that a macro stands on.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Error, FnArg, Ident, ItemFn, ReturnType, Type, spanned::Spanned};

use super::{Docs, Param};
use crate::errors::Errors;

/// The function that a macro stands on, taken apart.
pub(crate) struct Function {
    /// The function without the attributes that belong to the macro.
    pub(crate) item: ItemFn,
    /// Its parameters.
    pub(crate) params: Vec<Param>,
    /// What it returns; `()` when it says nothing.
    pub(crate) returns: Type,
    /// Its doc comment.
    pub(crate) docs: Docs,
}

impl Function {
    /// Takes an item apart; `None` when it is no function.
    pub(crate) fn parse(owner: &str, tokens: TokenStream, errors: &mut Errors) -> Option<Self> {
        let mut item: ItemFn = match syn::parse2(tokens.clone()) {
            Ok(item) => item,
            Err(_) => {
                errors.push(Error::new_spanned(
                    tokens,
                    format!(
                        "`{owner}` goes on a function, like `fn flights() -> Vec<Flight> {{ .. }}`"
                    ),
                ));
                return None;
            }
        };
        if !item.sig.generics.params.is_empty() {
            errors.push(Error::new(
                item.sig.generics.span(),
                format!("`{owner}` goes on a function without type parameters: name the types"),
            ));
        }
        let mut params = Vec::new();
        for arg in &mut item.sig.inputs {
            match arg {
                FnArg::Typed(arg) => params.extend(errors.take(Param::parse(arg))),
                FnArg::Receiver(receiver) => errors.push(Error::new(
                    receiver.span(),
                    format!("`{owner}` goes on a function that is not a method: take what it needs as `#[resource]`"),
                )),
            }
        }
        let returns = match &item.sig.output {
            ReturnType::Default => syn::parse_quote_spanned!(item.sig.ident.span()=> ()),
            ReturnType::Type(_, written) => (**written).clone(),
        };
        let docs = Docs::of(&item.attrs);
        Some(Self {
            item,
            params,
            returns,
            docs,
        })
    }

    /// The function's name.
    pub(crate) fn name(&self) -> &Ident {
        &self.item.sig.ident
    }

    /// Whether it is an `async fn`.
    pub(crate) fn is_async(&self) -> bool {
        self.item.sig.asyncness.is_some()
    }

    /// The function itself, as it was written.
    pub(crate) fn to_tokens(&self) -> TokenStream {
        let item = &self.item;
        quote!(#item)
    }
}
