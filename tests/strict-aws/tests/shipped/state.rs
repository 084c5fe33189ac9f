//! The rules of the state store, with the shipped adapter over the strict DynamoDB.

use precip_engine::state::{StateResult, conformance::Harness};

use crate::world::World;

/// Runs a rule in virtual time. No request that it makes may be wrong.
fn in_virtual_time(rule: impl AsyncFnOnce(&dyn Harness) -> StateResult<()>) -> StateResult<()> {
    let mut world = World::new(7);
    let harness = world.harness();
    let result = world.kernel.run(rule(&harness));
    assert_eq!(world.aws.mistakes(), []);
    result
}

precip_engine::state_store_conformance!(run_with = in_virtual_time);
