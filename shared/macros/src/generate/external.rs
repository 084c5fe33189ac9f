//! The expansion of `#[external_asset]`.

use proc_macro2::TokenStream;
use quote::quote;

use super::{
    declare::{asset_decl, partitions_call},
    marker::{asset_impl, const_block, declares_impl},
};
use crate::{errors::Errors, model::ExternalAssetModel};

/// Expands to the struct, as a marker type, and its registration.
pub(crate) fn expand_external_asset(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let Some(external) = ExternalAssetModel::read(options, item.clone(), &mut errors) else {
        return quote!(#item #errors);
    };
    let (attrs, vis) = (&external.item.attrs, &external.item.vis);
    let name = &external.item.ident;
    let asset_impl = asset_impl(name, &external.asset.key, &quote!(__p::Unmanaged));
    let declares = errors.is_empty().then(|| {
        let decl = asset_decl(&external.asset);
        let partitions = external.partitions.as_ref().map(partitions_call);
        declares_impl(
            name,
            &quote!(#decl #partitions .declare_external(__p::here!())),
        )
    });
    let code = const_block(&quote!(#asset_impl #declares));
    // With braces a struct has no constructor by its name, so variables and functions may have it
    // too.
    quote! {
        #(#attrs)*
        #[allow(non_camel_case_types, dead_code)]
        #vis struct #name {}
        #code
        #errors
    }
}
