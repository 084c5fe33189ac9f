//! Names of steps, as Dagster derives them.

use crate::key::{AssetKey, CheckKey};

/// Returns the name of the step that materializes an asset: the parts of its key joined by `__`.
pub fn asset_step_name(asset: &AssetKey) -> String {
    let parts: Vec<&str> = asset.parts().collect();
    parts.join("__")
}

/// Returns the name of the step that runs a standalone check: `<asset>_<check>`.
///
/// ```
/// use precip_core::{checks::check_step_name, key::CheckKey};
///
/// let check = CheckKey { asset: "raw/flights".parse()?, name: "not_empty".into() };
/// assert_eq!(check_step_name(&check), "raw__flights_not_empty");
/// # Ok::<(), precip_core::key::InvalidAssetKey>(())
/// ```
pub fn check_step_name(check: &CheckKey) -> String {
    format!("{}_{}", asset_step_name(&check.asset), check.name)
}
