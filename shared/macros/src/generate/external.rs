//! `#[external_asset]`.

use proc_macro2::TokenStream;
use quote::quote;

use super::{
    declare::{asset_decl, partitions_call},
    marker::{beside, declares, is_asset},
};
use crate::{errors::Errors, model::ExternalModel};

/// Writes the struct, and what makes it an asset.
pub(crate) fn external_asset(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let Some(external) = ExternalModel::read(options, item.clone(), &mut errors) else {
        let errors = errors.into_tokens();
        return quote!(#item #errors);
    };
    let (attrs, vis) = (&external.item.attrs, &external.item.vis);
    let name = &external.item.ident;
    let is_asset = is_asset(name, &external.asset.key, &quote!(__p::Unmanaged));
    let errors_found = !errors.is_empty();
    let errors = errors.into_tokens();
    let declares = (!errors_found).then(|| {
        let decl = asset_decl(&external.asset);
        let partitions = external.partitions.as_ref().map(partitions_call);
        declares(
            name,
            &quote!(#decl #partitions .declare_external(__p::here!())),
        )
    });
    let code = beside(&quote!(#is_asset #declares));
    // With braces it takes no name from variables and functions, like every other marker.
    quote! {
        #(#attrs)*
        #[allow(non_camel_case_types, dead_code)]
        #vis struct #name {}
        #code
        #errors
    }
}
