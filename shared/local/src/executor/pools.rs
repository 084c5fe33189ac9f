//! Pools: limits on the number of ops of a kind that run at a time.

use std::{collections::BTreeMap, time::Duration};

use precip_core::plan::Plan;
use precip_engine::{
    definitions::{Definitions, OpDefinition},
    run::RunSession,
    state::{SlotAnswer, SlotHolder, SlotRequest, StateResult},
};

/// The average wait before the next request for a slot of a full pool.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// The pools that a plan uses, with the ops of each that run in this process. The process never exceeds
/// a limit by itself, so requests for slots are refused only because of other processes.
#[derive(Debug, Default)]
pub(super) struct Pools {
    limits: BTreeMap<String, u32>,
    running: BTreeMap<String, u32>,
}

impl Pools {
    /// Reads the limits of the pools that a plan uses.
    pub(super) async fn new(session: &RunSession, plan: &Plan) -> StateResult<Self> {
        let mut limits = BTreeMap::new();
        for (_, _, step) in plan.steps() {
            let Some(pool) = pool_of(&session.definitions, &step.op) else {
                continue;
            };
            if !limits.contains_key(pool) {
                // One read per pool. The limits of a run are those at its begin.
                let now = session.ports.clock.now();
                let known = session
                    .with_state_retries(|| session.ports.state.pool_state(pool, now))
                    .await?;
                if let Some(limit) = known.limit {
                    limits.insert(pool.to_owned(), limit);
                }
            }
        }
        Ok(Self {
            limits,
            running: BTreeMap::new(),
        })
    }

    /// Releases the slots that an earlier process left to the run. No other process executes the run,
    /// so they are unused, and would otherwise be blocked until they expire.
    pub(super) async fn release_leftover_slots(&self, session: &RunSession) -> StateResult<()> {
        let ours = format!("{}/", session.run);
        // A holder is named after its run, op and first partition.
        let state = &session.ports.state;
        for pool in self.limits.keys() {
            let now = session.ports.clock.now();
            let known = session
                .with_state_retries(|| state.pool_state(pool, now))
                .await?;
            for slot in known.slots {
                if slot.holder.0.starts_with(&ours) {
                    session
                        .with_state_retries(|| state.release_slot(pool, &slot.holder))
                        .await?;
                }
            }
        }
        Ok(())
    }

    /// Returns `true` if an op may begin within the limit of its pool.
    pub(super) fn may_begin(&self, definitions: &Definitions, op: &str) -> bool {
        let Some(pool) = pool_of(definitions, op) else {
            return true;
        };
        let running = self.running.get(pool).copied().unwrap_or(0);
        // One op may wait for a pool with no slots: its limit can be raised at any time.
        self.limits
            .get(pool)
            .is_none_or(|limit| running < (*limit).max(1))
    }

    /// Counts an op that begins.
    pub(super) fn count_begun(&mut self, definitions: &Definitions, op: &str) {
        if let Some(pool) = pool_of(definitions, op) {
            *self.running.entry(pool.to_owned()).or_default() += 1;
        }
    }

    /// Counts an op that has ended.
    pub(super) fn count_ended(&mut self, definitions: &Definitions, op: &str) {
        if let Some(running) = pool_of(definitions, op).and_then(|pool| self.running.get_mut(pool))
        {
            *running = running.saturating_sub(1);
        }
    }
}

fn pool_of<'a>(definitions: &'a Definitions, op: &str) -> Option<&'a str> {
    definitions.op_named(op)?.spec.pool.as_deref()
}

/// Waits for a slot of an op's pool. Returns the pool and the holder of the slot, which must be
/// released; `None` if no slot is needed.
pub(super) async fn wait_for_slot(
    session: &RunSession,
    op: &OpDefinition,
    holder: SlotHolder,
) -> StateResult<Option<(String, SlotHolder)>> {
    let Some(pool) = &op.spec.pool else {
        return Ok(None);
    };
    let attempts = op
        .spec
        .retry
        .map_or(0, |retry| retry.max_retries)
        .saturating_add(1);
    // The slot expires when every attempt may have timed out, with five minutes for the waits between
    // them, so that a killed process does not block it for longer.
    let longest = op.spec.compute.timeout.saturating_mul(attempts) + Duration::from_secs(300);
    let one_day = chrono::TimeDelta::days(1);
    let lease =
        chrono::TimeDelta::from_std(longest).map_or(one_day, |longest| longest.min(one_day));
    loop {
        let now = session.ports.clock.now();
        let request = SlotRequest {
            pool: pool.clone(),
            holder: holder.clone(),
            now,
            expires_at: now + lease,
        };
        let answer = session
            .with_state_retries(|| session.ports.state.acquire_slot(request.clone()))
            .await?;
        match answer {
            SlotAnswer::Granted => return Ok(Some((pool.clone(), holder))),
            SlotAnswer::Unlimited => return Ok(None),
            SlotAnswer::Full { .. } => {
                // Jitter keeps processes that wait for one pool from polling in step.
                let jitter = 0.5 + session.ports.randomness.random_unit();
                session
                    .ports
                    .sleeper
                    .sleep(POLL_INTERVAL.mul_f64(jitter))
                    .await;
            }
        }
    }
}
