//! The expansion of `#[sensor]`.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Ident, spanned::Spanned};

use super::{
    marker::{const_block, declares_impl},
    trigger::{common_calls, item_tokens, run_fn},
};
use crate::{
    errors::Errors,
    model::{FilterModel, SensorModel, SourceModel, TriggerItem},
};

/// Expands to the item, its marker type and its registration.
pub(crate) fn expand_sensor(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let Some(trigger) = TriggerItem::parse("#[sensor]", item.clone(), &mut errors) else {
        return quote!(#item #errors);
    };
    let sensor = SensorModel::read(options, &trigger, &mut errors);
    let item_tokens = item_tokens(&trigger, "A sensor.");
    let code = match sensor {
        Some(sensor) if errors.is_empty() => {
            let context = Ident::new("SensorContext", Span::call_site());
            let (run, function) = run_fn(&trigger, &context);
            let name = &sensor.common.name;
            let source = source_calls(&sensor.source);
            let common = common_calls(&sensor.common, &trigger);
            let declares = declares_impl(
                trigger.name(),
                &quote! {
                    __p::SensorDecl::new(#name, __p::here!(), #function)
                        #source #common .into_declaration()
                },
            );
            const_block(&quote!(#run #declares))
        }
        _ => errors.to_token_stream(),
    };
    quote!(#item_tokens #code)
}

fn source_calls(source: &SourceModel) -> TokenStream {
    match source {
        SourceModel::Objects {
            bucket,
            filter,
            min_size,
            deletes,
        } => {
            let bucket = quote_spanned!(bucket.span()=> .bucket(&#bucket));
            let filter = match filter {
                FilterModel::Key(template) => quote!(.key_template(#template)),
                FilterModel::Between { prefix, suffix } => {
                    let prefix = prefix.iter().map(|text| quote!(.prefix(#text)));
                    let suffix = suffix.iter().map(|text| quote!(.suffix(#text)));
                    quote!(#(#prefix)* #(#suffix)*)
                }
            };
            let min_size = min_size.iter().map(|bytes| quote!(.min_size(#bytes)));
            let deletes = deletes.then(|| quote!(.include_deletes()));
            quote!(#bucket #filter #(#min_size)* #deletes)
        }
        SourceModel::Assets { assets, any } => {
            let assets = assets
                .iter()
                .map(|asset| quote_spanned!(asset.span()=> .watch_asset::<#asset>()));
            let any = any.then(|| quote!(.require_any()));
            quote!(#(#assets)* #any)
        }
        SourceModel::Runs { statuses, of } => {
            let of = of.iter().map(|of| quote!(.run_selection(#of)));
            quote!(.run_statuses(&[#(#statuses),*]) #(#of)*)
        }
    }
}
