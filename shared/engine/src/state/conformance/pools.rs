//! Rules of [`PoolStore`](crate::state::PoolStore).

use chrono::{DateTime, Utc};

use super::{Harness, fixtures::at_second, run_at_once};
use crate::state::{Slot, SlotAnswer, SlotHolder, SlotRequest, StateResult};

fn slot_holder(n: usize) -> SlotHolder {
    SlotHolder(format!("run/op/{n}"))
}

fn slot_request(n: usize, now: i64, expires: i64) -> SlotRequest {
    SlotRequest {
        pool: "snowflake".to_owned(),
        holder: slot_holder(n),
        now: at_second(now),
        expires_at: at_second(expires),
    }
}

fn pool_full(limit: u32, next: Option<DateTime<Utc>>) -> SlotAnswer {
    SlotAnswer::Full {
        limit,
        next_expiry: next,
    }
}

/// A pool without a limit grants every request and takes no slot.
pub async fn a_pool_without_a_limit_never_holds_up(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    for n in 0..5 {
        assert_eq!(
            store.acquire_slot(slot_request(n, 0, 60)).await?,
            SlotAnswer::Unlimited
        );
    }
    let pool = store.pool_state("snowflake", at_second(0)).await?;
    assert_eq!((pool.limit, pool.slots), (None, vec![]));
    assert_eq!(store.limited_pools().await?, Vec::<String>::new());
    Ok(())
}

/// A refused request learns when the next slot expires.
pub async fn slots_are_granted_up_to_the_limit(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    store.set_pool_limit("snowflake", Some(2)).await?;
    store.set_pool_limit("api", Some(0)).await?;
    assert_eq!(
        store.acquire_slot(slot_request(1, 0, 60)).await?,
        SlotAnswer::Granted
    );
    assert_eq!(
        store.acquire_slot(slot_request(2, 0, 50)).await?,
        SlotAnswer::Granted
    );
    assert_eq!(
        store.acquire_slot(slot_request(3, 0, 60)).await?,
        pool_full(2, Some(at_second(50)))
    );
    // A slot is free once it is released, and releasing it twice does no harm.
    let slot = |n, expires| Slot {
        holder: slot_holder(n),
        expires_at: at_second(expires),
    };
    assert_eq!(
        store.pool_state("snowflake", at_second(1)).await?.slots,
        [slot(1, 60), slot(2, 50)]
    );
    store.release_slot("snowflake", &slot_holder(1)).await?;
    store.release_slot("snowflake", &slot_holder(1)).await?;
    assert_eq!(
        store.acquire_slot(slot_request(3, 1, 61)).await?,
        SlotAnswer::Granted
    );
    let closed = SlotRequest {
        pool: "api".to_owned(),
        ..slot_request(1, 0, 60)
    };
    assert_eq!(store.acquire_slot(closed).await?, pool_full(0, None));
    assert_eq!(store.limited_pools().await?, ["api", "snowflake"]);
    Ok(())
}

/// A repeated request takes no second slot and succeeds even when the pool is full.
pub async fn a_holder_renews_its_own_slot(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    store.set_pool_limit("snowflake", Some(1)).await?;
    assert_eq!(
        store.acquire_slot(slot_request(1, 0, 60)).await?,
        SlotAnswer::Granted
    );
    assert_eq!(
        store.acquire_slot(slot_request(1, 30, 90)).await?,
        SlotAnswer::Granted
    );
    assert_eq!(
        store.acquire_slot(slot_request(2, 70, 99)).await?,
        pool_full(1, Some(at_second(90)))
    );
    Ok(())
}

/// A dead process loses its slots when they expire.
pub async fn expired_slots_are_free(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    store.set_pool_limit("snowflake", Some(1)).await?;
    assert_eq!(
        store.acquire_slot(slot_request(1, 0, 60)).await?,
        SlotAnswer::Granted
    );
    assert_eq!(
        store.acquire_slot(slot_request(2, 59, 90)).await?,
        pool_full(1, Some(at_second(60)))
    );
    assert_eq!(
        store.acquire_slot(slot_request(2, 60, 90)).await?,
        SlotAnswer::Granted
    );
    // The former holder of an expired slot has to queue like any other.
    assert_eq!(
        store.acquire_slot(slot_request(1, 61, 99)).await?,
        pool_full(1, Some(at_second(90)))
    );
    let pool = store.pool_state("snowflake", at_second(61)).await?;
    assert_eq!(
        pool.slots
            .iter()
            .map(|slot| &slot.holder)
            .collect::<Vec<_>>(),
        [&slot_holder(2)]
    );
    assert_eq!(
        store.pool_state("snowflake", at_second(90)).await?.slots,
        []
    );
    Ok(())
}

/// The limit holds for concurrent requests of several processes.
pub async fn racing_holders_never_exceed_the_limit(h: &dyn Harness) -> StateResult<()> {
    let peers = [h.store(), h.open_peer().await];
    peers[0].set_pool_limit("snowflake", Some(3)).await?;
    let asking = (0..16).map(|n| {
        let store = peers[n % 2].clone();
        async move { store.acquire_slot(slot_request(n, 0, 60)).await }
    });
    let mut granted = 0;
    for answer in run_at_once(asking).await {
        granted += u32::from(answer? == SlotAnswer::Granted);
    }
    assert_eq!(granted, 3);
    assert_eq!(
        peers[1]
            .pool_state("snowflake", at_second(1))
            .await?
            .slots
            .len(),
        3
    );
    Ok(())
}

/// Holders keep their slots, and no new slot is granted until fewer than the limit are taken.
pub async fn a_lowered_limit_lets_slots_run_out(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    store.set_pool_limit("snowflake", Some(3)).await?;
    for n in 0..3 {
        store.acquire_slot(slot_request(n, 0, 60)).await?;
    }
    store.set_pool_limit("snowflake", Some(1)).await?;
    // Three slots are taken and the limit is one: renewing works, new requests wait.
    assert_eq!(
        store.acquire_slot(slot_request(0, 1, 60)).await?,
        SlotAnswer::Granted
    );
    store.release_slot("snowflake", &slot_holder(1)).await?;
    assert_eq!(
        store.acquire_slot(slot_request(7, 1, 60)).await?,
        pool_full(1, Some(at_second(60)))
    );
    store.release_slot("snowflake", &slot_holder(0)).await?;
    store.release_slot("snowflake", &slot_holder(2)).await?;
    assert_eq!(
        store.acquire_slot(slot_request(7, 1, 60)).await?,
        SlotAnswer::Granted
    );
    store.set_pool_limit("snowflake", None).await?;
    assert_eq!(
        store.acquire_slot(slot_request(8, 1, 60)).await?,
        SlotAnswer::Unlimited
    );
    Ok(())
}
