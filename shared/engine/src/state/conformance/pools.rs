//! Rules of [`PoolStore`](crate::state::PoolStore).

use chrono::{DateTime, Utc};

use super::{Harness, fixtures::at};
use crate::state::{Slot, SlotAnswer, SlotHolder, SlotRequest, StateResult};

fn holder(n: usize) -> SlotHolder {
    SlotHolder(format!("run/op/{n}"))
}

fn ask(n: usize, now: i64, expires: i64) -> SlotRequest {
    SlotRequest {
        pool: "snowflake".to_owned(),
        holder: holder(n),
        now: at(now),
        expires_at: at(expires),
    }
}

fn full(limit: u32, next: Option<DateTime<Utc>>) -> SlotAnswer {
    SlotAnswer::Full {
        limit,
        next_expiry: next,
    }
}

/// And nothing is taken.
pub async fn a_pool_without_a_limit_never_holds_up(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    for n in 0..5 {
        assert_eq!(store.acquire(ask(n, 0, 60)).await?, SlotAnswer::Unlimited);
    }
    let pool = store.pool("snowflake", at(0)).await?;
    assert_eq!((pool.limit, pool.slots), (None, vec![]));
    assert_eq!(store.pools().await?, Vec::<String>::new());
    Ok(())
}

/// The next one is told when to ask again.
pub async fn slots_are_granted_up_to_the_limit(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    store.set_pool_limit("snowflake", Some(2)).await?;
    store.set_pool_limit("api", Some(0)).await?;
    assert_eq!(store.acquire(ask(1, 0, 60)).await?, SlotAnswer::Granted);
    assert_eq!(store.acquire(ask(2, 0, 50)).await?, SlotAnswer::Granted);
    assert_eq!(store.acquire(ask(3, 0, 60)).await?, full(2, Some(at(50))));
    let slot = |n, expires| Slot {
        holder: holder(n),
        expires_at: at(expires),
    };
    assert_eq!(
        store.pool("snowflake", at(1)).await?.slots,
        [slot(1, 60), slot(2, 50)]
    );
    store.release("snowflake", &holder(1)).await?;
    store.release("snowflake", &holder(1)).await?;
    assert_eq!(store.acquire(ask(3, 1, 61)).await?, SlotAnswer::Granted);
    let closed = SlotRequest {
        pool: "api".to_owned(),
        ..ask(1, 0, 60)
    };
    assert_eq!(store.acquire(closed).await?, full(0, None));
    assert_eq!(store.pools().await?, ["api", "snowflake"]);
    Ok(())
}

/// Asking again neither takes a second slot nor fails when the pool is full.
pub async fn a_holder_renews_its_own_slot(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    store.set_pool_limit("snowflake", Some(1)).await?;
    assert_eq!(store.acquire(ask(1, 0, 60)).await?, SlotAnswer::Granted);
    assert_eq!(store.acquire(ask(1, 30, 90)).await?, SlotAnswer::Granted);
    assert_eq!(store.acquire(ask(2, 70, 99)).await?, full(1, Some(at(90))));
    Ok(())
}

/// A dead process does not keep its slots.
pub async fn expired_slots_are_free(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    store.set_pool_limit("snowflake", Some(1)).await?;
    assert_eq!(store.acquire(ask(1, 0, 60)).await?, SlotAnswer::Granted);
    assert_eq!(store.acquire(ask(2, 59, 90)).await?, full(1, Some(at(60))));
    assert_eq!(store.acquire(ask(2, 60, 90)).await?, SlotAnswer::Granted);
    assert_eq!(store.acquire(ask(1, 61, 99)).await?, full(1, Some(at(90))));
    let pool = store.pool("snowflake", at(61)).await?;
    assert_eq!(
        pool.slots
            .iter()
            .map(|slot| &slot.holder)
            .collect::<Vec<_>>(),
        [&holder(2)]
    );
    assert_eq!(store.pool("snowflake", at(90)).await?.slots, []);
    Ok(())
}

/// Across processes.
pub async fn racing_holders_never_exceed_the_limit(h: &dyn Harness) -> StateResult<()> {
    let peers = [h.store(), h.peer().await];
    peers[0].set_pool_limit("snowflake", Some(3)).await?;
    let asking: Vec<_> = (0..16)
        .map(|n| {
            let store = peers[n % 2].clone();
            tokio::spawn(async move { store.acquire(ask(n, 0, 60)).await })
        })
        .collect();
    let mut granted = 0;
    for ask in asking {
        let answer = ask.await.expect("asking does not panic")?;
        granted += u32::from(answer == SlotAnswer::Granted);
    }
    assert_eq!(granted, 3);
    assert_eq!(peers[1].pool("snowflake", at(1)).await?.slots.len(), 3);
    Ok(())
}

/// Nobody loses a slot; nobody gets one until there are fewer.
pub async fn a_lowered_limit_lets_slots_run_out(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    store.set_pool_limit("snowflake", Some(3)).await?;
    for n in 0..3 {
        store.acquire(ask(n, 0, 60)).await?;
    }
    store.set_pool_limit("snowflake", Some(1)).await?;
    assert_eq!(store.acquire(ask(0, 1, 60)).await?, SlotAnswer::Granted);
    store.release("snowflake", &holder(1)).await?;
    assert_eq!(store.acquire(ask(7, 1, 60)).await?, full(1, Some(at(60))));
    store.release("snowflake", &holder(0)).await?;
    store.release("snowflake", &holder(2)).await?;
    assert_eq!(store.acquire(ask(7, 1, 60)).await?, SlotAnswer::Granted);
    store.set_pool_limit("snowflake", None).await?;
    assert_eq!(store.acquire(ask(8, 1, 60)).await?, SlotAnswer::Unlimited);
    Ok(())
}
