//! The attribute macros of Precip. Use them through the `precip` crate, which documents them.
//!
//! Each works in three steps: the tokens are parsed into options ([`options`]), options and
//! function become a model of valid values ([`model`]), and the model becomes code ([`generate`]).
//! All mistakes are reported at once, each at its own tokens. The function and its marker type are
//! emitted even then, so that no follow-up error hides the cause.

mod errors;
mod generate;
mod model;
mod options;

use proc_macro::TokenStream;

/// Declares the asset that a function makes.
#[proc_macro_attribute]
pub fn asset(options: TokenStream, item: TokenStream) -> TokenStream {
    generate::expand_asset(options.into(), item.into()).into()
}

/// Declares several assets that one function makes.
#[proc_macro_attribute]
pub fn multi_asset(options: TokenStream, item: TokenStream) -> TokenStream {
    generate::expand_multi_asset(options.into(), item.into()).into()
}

/// Declares a check of an asset.
#[proc_macro_attribute]
pub fn asset_check(options: TokenStream, item: TokenStream) -> TokenStream {
    generate::expand_asset_check(options.into(), item.into()).into()
}

/// Declares an asset that is made outside the project.
#[proc_macro_attribute]
pub fn external_asset(options: TokenStream, item: TokenStream) -> TokenStream {
    generate::expand_external_asset(options.into(), item.into()).into()
}

/// Declares an asset that a query makes. Use it through the `precip-duckdb` crate, which documents
/// it.
#[proc_macro_attribute]
pub fn sql_asset(options: TokenStream, item: TokenStream) -> TokenStream {
    generate::expand_sql_asset(options.into(), item.into()).into()
}

/// Declares a sensor, which starts runs when objects arrive, assets change or runs end.
#[proc_macro_attribute]
pub fn sensor(options: TokenStream, item: TokenStream) -> TokenStream {
    generate::expand_sensor(options.into(), item.into()).into()
}

/// Declares a schedule, which starts runs at set times.
#[proc_macro_attribute]
pub fn schedule(options: TokenStream, item: TokenStream) -> TokenStream {
    generate::expand_schedule(options.into(), item.into()).into()
}

/// Creates a partitions definition, and checks its literals at compile time.
#[proc_macro]
pub fn partitions(definition: TokenStream) -> TokenStream {
    generate::expand_partitions(definition.into()).into()
}
