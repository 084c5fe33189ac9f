//! 1,000 assets in ten layers, each made from three of the layer before.

use std::process::ExitCode;

use precip::{
    core::{
        key::AssetKey,
        spec::{AssetSpec, DepSpec, OpSpec},
    },
    engine::{
        asset::{FnBody, OpOutputs},
        definitions::OpDefinition,
    },
    prelude::*,
};

const LAYERS: usize = 10;
const WIDTH: usize = 100;

fn op(layer: usize, index: usize) -> Result<OpDefinition, Box<dyn std::error::Error>> {
    let key = |layer: usize, index: usize| AssetKey::new(format!("a{layer}_{index}"));
    let mut spec = AssetSpec::new(key(layer, index)?);
    if let Some(above) = layer.checked_sub(1) {
        for step in 0..3 {
            spec.deps
                .push(DepSpec::new(key(above, (index + step) % WIDTH)?));
        }
    }
    let body = FnBody(|_, _, _| Box::pin(async { Ok(OpOutputs::default()) }));
    Ok(OpDefinition::new(OpSpec::single(spec), body))
}

fn definitions() -> Result<Definitions, InvalidDefinitions> {
    let places = (0..LAYERS).flat_map(|layer| (0..WIDTH).map(move |index| (layer, index)));
    let ops = places.filter_map(|(layer, index)| op(layer, index).ok());
    ops.fold(Definitions::builder(), |builder, op| builder.op(op))
        .build()
}

fn main() -> ExitCode {
    precip::main(definitions)
}
