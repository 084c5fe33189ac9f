//! `partitions!`.

use proc_macro2::{Literal, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Ident, ext::IdentExt, spanned::Spanned};

use crate::{
    errors::Errors,
    model::{PartitionsModel, TimeModel},
};

/// Writes a `LazyPartitions`. What could be wrong with it was checked, so making it cannot fail.
pub(crate) fn partitions(definition: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let model = PartitionsModel::read(definition, &mut errors);
    let made = match &model {
        Some(model) if errors.is_empty() => {
            let made = made(model);
            quote!(::std::sync::Arc::new(#made))
        }
        _ => {
            let errors = errors.into_tokens();
            quote!({ #errors ::core::unreachable!() })
        }
    };
    quote! {
        ::precip::LazyPartitions::new(|| {
            #[allow(unused_imports)]
            use ::precip::__private as __p;
            #made
        })
    }
}

/// An expression that makes a definition.
fn made(model: &PartitionsModel) -> TokenStream {
    match model {
        PartitionsModel::Time(time) => {
            let built = built(time);
            quote!(__p::checked(#built))
        }
        PartitionsModel::Static(keys) => {
            quote!(__p::checked(__p::StaticPartitions::new([#(#keys),*])))
        }
        PartitionsModel::Dynamic(name) => quote! {
            __p::PartitionsDefinition::from(__p::DynamicPartitions::new(#name))
        },
        PartitionsModel::Multi(dimensions) => {
            let dimensions = dimensions.iter().map(|(name, model)| {
                let name = name.unraw().to_string();
                let made = made(model);
                quote!((#name, #made))
            });
            quote!(__p::checked(__p::MultiPartitions::new([#(#dimensions),*])))
        }
        PartitionsModel::Shared(path) => {
            quote_spanned!(path.span()=> __p::shared_partitions(&#path))
        }
    }
}

fn built(time: &TimeModel) -> TokenStream {
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
