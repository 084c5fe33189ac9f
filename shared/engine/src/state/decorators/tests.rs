use std::{sync::Arc, time::Duration};

use super::{CountCalls, DelayCalls, FailCalls, Hooked, When};
use crate::state::{
    CommitOutcome, MaterializationStore, ReadConsistency, StateErrorKind, StateResult, StateStore,
    conformance::fixtures::{day_partition, materialization_of, run_id},
    memory::MemoryStore,
};

#[tokio::test]
async fn a_lost_answer_leaves_the_work_done() -> StateResult<()> {
    let memory = Arc::new(MemoryStore::new());
    let faulty = Hooked::new(memory.clone() as Arc<dyn StateStore>, FailCalls::default());
    faulty.hook().fail_calls(
        "commit_materializations",
        When::After,
        0,
        1,
        StateErrorKind::Retry,
    );
    let item = materialization_of(&day_partition("flights", 3), run_id(1), 1);
    let lost = faulty
        .commit_materializations(vec![item.clone()])
        .await
        .map_err(|e| e.kind());
    assert_eq!(lost, Err(StateErrorKind::Retry));
    // The caller saw an error, and the work is done.
    assert!(
        memory
            .latest_materialization(&item.target, ReadConsistency::Strong)
            .await?
            .is_some()
    );
    assert_eq!(
        faulty.commit_materializations(vec![item]).await?,
        [CommitOutcome::Committed]
    );
    Ok(())
}

#[tokio::test]
async fn fails_the_selected_call_and_no_other() -> StateResult<()> {
    let memory = Arc::new(MemoryStore::new());
    let counted = Arc::new(Hooked::new(memory.clone(), CountCalls::default()));
    let faulty = Hooked::new(counted.clone(), FailCalls::default());
    faulty.hook().fail_calls(
        "latest_materialization",
        When::Before,
        1,
        1,
        StateErrorKind::Unavailable,
    );
    let target = day_partition("flights", 3);
    faulty
        .latest_materialization(&target, ReadConsistency::Strong)
        .await?;
    let error = faulty
        .latest_materialization(&target, ReadConsistency::Strong)
        .await
        .expect_err("the second call fails");
    assert_eq!(
        error.to_string(),
        "`latest_materialization` was made to fail before the work"
    );
    faulty
        .latest_materialization(&target, ReadConsistency::Strong)
        .await?;
    // The failed call never reached the store.
    assert_eq!(counted.hook().calls_of("latest_materialization"), 2);
    assert_eq!(counted.hook().total_calls(), 2);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn delays_both_ways() -> StateResult<()> {
    let slow = Hooked::new(
        Arc::new(MemoryStore::new()),
        DelayCalls {
            before: Duration::from_secs(2),
            after: Duration::from_secs(3),
        },
    );
    let begun = tokio::time::Instant::now();
    slow.latest_materialization(&day_partition("flights", 0), ReadConsistency::Strong)
        .await?;
    assert_eq!(begun.elapsed(), Duration::from_secs(5));
    Ok(())
}
