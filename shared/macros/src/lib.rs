//! The attribute macros of Precip. Use them through the `precip` crate, which documents them.
//!
//! Each goes three steps: what was written is parsed into options ([`options`]), options and function
//! become a model whose every value is valid ([`model`]), and the model becomes code ([`generate`]).
//! Whatever is wrong is reported at its own tokens, all at once, and the function and its marker type
//! are emitted all the same, so that no other error hides the cause.

mod errors;
mod generate;
mod model;
mod options;

use proc_macro::TokenStream;

/// Declares the asset that a function makes.
#[proc_macro_attribute]
pub fn asset(options: TokenStream, item: TokenStream) -> TokenStream {
    generate::asset(options.into(), item.into()).into()
}

/// Declares the several assets that one function makes.
#[proc_macro_attribute]
pub fn multi_asset(options: TokenStream, item: TokenStream) -> TokenStream {
    generate::multi_asset(options.into(), item.into()).into()
}

/// Declares a check of an asset.
#[proc_macro_attribute]
pub fn asset_check(options: TokenStream, item: TokenStream) -> TokenStream {
    generate::asset_check(options.into(), item.into()).into()
}

/// Declares an asset that something else makes.
#[proc_macro_attribute]
pub fn external_asset(options: TokenStream, item: TokenStream) -> TokenStream {
    generate::external_asset(options.into(), item.into()).into()
}

/// Declares an asset that a query makes. Use it through the `precip-duckdb` crate, which documents it.
#[proc_macro_attribute]
pub fn sql_asset(options: TokenStream, item: TokenStream) -> TokenStream {
    generate::sql_asset(options.into(), item.into()).into()
}

/// Declares what starts runs when something comes or changes.
#[proc_macro_attribute]
pub fn sensor(options: TokenStream, item: TokenStream) -> TokenStream {
    generate::sensor(options.into(), item.into()).into()
}

/// Declares what starts runs at set times.
#[proc_macro_attribute]
pub fn schedule(options: TokenStream, item: TokenStream) -> TokenStream {
    generate::schedule(options.into(), item.into()).into()
}

/// Makes a partitions definition whose literals are checked where they are written.
#[proc_macro]
pub fn partitions(definition: TokenStream) -> TokenStream {
    generate::partitions(definition.into()).into()
}
