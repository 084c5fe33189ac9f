//! The declaration's calls for what is said of assets and ops.

use std::time::Duration;

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Expr, Ident, LitStr, spanned::Spanned};

use super::call::dep;
use crate::model::{AssetModel, BackfillModel, ComputeModel, FreshnessModel, OpModel, RetryModel};

/// An expression that declares one asset.
pub(super) fn asset_decl(asset: &AssetModel) -> TokenStream {
    let marker = &asset.marker;
    let description = asset
        .description
        .iter()
        .map(|text| quote!(.description(#text)));
    let texts = [
        ("group", asset.group.as_slice()),
        ("code_version", asset.code_version.as_slice()),
        ("io_manager", asset.io_manager.as_slice()),
        ("owner", &asset.owners),
        ("kind", &asset.kinds),
    ];
    let texts = texts.iter().flat_map(|(call, texts)| {
        let call = Ident::new(call, Span::call_site());
        texts.iter().map(move |text: &LitStr| quote!(.#call(#text)))
    });
    let tags = asset
        .tags
        .iter()
        .map(|(name, value)| quote!(.tag(#name, #value)));
    let metadata = asset.metadata.iter().map(|label| {
        let (name, value) = (&label.name, &label.value);
        quote_spanned!(value.span()=> .metadata(#name, #value))
    });
    let deps = asset.deps.iter().flatten().filter_map(dep);
    let checks = asset.checks.iter().map(|check| {
        let name = check.name.to_string();
        let blocking = check.blocking;
        let description = match &check.description {
            Some(text) => quote!(::core::option::Option::Some(#text)),
            None => quote!(::core::option::Option::None),
        };
        quote!(.check(#name, #blocking, #description))
    });
    let freshness = asset.freshness.iter().map(freshness_call);
    let automation = asset
        .automation
        .iter()
        .map(|condition| quote_spanned!(condition.span()=> .automation(#condition)));
    quote! {
        __p::AssetDecl::of::<#marker>()
            #(#description)* #(#texts)* #(#tags)* #(#metadata)* #(#deps)* #(#checks)*
            #(#freshness)* #(#automation)*
    }
}

/// An expression that declares the checks over an asset's data; none where there are none.
pub(super) fn data_checks(asset: &AssetModel) -> Option<TokenStream> {
    let checks = &asset.data_checks;
    // Where the data is no table, that is said at the checks.
    let mut marker = asset.marker.clone();
    marker.set_span(checks.first()?.span());
    Some(quote!(__p::data_checks_of::<#marker, _>(__p::here!(), [#(#checks),*])))
}

fn freshness_call(freshness: &FreshnessModel) -> TokenStream {
    match freshness {
        FreshnessModel::Shared(policy) => quote_spanned!(policy.span()=> .freshness(&#policy)),
        FreshnessModel::TimeWindow { fail, warn } => {
            let fail = millis(*fail);
            let warn = match warn.map(millis) {
                Some(warn) => quote!(::core::option::Option::Some(#warn)),
                None => quote!(::core::option::Option::None),
            };
            quote!(.freshness(&__p::FreshnessPolicy::time_window(#fail, #warn)))
        }
        FreshnessModel::Cron {
            deadline,
            lower_bound,
            timezone,
        } => {
            let lower_bound = millis(*lower_bound);
            quote!(.freshness(&__p::FreshnessPolicy::cron(#deadline, #lower_bound, #timezone)))
        }
    }
}

/// The declaration's calls for an op.
pub(super) fn op_calls(op: &OpModel) -> TokenStream {
    let partitions = op.partitions.as_ref().map(partitions_call);
    let backfill = op.backfill.as_ref().map(backfill_call);
    let retry = op.retry.as_ref().map(retry_call);
    let pool = op.pool.as_ref().map(|pool| quote!(.pool(#pool)));
    let compute = op.compute.as_ref().map(compute_call);
    quote!(#partitions #backfill #retry #pool #compute)
}

/// The declaration's call for a partitions definition.
pub(super) fn partitions_call(partitions: &Expr) -> TokenStream {
    quote_spanned!(partitions.span()=> .partitions(&#partitions))
}

fn backfill_call(backfill: &BackfillModel) -> TokenStream {
    match backfill {
        BackfillModel::PerPartition => quote!(.backfill(__p::BackfillPolicy::PerPartition)),
        BackfillModel::SingleRun => quote!(.backfill(__p::BackfillPolicy::SingleRun)),
        BackfillModel::MultiRun(most) => quote!(.backfill_at_most(#most)),
    }
}

fn retry_call(retry: &RetryModel) -> TokenStream {
    let (max_retries, delay, backoff, jitter) = match retry {
        RetryModel::Shared(policy) => return quote_spanned!(policy.span()=> .retry(#policy)),
        RetryModel::Own {
            max_retries,
            delay,
            backoff,
            jitter,
        } => (max_retries, millis(*delay), backoff, jitter),
    };
    let backoff = Ident::new(backoff, Span::call_site());
    let jitter = Ident::new(jitter, Span::call_site());
    quote! {
        .retry(__p::RetryPolicy {
            max_retries: #max_retries,
            delay: #delay,
            backoff: __p::Backoff::#backoff,
            jitter: __p::Jitter::#jitter,
        })
    }
}

fn compute_call(compute: &ComputeModel) -> TokenStream {
    let (memory, timeout, storage, binary) = match compute {
        ComputeModel::Shared(profile) => return quote_spanned!(profile.span()=> .compute(#profile)),
        ComputeModel::Own {
            memory_mib,
            timeout,
            ephemeral_storage_mib,
            binary,
        } => (
            memory_mib,
            timeout.map(millis),
            ephemeral_storage_mib,
            binary,
        ),
    };
    let memory = memory.map(|mib| quote!(memory_mib: #mib,));
    let timeout = timeout.map(|timeout| quote!(timeout: #timeout,));
    let storage = storage.map(|mib| quote!(ephemeral_storage_mib: #mib,));
    let binary = binary.as_ref().map(|name| quote!(.binary(#name)));
    quote! {
        .compute(__p::ComputeProfile {
            #memory #timeout #storage
            ..::core::default::Default::default()
        })
        #binary
    }
}

fn millis(duration: Duration) -> TokenStream {
    let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    quote!(::core::time::Duration::from_millis(#millis))
}
