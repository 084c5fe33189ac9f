//! What sensors and schedules have in common.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Ident, spanned::Spanned};

use super::{call::parameters, marker::marker};
use crate::model::{Function, ParamKind, TargetModel, TriggerItem, TriggerModel};

/// The item as it was written, and its marker type.
pub(super) fn item(item: &TriggerItem, otherwise: &str) -> TokenStream {
    match item {
        TriggerItem::Function(function) => {
            let written = function.to_tokens();
            let marker = marker(
                function.name(),
                &function.item.vis,
                &function.docs,
                otherwise,
            );
            quote!(#written #marker)
        }
        TriggerItem::Struct(item) => {
            let (attrs, vis, name) = (&item.attrs, &item.vis, &item.ident);
            // With braces it takes no name from variables and functions, like every other marker.
            quote! {
                #(#attrs)*
                #[allow(non_camel_case_types, dead_code)]
                #vis struct #name {}
            }
        }
    }
}

/// The function that the engine calls, if there is one: its definition, and how it is named.
pub(super) fn run(item: &TriggerItem, context: &Ident) -> (TokenStream, TokenStream) {
    let TriggerItem::Function(function) = item else {
        return (TokenStream::new(), quote!(::core::option::Option::None));
    };
    let (taken, passed) = parameters(function);
    let name = function.name();
    let wait = function.is_async().then(|| quote!(.await));
    let answer = quote_spanned! {function.returns.span()=>
        __p::IntoSensorResult::into_sensor_result(__returned)
    };
    let run = quote! {
        fn __run(
            __context: __p::#context,
            __resources: &__p::Resources,
        ) -> __p::TriggerFuture<'_> {
            ::std::boxed::Box::pin(async move {
                let _ = (&__context, __resources);
                #(#taken)*
                let __returned = #name(#(#passed),*) #wait;
                #answer
            })
        }
    };
    (run, quote!(::core::option::Option::Some(__run)))
}

/// The declaration's calls for what both say.
pub(super) fn common_calls(common: &TriggerModel, item: &TriggerItem) -> TokenStream {
    let target = match &common.target {
        None => TokenStream::new(),
        Some(TargetModel::Selection(text)) => quote!(.target(#text)),
        Some(TargetModel::Assets(assets)) => {
            let assets = assets
                .iter()
                .map(|asset| quote_spanned!(asset.span()=> .target_asset::<#asset>()));
            quote!(#(#assets)*)
        }
    };
    let running = common.running.then(|| quote!(.running()));
    let description = common
        .description
        .iter()
        .map(|text| quote!(.description(#text)));
    let resources = match item {
        TriggerItem::Function(function) => resources(function),
        TriggerItem::Struct(_) => TokenStream::new(),
    };
    quote!(#target #running #(#description)* #resources)
}

fn resources(function: &Function) -> TokenStream {
    let calls = function
        .params
        .iter()
        .filter_map(|param| match &param.kind {
            ParamKind::Resource(_, inner) => {
                let name = &param.name;
                Some(quote_spanned!(inner.span()=> .resource::<#inner>(#name)))
            }
            _ => None,
        });
    quote!(#(#calls)*)
}
