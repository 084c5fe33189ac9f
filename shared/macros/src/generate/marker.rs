//! The marker type of a function, and the code around it.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Ident, Visibility};

use crate::model::Docs;

/// Returns the marker type of an item. Types and functions have separate namespaces, so both can
/// have the same name. Without a doc comment its doc is `title`.
pub(super) fn marker_type(name: &Ident, vis: &Visibility, docs: &Docs, title: &str) -> TokenStream {
    let attrs = &docs.attrs;
    let doc = if attrs.is_empty() {
        quote!(#[doc = #title])
    } else {
        quote!(#(#attrs)*)
    };
    quote! {
        #doc
        #[allow(non_camel_case_types, dead_code)]
        #vis struct #name {}
    }
}

/// Returns the `Asset` implementation of a marker type.
pub(super) fn asset_impl(name: &Ident, key: &str, data: &TokenStream) -> TokenStream {
    quote! {
        impl __p::Asset for #name {
            type Data = #data;
            const KEY: &'static str = #key;
        }
    }
}

/// Returns the `Declares` implementation of a marker type, and its registration.
pub(super) fn declares_impl(name: &Ident, declaration: &TokenStream) -> TokenStream {
    declares_impl_with(name, declaration, &[])
}

/// Returns the same with additional lists of declarations.
pub(super) fn declares_impl_with(
    name: &Ident,
    declaration: &TokenStream,
    additional: &[TokenStream],
) -> TokenStream {
    let along = (!additional.is_empty()).then(|| {
        quote! {
            fn attached_declarations() -> ::std::vec::Vec<__p::Declaration> {
                let mut along = ::std::vec::Vec::new();
                #(along.extend(#additional);)*
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

/// Returns code in a block next to the item, with the item's names in scope.
pub(super) fn const_block(code: &TokenStream) -> TokenStream {
    quote! {
        const _: () = {
            use ::precip::__private as __p;
            #code
        };
    }
}
