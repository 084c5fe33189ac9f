//! The expansion of `#[schedule]`.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::Ident;

use super::{
    declare::duration_expr,
    marker::{const_block, declares_impl},
    trigger::{common_calls, item_tokens, run_fn},
};
use crate::{
    errors::Errors,
    model::{CatchUpModel, ScheduleModel, TimingModel, TriggerItem},
};

/// Expands to the item, its marker type and its registration.
pub(crate) fn expand_schedule(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let Some(trigger) = TriggerItem::parse("#[schedule]", item.clone(), &mut errors) else {
        return quote!(#item #errors);
    };
    let schedule = ScheduleModel::read(options, &trigger, &mut errors);
    let item_tokens = item_tokens(&trigger, "A schedule.");
    let code = match schedule {
        Some(schedule) if errors.is_empty() => {
            let context = Ident::new("ScheduleContext", Span::call_site());
            let (run, function) = run_fn(&trigger, &context);
            let name = &schedule.common.name;
            let timing = timing_calls(&schedule.timing);
            let catch_up = schedule.catch_up.as_ref().map(catch_up_call);
            let common = common_calls(&schedule.common, &trigger);
            let declares = declares_impl(
                trigger.name(),
                &quote! {
                    __p::ScheduleDecl::new(#name, __p::here!(), #function)
                        #timing #catch_up #common .into_declaration()
                },
            );
            const_block(&quote!(#run #declares))
        }
        _ => errors.to_token_stream(),
    };
    quote!(#item_tokens #code)
}

fn timing_calls(timing: &TimingModel) -> TokenStream {
    match timing {
        TimingModel::Cron { cron, timezone } => {
            let timezone = timezone.iter();
            quote!(.cron(#cron) #(.timezone(#timezone))*)
        }
        TimingModel::Partitions { offsets, timezone } => {
            // In the order of the offsets in the model.
            let methods = ["minute", "hour", "weekday", "day"];
            let calls = methods.iter().zip(offsets).filter_map(|(method, offset)| {
                let method = Ident::new(method, Span::call_site());
                offset.map(|offset| quote!(.#method(#offset)))
            });
            let timezone = timezone.iter();
            quote!(#(#calls)* #(.timezone(#timezone))*)
        }
    }
}

fn catch_up_call(catch_up: &CatchUpModel) -> TokenStream {
    match catch_up {
        CatchUpModel::All => quote!(.catch_up(__p::CatchUp::All)),
        CatchUpModel::Latest => quote!(.catch_up(__p::CatchUp::Latest)),
        CatchUpModel::Within(age) => {
            let age = duration_expr(*age);
            quote!(.catch_up(__p::CatchUp::Within(#age)))
        }
    }
}
