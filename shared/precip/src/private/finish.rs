//! The two ends of an invocation: taking inputs, and handing over what was returned.

use precip_core::key::{AssetKey, CheckKey};
use precip_engine::asset::{Asset, AssetContext, AssetError, Collector, Inputs, OpOutputs};
use precip_io::{AssetReturn, CheckReturn, FromAsset, MultiAssetReturn};

/// Takes one input out, as the type of its parameter.
pub fn take<P: FromAsset>(inputs: &mut Inputs, name: &str) -> Result<P, AssetError> {
    let input = inputs
        .remove(name)
        .ok_or_else(|| AssetError::terminal(format!("parameter `{name}` was given nothing")))?;
    P::from_asset(input).map_err(|error| AssetError::from(error).into_terminal())
}

/// Hands over what the function of an asset returned.
pub fn finish<A: Asset, R: AssetReturn>(
    context: &AssetContext,
    checks: &[&str],
    returned: R,
) -> Result<OpOutputs, AssetError> {
    let asset = A::key();
    let checks: Vec<CheckKey> = checks.iter().map(|name| check(&asset, name)).collect();
    let mut collector = Collector::new(context, &checks);
    collector.add(&asset, returned.into_returned()?)?;
    Ok(collector.finish())
}

/// Hands over what the function of a multi-asset returned.
pub fn finish_all<const N: usize, R: MultiAssetReturn<N>>(
    context: &AssetContext,
    assets: [AssetKey; N],
    checks: &[(AssetKey, &str)],
    returned: R,
) -> Result<OpOutputs, AssetError> {
    let checks: Vec<CheckKey> = checks
        .iter()
        .map(|(asset, name)| check(asset, name))
        .collect();
    let mut collector = Collector::new(context, &checks);
    for (asset, returned) in assets.iter().zip(returned.into_returned()?) {
        collector.add(asset, returned)?;
    }
    Ok(collector.finish())
}

/// Hands over what the function of a check returned.
pub fn finish_check<A: Asset, R: CheckReturn>(
    context: &AssetContext,
    name: &str,
    returned: R,
) -> Result<OpOutputs, AssetError> {
    let asset = A::key();
    let checks = [check(&asset, name)];
    let mut collector = Collector::new(context, &checks);
    collector.add_check(&asset, &[returned.into_result()?])?;
    Ok(collector.finish())
}

fn check(asset: &AssetKey, name: &str) -> CheckKey {
    CheckKey {
        asset: asset.clone(),
        name: name.to_owned(),
    }
}
