//! Conversions between assets' data and the types of their functions: [`IntoAsset`], [`FromAsset`] and
//! [`LoadFrom`].

mod error;
mod from_asset;
mod into_asset;
mod json;
mod load_from;
mod partitions;
mod rows;
mod scalar;
mod table;

pub use error::ConvertError;
pub(crate) use error::short_type_name;
pub use from_asset::{FromAsset, builtin_values, single_part};
pub use into_asset::IntoAsset;
pub use json::Json;
pub use load_from::{LoadFrom, RowOf};
pub use partitions::Partitions;
pub use scalar::Scalar;

#[cfg(test)]
mod tests;
