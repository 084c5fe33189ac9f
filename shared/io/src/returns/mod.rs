//! What a whole function may return: its data as it is, with facts about it, or the facts alone, and
//! each of these as a `Result`.

mod asset_return;
mod check_return;
mod multi;
mod part;

pub use asset_return::AssetReturn;
pub use check_return::CheckReturn;
pub use multi::{MultiAssetReturn, OutputAt};
pub use part::PartReturn;
