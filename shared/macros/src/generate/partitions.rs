//! The expansion of `partitions!`.

use proc_macro2::{Literal, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Ident, ext::IdentExt, spanned::Spanned};

use crate::{
    errors::Errors,
    model::{PartitionsModel, TimeModel},
};

/// Expands to a `LazyPartitions`. The definition was validated, so its construction cannot fail.
pub(crate) fn expand_partitions(definition: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let model = PartitionsModel::read(definition, &mut errors);
    let definition = match &model {
        Some(model) if errors.is_empty() => {
            let definition = definition_expr(model);
            quote!(::std::sync::Arc::new(#definition))
        }
        _ => {
            // Any type: the static keeps its own, and the errors are the only ones.
            quote!({ #errors ::core::unreachable!() })
        }
    };
    quote! {
        ::precip::LazyPartitions::new(|| {
            #[allow(unused_imports)]
            use ::precip::__private as __p;
            #definition
        })
    }
}

/// Returns an expression for a definition.
fn definition_expr(model: &PartitionsModel) -> TokenStream {
    match model {
        PartitionsModel::Time(time) => {
            let time_windows = time_window_expr(time);
            quote!(__p::validated(#time_windows))
        }
        PartitionsModel::Static(keys) => {
            quote!(__p::validated(__p::StaticPartitions::new([#(#keys),*])))
        }
        PartitionsModel::Dynamic(name) => quote! {
            __p::PartitionsDefinition::from(__p::DynamicPartitions::new(#name))
        },
        PartitionsModel::Multi(dimensions) => {
            let dimensions = dimensions.iter().map(|(name, model)| {
                let name = name.unraw().to_string();
                let definition = definition_expr(model);
                quote!((#name, #definition))
            });
            quote!(__p::validated(__p::MultiPartitions::new([#(#dimensions),*])))
        }
        PartitionsModel::Shared(path) => {
            quote_spanned!(path.span()=> __p::shared_partitions(&#path))
        }
    }
}

/// Returns an expression that builds time windows.
fn time_window_expr(time: &TimeModel) -> TokenStream {
    let (cadence, start) = (&time.cadence, &time.start);
    let first = match &time.schedule {
        Some(schedule) => {
            let format = TimeModel::CRON_FORMAT;
            quote!(cron(#schedule, #start, #format))
        }
        None => quote!(#cadence(#start)),
    };
    let texts = time.texts.iter().map(|(call, text)| {
        let call = Ident::new(call, text.span());
        quote!(.#call(#text))
    });
    let numbers = time.numbers.iter().map(|(call, number, span)| {
        let call = Ident::new(call, *span);
        let number = Literal::i64_unsuffixed(*number);
        quote!(.#call(#number))
    });
    quote!(__p::TimeWindowPartitions::#first #(#texts)* #(#numbers)* .build())
}
