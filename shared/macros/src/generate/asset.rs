//! `#[asset]`.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::{
    call::{execution, needs, run},
    declare::{asset_decl, data_checks, op_calls},
    marker::{beside, declares_with, is_asset, marker},
};
use crate::{
    errors::Errors,
    model::{ASSET_OPTIONS, AssetModel, Function, OP_OPTIONS, OpModel},
    options::Options,
};

/// Writes the function, its marker type, and its registration.
pub(crate) fn asset(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let Some(function) = Function::parse("#[asset]", item.clone(), &mut errors) else {
        let errors = errors.into_tokens();
        return quote!(#item #errors);
    };
    let known = [ASSET_OPTIONS, OP_OPTIONS].concat();
    let mut options = Options::parse("`#[asset]`", options, &known, &mut errors);
    let name = function.name().clone();
    let docs = function.docs.clone();
    let asset = AssetModel::read(name.clone(), docs, &mut options, &mut errors);
    let op = OpModel::read(&mut options, &mut errors);

    let written = function.to_tokens();
    let returns = &function.returns;
    let title = format!("The asset `{}`.", asset.key);
    let marker = marker(&name, &function.item.vis, &asset.docs, &title);
    let data = quote_spanned!(returns.span()=> <#returns as __p::AssetReturn>::Data);
    let is_asset = is_asset(&name, &asset.key, &data);
    let code = if errors.is_empty() {
        let checks = asset.checks.iter().map(|check| check.name.to_string());
        let finish = quote_spanned! {returns.span()=>
            __p::finish::<#name, _>(&__context, &[#(#checks),*], __returned)
        };
        let run = run(&function, &finish);
        let (key, execution) = (&asset.key, execution(&function));
        let checks: Vec<TokenStream> = data_checks(&asset).into_iter().collect();
        let (asset, needs, op) = (asset_decl(&asset), needs(&function), op_calls(&op));
        let declares = declares_with(
            &name,
            &quote! {
                __p::OpDecl::new(#key, __p::here!(), #execution, __run)
                    .asset(#asset) #needs #op .declare()
            },
            &checks,
        );
        beside(&quote!(#is_asset #run #declares))
    } else {
        let errors = errors.into_tokens();
        let is_asset = beside(&is_asset);
        quote!(#is_asset #errors)
    };
    quote!(#written #marker #code)
}
