//! The expansion of `#[multi_asset]`.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{ext::IdentExt, spanned::Spanned};

use super::{
    call::{dep_call, execution_expr, input_calls, run_fn},
    declare::{asset_decl, data_checks_expr, op_calls},
    marker::{asset_impl, const_block, declares_impl_with, marker_type},
};
use crate::{
    errors::Errors,
    model::{Function, MultiAssetModel},
};

/// Expands to the function, a marker type for it and for each of its assets, and its registration.
pub(crate) fn expand_multi_asset(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let Some(function) = Function::parse("#[multi_asset]", item.clone(), &mut errors) else {
        return quote!(#item #errors);
    };
    let multi = MultiAssetModel::read(options, &mut errors);
    let name = function.name();
    let vis = &function.item.vis;
    let returns = &function.returns;
    let count = multi.outputs.len();

    let function_tokens = function.to_tokens();
    let op_marker = marker_type(name, vis, &function.docs, "The op of a multi-asset.");
    let markers = multi.outputs.iter().map(|output| {
        let title = format!("The asset `{}`.", output.key);
        marker_type(&output.marker, vis, &output.docs, &title)
    });
    // The data of an output is the element of the returned tuple at its index.
    let asset_impls = multi.outputs.iter().enumerate().map(|(index, output)| {
        let data = quote_spanned!(returns.span()=> <#returns as __p::OutputAt<#index>>::Data);
        asset_impl(&output.marker, &output.key, &data)
    });
    let assets_code: TokenStream = asset_impls.collect();
    let code = if errors.is_empty() {
        let keys = multi.outputs.iter().map(|output| &output.marker);
        // The names of returned checks are unique per asset, so each comes with its asset's key.
        let checks = multi.outputs.iter().flat_map(|output| {
            let marker = &output.marker;
            output.checks.iter().map(move |check| {
                let check = check.name.to_string();
                quote!((<#marker as __p::Asset>::key(), #check))
            })
        });
        let finish = quote_spanned! {returns.span()=>
            __p::finish_all::<#count, _>(
                &__context,
                [#(<#keys as __p::Asset>::key()),*],
                &[#(#checks),*],
                __returned,
            )
        };
        let run = run_fn(&function, &finish);
        let op_name = name.unraw().to_string();
        let execution = execution_expr(&function);
        let assets = multi.outputs.iter().map(|output| {
            let decl = asset_decl(output);
            // `deps` of an output replace those of the op.
            if output.deps.is_some() {
                quote!(.add_asset_with_own_deps(#decl))
            } else {
                quote!(.add_asset(#decl))
            }
        });
        let deps = multi.deps.iter().filter_map(dep_call);
        let can_subset = multi.can_subset.then(|| quote!(.can_subset()));
        let (inputs, op) = (input_calls(&function), op_calls(&multi.op));
        let data_checks: Vec<TokenStream> =
            multi.outputs.iter().filter_map(data_checks_expr).collect();
        let declares = declares_impl_with(
            name,
            &quote! {
                __p::OpDecl::new(#op_name, __p::here!(), #execution, __run)
                    #(#assets)* #inputs #(#deps)* #can_subset #op .into_declaration()
            },
            &data_checks,
        );
        const_block(&quote!(#assets_code #run #declares))
    } else {
        let assets_block = const_block(&assets_code);
        quote!(#assets_block #errors)
    };
    quote!(#function_tokens #op_marker #(#markers)* #code)
}
