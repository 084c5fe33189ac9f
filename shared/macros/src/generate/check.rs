//! `#[asset_check]`.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::{
    call::{dep, execution, needs, run},
    declare::op_calls,
    marker::{beside, declares, marker},
};
use crate::{
    errors::Errors,
    model::{CheckModel, Function},
};

/// Writes the function, its marker type, and its registration.
pub(crate) fn asset_check(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let Some(function) = Function::parse("#[asset_check]", item.clone(), &mut errors) else {
        let errors = errors.into_tokens();
        return quote!(#item #errors);
    };
    let check = CheckModel::read(options, &function, &mut errors);
    let name = function.name();
    let written = function.to_tokens();
    let marker = marker(name, &function.item.vis, &function.docs, "An asset check.");
    let code = match check {
        Some(check) if errors.is_empty() => {
            let (asset, check_name) = (&check.asset, &check.name);
            let finish = quote_spanned! {function.returns.span()=>
                __p::finish_check::<#asset, _>(&__context, #check_name, __returned)
            };
            let run = run(&function, &finish);
            let execution = execution(&function);
            let blocking = check.blocking.then(|| quote!(.blocking()));
            let description = check
                .description
                .iter()
                .map(|text| quote!(.description(#text)));
            let deps = check.additional_deps.iter().filter_map(dep);
            let (needs, op) = (needs(&function), op_calls(&check.op));
            let declares = declares(
                name,
                &quote! {
                    __p::OpDecl::check::<#asset>(#check_name, __p::here!(), #execution, __run)
                        #blocking #(#description)* #needs #(#deps)* #op .declare()
                },
            );
            beside(&quote!(#run #declares))
        }
        _ => errors.into_tokens(),
    };
    quote!(#written #marker #code)
}
