//! The declaration's calls for assets and ops.

use std::time::Duration;

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Expr, Ident, LitStr, spanned::Spanned};

use super::call::dep_call;
use crate::model::{AssetModel, BackfillModel, ComputeModel, FreshnessModel, OpModel, RetryModel};

/// Returns an expression that declares one asset.
pub(super) fn asset_decl(asset: &AssetModel) -> TokenStream {
    let marker = &asset.marker;
    let description = asset
        .description
        .iter()
        .map(|text| quote!(.description(#text)));
    // Options whose call takes one string, and is repeated for each.
    let string_options = [
        ("group", asset.group.as_slice()),
        ("code_version", asset.code_version.as_slice()),
        ("io_manager", asset.io_manager.as_slice()),
        ("add_owner", &asset.owners),
        ("add_kind", &asset.kinds),
    ];
    let texts = string_options.iter().flat_map(|(call, texts)| {
        let call = Ident::new(call, Span::call_site());
        texts.iter().map(move |text: &LitStr| quote!(.#call(#text)))
    });
    let tags = asset
        .tags
        .iter()
        .map(|(name, value)| quote!(.add_tag(#name, #value)));
    let metadata = asset.metadata.iter().map(|label| {
        let (name, value) = (&label.name, &label.value);
        quote_spanned!(value.span()=> .add_metadata(#name, #value))
    });
    let deps = asset.deps.iter().flatten().filter_map(dep_call);
    let checks = asset.checks.iter().map(|check| {
        let name = check.name.to_string();
        let blocking = check.blocking;
        let description = match &check.description {
            Some(text) => quote!(::core::option::Option::Some(#text)),
            None => quote!(::core::option::Option::None),
        };
        quote!(.add_check(#name, #blocking, #description))
    });
    let freshness = asset.freshness.iter().map(freshness_call);
    let automation = asset
        .automation
        .iter()
        .map(|condition| quote_spanned!(condition.span()=> .automation_condition(#condition)));
    quote! {
        __p::AssetDecl::new::<#marker>()
            #(#description)* #(#texts)* #(#tags)* #(#metadata)* #(#deps)* #(#checks)*
            #(#freshness)* #(#automation)*
    }
}

/// Returns an expression that declares the checks over an asset's data, if it has any.
pub(super) fn data_checks_expr(asset: &AssetModel) -> Option<TokenStream> {
    let checks = &asset.data_checks;
    // The error for data that is not a table marks the checks.
    let mut marker = asset.marker.clone();
    marker.set_span(checks.first()?.span());
    Some(quote!(__p::data_checks_of::<#marker, _>(__p::here!(), [#(#checks),*])))
}

fn freshness_call(freshness: &FreshnessModel) -> TokenStream {
    match freshness {
        FreshnessModel::Shared(policy) => {
            quote_spanned!(policy.span()=> .freshness_policy(&#policy))
        }
        FreshnessModel::TimeWindow { fail, warn } => {
            let fail = duration_expr(*fail);
            let warn = match warn.map(duration_expr) {
                Some(warn) => quote!(::core::option::Option::Some(#warn)),
                None => quote!(::core::option::Option::None),
            };
            quote!(.freshness_policy(&__p::FreshnessPolicy::time_window(#fail, #warn)))
        }
        FreshnessModel::Cron {
            deadline,
            lower_bound,
            timezone,
        } => {
            let lower_bound = duration_expr(*lower_bound);
            quote!(.freshness_policy(&__p::FreshnessPolicy::cron(#deadline, #lower_bound, #timezone)))
        }
    }
}

/// Returns the declaration's calls for an op.
pub(super) fn op_calls(op: &OpModel) -> TokenStream {
    let partitions = op.partitions.as_ref().map(partitions_call);
    let backfill = op.backfill.as_ref().map(backfill_call);
    let retry = op.retry.as_ref().map(retry_call);
    let pool = op.pool.as_ref().map(|pool| quote!(.pool_name(#pool)));
    let compute = op.compute.as_ref().map(compute_call);
    quote!(#partitions #backfill #retry #pool #compute)
}

/// Returns the declaration's call for a partitions definition.
pub(super) fn partitions_call(partitions: &Expr) -> TokenStream {
    quote_spanned!(partitions.span()=> .partitions(&#partitions))
}

fn backfill_call(backfill: &BackfillModel) -> TokenStream {
    match backfill {
        BackfillModel::PerPartition => quote!(.backfill_policy(__p::BackfillPolicy::PerPartition)),
        BackfillModel::SingleRun => quote!(.backfill_policy(__p::BackfillPolicy::SingleRun)),
        BackfillModel::MultiRun(most) => quote!(.backfill_at_most(#most)),
    }
}

fn retry_call(retry: &RetryModel) -> TokenStream {
    let (max_retries, delay, backoff, jitter) = match retry {
        RetryModel::Shared(policy) => return quote_spanned!(policy.span()=> .retry_policy(#policy)),
        RetryModel::Own {
            max_retries,
            delay,
            backoff,
            jitter,
        } => (max_retries, duration_expr(*delay), backoff, jitter),
    };
    // Variants are named as strings in the model; here they become paths.
    let backoff_variant = Ident::new(backoff, Span::call_site());
    let jitter_variant = Ident::new(jitter, Span::call_site());
    quote! {
        .retry_policy(__p::RetryPolicy {
            max_retries: #max_retries,
            delay: #delay,
            backoff: __p::Backoff::#backoff_variant,
            jitter: __p::Jitter::#jitter_variant,
        })
    }
}

fn compute_call(compute: &ComputeModel) -> TokenStream {
    let (memory, timeout, storage, binary) = match compute {
        ComputeModel::Shared(profile) => {
            return quote_spanned!(profile.span()=> .compute_profile(#profile));
        }
        ComputeModel::Own {
            memory_mib,
            timeout,
            ephemeral_storage_mib,
            binary,
        } => (
            memory_mib,
            timeout.map(duration_expr),
            ephemeral_storage_mib,
            binary,
        ),
    };
    let memory_field = memory.map(|mib| quote!(memory_mib: #mib,));
    let timeout_field = timeout.map(|timeout| quote!(timeout: #timeout,));
    let storage_field = storage.map(|mib| quote!(ephemeral_storage_mib: #mib,));
    let binary_call = binary.as_ref().map(|name| quote!(.binary_name(#name)));
    quote! {
        .compute_profile(__p::ComputeProfile {
            #memory_field #timeout_field #storage_field
            ..::core::default::Default::default()
        })
        #binary_call
    }
}

/// Returns an expression for a duration.
pub(super) fn duration_expr(duration: Duration) -> TokenStream {
    let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    quote!(::core::time::Duration::from_millis(#millis))
}
