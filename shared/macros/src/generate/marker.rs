//! The marker type beside a function.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Ident, Visibility};

use crate::model::Docs;

/// A type without values. It takes no name from the function: types and functions have names apart.
pub(super) fn marker(name: &Ident, vis: &Visibility, docs: &Docs, otherwise: &str) -> TokenStream {
    let attrs = &docs.attrs;
    let docs = if attrs.is_empty() {
        quote!(#[doc = #otherwise])
    } else {
        quote!(#(#attrs)*)
    };
    quote! {
        #docs
        #[allow(non_camel_case_types, dead_code)]
        #vis struct #name {}
    }
}

/// What makes the marker an asset.
pub(super) fn is_asset(name: &Ident, key: &str, data: &TokenStream) -> TokenStream {
    quote! {
        impl __p::Asset for #name {
            type Data = #data;
            const KEY: &'static str = #key;
        }
    }
}

/// What makes an item declare something, and registers it.
pub(super) fn declares(name: &Ident, declaration: &TokenStream) -> TokenStream {
    declares_with(name, declaration, &[])
}

/// The same, where lists of declarations come along.
pub(super) fn declares_with(
    name: &Ident,
    declaration: &TokenStream,
    along: &[TokenStream],
) -> TokenStream {
    let along = (!along.is_empty()).then(|| {
        quote! {
            fn along() -> ::std::vec::Vec<__p::Declaration> {
                let mut along = ::std::vec::Vec::new();
                #(along.extend(#along);)*
                along
            }
        }
    });
    quote! {
        impl __p::Declares for #name {
            fn declare() -> __p::Declaration {
                #declaration
            }
            #along
        }
        __p::inventory::submit!(__p::Registered::of::<#name>());
    }
}

/// Puts code beside an item, where it sees what the item sees.
pub(super) fn beside(code: &TokenStream) -> TokenStream {
    quote! {
        const _: () = {
            use ::precip::__private as __p;
            #code
        };
    }
}
