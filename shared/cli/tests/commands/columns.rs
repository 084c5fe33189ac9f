//! A check that compares with its previous result.

use std::sync::atomic::{AtomicBool, Ordering};

use precip::{
    checks::columns_unchanged,
    engine::state::{CheckOutcome, PartitionRef},
    prelude::*,
};
use serde::{Deserialize, Serialize};

use crate::world::World;

static DAYS: LazyPartitions = partitions!(static("1", "2"));
/// True once the source has changed its columns.
static CHANGED: AtomicBool = AtomicBool::new(false);

#[derive(Serialize, Deserialize)]
struct Before {
    a: i64,
}

#[derive(Serialize, Deserialize)]
struct After {
    b: i64,
}

#[asset(partitions = DAYS, checks = [columns_unchanged()])]
fn delivered() -> Result<Table, AssetError> {
    Ok(if CHANGED.load(Ordering::SeqCst) {
        Table::from_rows(&[After { b: 1 }])?
    } else {
        Table::from_rows(&[Before { a: 1 }])?
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_are_compared_with_the_previous_ones() {
    let project = Definitions::builder().asset::<delivered>();
    let world = World::with_definitions(project.build().unwrap()).await;
    let first = "there are no earlier columns to compare with";
    let same = "no column has changed";
    let changed = "`b` Int64 is new; `a` Int64 is gone";
    for (day, has_changed, passes, said) in [
        (1, false, true, first),
        // A new partition is compared with the one before it.
        (2, false, true, same),
        (2, true, false, changed),
        (2, true, true, same),
        (1, true, false, changed),
    ] {
        CHANGED.store(has_changed, Ordering::SeqCst);
        let key = day.to_string();
        let words = ["-s", "delivered", "--partitions", key.as_str()];
        world.materialize(&words).await.unwrap();
        let target = PartitionRef::new("delivered".parse().unwrap(), key.as_str(), day - 1);
        let checks = world.session.store.latest_checks(&target).await.unwrap();
        let found = (checks[0].outcome, checks[0].description.as_deref());
        let outcome = if passes {
            CheckOutcome::Passed
        } else {
            CheckOutcome::Failed
        };
        assert_eq!(found, (outcome, Some(said)), "day {day}");
    }
}
