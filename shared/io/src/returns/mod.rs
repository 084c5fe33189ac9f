//! Return types of whole functions: data, data with metadata, or metadata alone, each also as a `Result`.

mod asset_return;
mod check_return;
mod multi;
mod part;

pub use asset_return::AssetReturn;
pub use check_return::CheckReturn;
pub use multi::{MultiAssetReturn, OutputAt};
pub use part::PartReturn;
