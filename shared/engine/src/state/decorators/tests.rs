use std::{sync::Arc, time::Duration};

use super::{CountCalls, DelayCalls, FailCalls, Hooked, When};
use crate::state::{
    Finished, MaterializationStore, ReadConsistency, StateErrorKind, StateResult, StateStore,
    conformance::fixtures::{day, made, run_id},
    memory::MemoryStore,
};

#[tokio::test]
async fn a_lost_answer_leaves_the_work_done() -> StateResult<()> {
    let memory = Arc::new(MemoryStore::new());
    let faulty = Hooked::new(memory.clone() as Arc<dyn StateStore>, FailCalls::default());
    faulty
        .hook()
        .fail("finish", When::After, 0, 1, StateErrorKind::Retry);
    let item = made(&day("flights", 3), run_id(1), 1);
    let lost = faulty
        .finish(vec![item.clone()])
        .await
        .map_err(|e| e.kind());
    assert_eq!(lost, Err(StateErrorKind::Retry));
    assert!(
        memory
            .latest(&item.target, ReadConsistency::Strong)
            .await?
            .is_some()
    );
    assert_eq!(faulty.finish(vec![item]).await?, [Finished::Committed]);
    Ok(())
}

#[tokio::test]
async fn fails_the_call_it_was_told_to_fail_and_no_other() -> StateResult<()> {
    let memory = Arc::new(MemoryStore::new());
    let counted = Arc::new(Hooked::new(memory.clone(), CountCalls::default()));
    let faulty = Hooked::new(counted.clone(), FailCalls::default());
    faulty
        .hook()
        .fail("latest", When::Before, 1, 1, StateErrorKind::Unavailable);
    let target = day("flights", 3);
    faulty.latest(&target, ReadConsistency::Strong).await?;
    let error = faulty
        .latest(&target, ReadConsistency::Strong)
        .await
        .expect_err("the second call fails");
    assert_eq!(
        error.to_string(),
        "`latest` was made to fail before the work"
    );
    faulty.latest(&target, ReadConsistency::Strong).await?;
    assert_eq!(counted.hook().of("latest"), 2);
    assert_eq!(counted.hook().total(), 2);
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
    slow.latest(&day("flights", 0), ReadConsistency::Strong)
        .await?;
    assert_eq!(begun.elapsed(), Duration::from_secs(5));
    Ok(())
}
