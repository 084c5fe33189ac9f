//! The code that sensors and schedules share.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Ident, spanned::Spanned};

use super::{call::argument_tokens, marker::marker_type};
use crate::model::{Function, ParamKind, TargetModel, TriggerItem, TriggerModel};

/// Returns the item as written, and its marker type, whose default doc is `title`.
pub(super) fn item_tokens(item: &TriggerItem, title: &str) -> TokenStream {
    match item {
        TriggerItem::Function(function) => {
            let function_tokens = function.to_tokens();
            let marker = marker_type(function.name(), &function.item.vis, &function.docs, title);
            quote!(#function_tokens #marker)
        }
        TriggerItem::Struct(item) => {
            let (attrs, vis, name) = (&item.attrs, &item.vis, &item.ident);
            // With braces a struct has no constructor by its name, so variables and functions may
            // have it too.
            quote! {
                #(#attrs)*
                #[allow(non_camel_case_types, dead_code)]
                #vis struct #name {}
            }
        }
    }
}

/// Returns the function that the engine calls, and the expression that names it: `None` for a
/// struct.
pub(super) fn run_fn(item: &TriggerItem, context: &Ident) -> (TokenStream, TokenStream) {
    let TriggerItem::Function(function) = item else {
        return (TokenStream::new(), quote!(::core::option::Option::None));
    };
    let (statements, arguments) = argument_tokens(function);
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
                #(#statements)*
                let __returned = #name(#(#arguments),*) #wait;
                #answer
            })
        }
    };
    (run, quote!(::core::option::Option::Some(__run)))
}

/// Returns the declaration's calls for the shared options.
pub(super) fn common_calls(common: &TriggerModel, item: &TriggerItem) -> TokenStream {
    let target = match &common.target {
        None => TokenStream::new(),
        Some(TargetModel::Selection(text)) => quote!(.target_selection(#text)),
        Some(TargetModel::Assets(assets)) => {
            let assets = assets
                .iter()
                .map(|asset| quote_spanned!(asset.span()=> .target_asset::<#asset>()));
            quote!(#(#assets)*)
        }
    };
    let running = common.running.then(|| quote!(.starts_running()));
    let description = common
        .description
        .iter()
        .map(|text| quote!(.description(#text)));
    let resources = match item {
        TriggerItem::Function(function) => resource_calls(function),
        TriggerItem::Struct(_) => TokenStream::new(),
    };
    quote!(#target #running #(#description)* #resources)
}

fn resource_calls(function: &Function) -> TokenStream {
    let calls = function
        .params
        .iter()
        .filter_map(|param| match &param.kind {
            ParamKind::Resource(_, inner) => {
                let name = &param.name;
                Some(quote_spanned!(inner.span()=> .add_resource::<#inner>(#name)))
            }
            _ => None,
        });
    quote!(#(#calls)*)
}
