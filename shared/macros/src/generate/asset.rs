//! The expansion of `#[asset]`.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::{
    call::{execution_expr, input_calls, run_fn},
    declare::{asset_decl, data_checks_expr, op_calls},
    marker::{asset_impl, const_block, declares_impl_with, marker_type},
};
use crate::{
    errors::Errors,
    model::{AssetModel, Function, OpModel},
    options::Options,
};

/// Expands to the function, its marker type and its registration.
pub(crate) fn expand_asset(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let Some(function) = Function::parse("#[asset]", item.clone(), &mut errors) else {
        return quote!(#item #errors);
    };
    let name = function.name().clone();
    let docs = function.docs.clone();
    let (asset, op) = Options::read("`#[asset]`", options, &mut errors, |options, errors| {
        (
            AssetModel::read(name.clone(), docs, options, errors),
            OpModel::read(options, errors),
        )
    });

    // The function, the marker and its `Asset` are emitted even with errors: other items name them,
    // and their errors would hide the cause.
    let function_tokens = function.to_tokens();
    let returns = &function.returns;
    let title = format!("The asset `{}`.", asset.key);
    let marker = marker_type(&name, &function.item.vis, &asset.docs, &title);
    let data = quote_spanned!(returns.span()=> <#returns as __p::AssetReturn>::Data);
    let asset_impl = asset_impl(&name, &asset.key, &data);
    let code = if errors.is_empty() {
        let checks = asset.checks.iter().map(|check| check.name.to_string());
        let finish = quote_spanned! {returns.span()=>
            __p::finish_asset::<#name, _>(&__context, &[#(#checks),*], __returned)
        };
        let run = run_fn(&function, &finish);
        let (key, execution) = (&asset.key, execution_expr(&function));
        let checks: Vec<TokenStream> = data_checks_expr(&asset).into_iter().collect();
        let (asset, inputs, op) = (asset_decl(&asset), input_calls(&function), op_calls(&op));
        let declares = declares_impl_with(
            &name,
            &quote! {
                __p::OpDecl::new(#key, __p::here!(), #execution, __run)
                    .add_asset(#asset) #inputs #op .into_declaration()
            },
            &checks,
        );
        const_block(&quote!(#asset_impl #run #declares))
    } else {
        let asset_impl = const_block(&asset_impl);
        quote!(#asset_impl #errors)
    };
    quote!(#function_tokens #marker #code)
}
