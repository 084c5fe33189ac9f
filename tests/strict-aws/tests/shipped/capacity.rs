//! The consumed units: what the store counts, what the table charges, and what neither reports.

use precip_engine::state::{
    CommitOutcome, MaterializationStore, StateResult,
    conformance::{
        Harness,
        fixtures::{day_partition, materialization_of, run_id},
    },
};
use precip_simulator::bill::Unit;

use crate::world::World;

/// DynamoDB charges a refused write, and says nothing of it in the answer.
#[test]
fn a_refused_commit_is_charged_and_counted_as_refused() -> StateResult<()> {
    let mut world = World::new(1);
    let harness = world.harness();
    let target = day_partition("flights", 1);
    let commit = |run| {
        let made = materialization_of(&target, run_id(run), 1);
        harness.store.commit_materializations(vec![made])
    };
    world.kernel.run(async {
        assert_eq!(commit(2).await?, [CommitOutcome::Committed]);
        let refused = commit(1).await?;
        assert_eq!(refused, [CommitOutcome::Superseded { by: run_id(2) }]);
        StateResult::Ok(())
    })?;
    let counted = harness.store.meter().total();
    let charged = world.bill.amount(Unit::DynamoDbWrite);
    assert_eq!(charged, counted.write + counted.refused as f64);
    Ok(())
}

/// The meter and the bill agree over a course of all kinds of calls, but for refused writes.
#[test]
fn the_meter_agrees_with_the_bill() -> StateResult<()> {
    let mut world = World::new(1);
    let harness = world.harness();
    let store = harness.store();
    world.kernel.run(async {
        for n in 0..20 {
            let target = day_partition("flights", n);
            let made = materialization_of(&target, run_id(n % 3), 1);
            store.commit_materializations(vec![made]).await?;
        }
        let targets: Vec<_> = (0..30).map(|n| day_partition("flights", n)).collect();
        let consistency = precip_engine::state::ReadConsistency::Eventual;
        store.latest_materializations(&targets, consistency).await?;
        store.wipe_partitions(&targets[..5]).await?;
        StateResult::Ok(())
    })?;
    let counted = harness.store.meter().total();
    assert_eq!(world.bill.amount(Unit::DynamoDbWrite), counted.write);
    assert_eq!(world.bill.amount(Unit::DynamoDbRead), counted.read);
    assert_eq!(counted.read, 15.0);
    Ok(())
}
