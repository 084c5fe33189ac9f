//! `#[multi_asset]`.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{ext::IdentExt, spanned::Spanned};

use super::{
    call::{dep, execution, needs, run},
    declare::{asset_decl, data_checks, op_calls},
    marker::{beside, declares_with, is_asset, marker},
};
use crate::{
    errors::Errors,
    model::{Function, MultiModel},
};

/// Writes the function, a marker type for it and for each of its assets, and its registration.
pub(crate) fn multi_asset(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let Some(function) = Function::parse("#[multi_asset]", item.clone(), &mut errors) else {
        let errors = errors.into_tokens();
        return quote!(#item #errors);
    };
    let multi = MultiModel::read(options, &mut errors);
    let name = function.name();
    let vis = &function.item.vis;
    let returns = &function.returns;
    let count = multi.outputs.len();

    let written = function.to_tokens();
    let op_marker = marker(name, vis, &function.docs, "The op of a multi-asset.");
    let markers = multi.outputs.iter().map(|output| {
        let title = format!("The asset `{}`.", output.key);
        marker(&output.marker, vis, &output.docs, &title)
    });
    let are_assets = multi.outputs.iter().enumerate().map(|(place, output)| {
        let data = quote_spanned!(returns.span()=> <#returns as __p::OutputAt<#place>>::Data);
        is_asset(&output.marker, &output.key, &data)
    });
    let are_assets: TokenStream = are_assets.collect();
    let code = if errors.is_empty() {
        let keys = multi.outputs.iter().map(|output| &output.marker);
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
        let run = run(&function, &finish);
        let op_name = name.unraw().to_string();
        let execution = execution(&function);
        let assets = multi.outputs.iter().map(|output| {
            let decl = asset_decl(output);
            if output.deps.is_some() {
                quote!(.asset_with_own_deps(#decl))
            } else {
                quote!(.asset(#decl))
            }
        });
        let deps = multi.deps.iter().filter_map(dep);
        let can_subset = multi.can_subset.then(|| quote!(.can_subset()));
        let (needs, op) = (needs(&function), op_calls(&multi.op));
        let checks: Vec<TokenStream> = multi.outputs.iter().filter_map(data_checks).collect();
        let declares = declares_with(
            name,
            &quote! {
                __p::OpDecl::new(#op_name, __p::here!(), #execution, __run)
                    #(#assets)* #needs #(#deps)* #can_subset #op .declare()
            },
            &checks,
        );
        beside(&quote!(#are_assets #run #declares))
    } else {
        let errors = errors.into_tokens();
        let are_assets = beside(&are_assets);
        quote!(#are_assets #errors)
    };
    quote!(#written #op_marker #(#markers)* #code)
}
