//! The expansion of `#[asset_check]`.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;

use super::{
    call::{dep_call, execution_expr, input_calls, run_fn},
    declare::op_calls,
    marker::{const_block, declares_impl, marker_type},
};
use crate::{
    errors::Errors,
    model::{CheckModel, Function},
};

/// Expands to the function, its marker type and its registration.
pub(crate) fn expand_asset_check(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let Some(function) = Function::parse("#[asset_check]", item.clone(), &mut errors) else {
        return quote!(#item #errors);
    };
    let check = CheckModel::read(options, &function, &mut errors);
    let name = function.name();
    let function_tokens = function.to_tokens();
    let marker = marker_type(name, &function.item.vis, &function.docs, "An asset check.");
    let code = match check {
        // With errors only the function and its marker remain, for the items that name them.
        Some(check) if errors.is_empty() => {
            let (asset, check_name) = (&check.asset, &check.name);
            let finish = quote_spanned! {function.returns.span()=>
                __p::finish_check::<#asset, _>(&__context, #check_name, __returned)
            };
            let run = run_fn(&function, &finish);
            let execution = execution_expr(&function);
            let blocking = check.blocking.then(|| quote!(.blocking()));
            let description = check
                .description
                .iter()
                .map(|text| quote!(.description(#text)));
            let deps = check.additional_deps.iter().filter_map(dep_call);
            let (inputs, op) = (input_calls(&function), op_calls(&check.op));
            let declares = declares_impl(
                name,
                &quote! {
                    __p::OpDecl::new_check::<#asset>(#check_name, __p::here!(), #execution, __run)
                        #blocking #(#description)* #inputs #(#deps)* #op .into_declaration()
                },
            );
            const_block(&quote!(#run #declares))
        }
        _ => errors.to_token_stream(),
    };
    quote!(#function_tokens #marker #code)
}
