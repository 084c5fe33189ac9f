//! The two ends of an invocation: the inputs, and the returned value.

use precip_core::key::{AssetKey, CheckKey};
use precip_engine::asset::{Asset, AssetContext, AssetError, Inputs, OpOutputs, OutputCollector};
use precip_io::{AssetReturn, CheckReturn, FromAsset, MultiAssetReturn};

/// Takes an input as the type of its parameter.
pub fn take_input<P: FromAsset>(inputs: &mut Inputs, name: &str) -> Result<P, AssetError> {
    let input = inputs
        .remove(name)
        .ok_or_else(|| AssetError::terminal(format!("parameter `{name}` has no input")))?;
    P::from_asset(input).map_err(|error| AssetError::from(error).into_terminal())
}

/// Converts the value that the function of an asset returned.
pub fn finish_asset<A: Asset, R: AssetReturn>(
    context: &AssetContext,
    checks: &[&str],
    returned: R,
) -> Result<OpOutputs, AssetError> {
    let asset = A::key();
    let keys: Vec<CheckKey> = checks.iter().map(|name| check_key(&asset, name)).collect();
    let mut collector = OutputCollector::new(context, &keys);
    collector.add(&asset, returned.into_return_value()?)?;
    Ok(collector.into_outputs())
}

/// Converts the value that the function of a multi-asset returned.
pub fn finish_all<const N: usize, R: MultiAssetReturn<N>>(
    context: &AssetContext,
    assets: [AssetKey; N],
    checks: &[(AssetKey, &str)],
    returned: R,
) -> Result<OpOutputs, AssetError> {
    let keys: Vec<CheckKey> = checks
        .iter()
        .map(|(asset, name)| check_key(asset, name))
        .collect();
    let mut collector = OutputCollector::new(context, &keys);
    // Outputs are returned in the order in which they are declared.
    for (asset, returned) in assets.iter().zip(returned.into_return_value()?) {
        collector.add(asset, returned)?;
    }
    Ok(collector.into_outputs())
}

/// Converts the value that the function of a check returned.
pub fn finish_check<A: Asset, R: CheckReturn>(
    context: &AssetContext,
    name: &str,
    returned: R,
) -> Result<OpOutputs, AssetError> {
    let asset = A::key();
    let checks = [check_key(&asset, name)];
    let mut collector = OutputCollector::new(context, &checks);
    collector.add_check(&asset, &[returned.into_result()?])?;
    Ok(collector.into_outputs())
}

fn check_key(asset: &AssetKey, name: &str) -> CheckKey {
    CheckKey {
        asset: asset.clone(),
        name: name.to_owned(),
    }
}
