//! `#[schedule]`.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::Ident;

use super::{
    marker::{beside, declares},
    trigger::{common_calls, item as written, run},
};
use crate::{
    errors::Errors,
    model::{CatchUpModel, ScheduleModel, TimingModel, TriggerItem},
};

/// Writes the item, its marker type, and its registration.
pub(crate) fn schedule(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let Some(trigger) = TriggerItem::parse("#[schedule]", item.clone(), &mut errors) else {
        let errors = errors.into_tokens();
        return quote!(#item #errors);
    };
    let schedule = ScheduleModel::read(options, &trigger, &mut errors);
    let written = written(&trigger, "A schedule.");
    let code = match schedule {
        Some(schedule) if errors.is_empty() => {
            let context = Ident::new("ScheduleContext", Span::call_site());
            let (run, function) = run(&trigger, &context);
            let name = &schedule.common.name;
            let timing = timing_calls(&schedule.timing);
            let catch_up = schedule.catch_up.as_ref().map(catch_up_call);
            let common = common_calls(&schedule.common, &trigger);
            let declares = declares(
                trigger.name(),
                &quote! {
                    __p::ScheduleDecl::new(#name, __p::here!(), #function)
                        #timing #catch_up #common .declare()
                },
            );
            beside(&quote!(#run #declares))
        }
        _ => errors.into_tokens(),
    };
    quote!(#written #code)
}

fn timing_calls(timing: &TimingModel) -> TokenStream {
    match timing {
        TimingModel::Cron { cron, timezone } => {
            let timezone = timezone.iter();
            quote!(.cron(#cron) #(.timezone(#timezone))*)
        }
        TimingModel::Partitions { places, timezone } => {
            let calls = ["minute", "hour", "weekday", "day"];
            let calls = calls.iter().zip(places).filter_map(|(call, place)| {
                let call = Ident::new(call, Span::call_site());
                place.map(|place| quote!(.#call(#place)))
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
            let millis = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
            quote!(.catch_up(__p::CatchUp::Within(::core::time::Duration::from_millis(#millis))))
        }
    }
}
