//! Pools: how many ops of a kind run at once.

use std::{collections::BTreeMap, time::Duration};

use precip_core::plan::Plan;
use precip_engine::{
    definitions::{Definitions, OpDefinition},
    run::RunSession,
    state::{SlotAnswer, SlotHolder, SlotRequest, StateResult},
};

/// How long to wait before asking again for a slot of a pool that is full.
const ASK_AGAIN: Duration = Duration::from_millis(500);

/// What this process runs of each pool that a plan uses. It never runs more than the limit, so that
/// asking the record for a slot is a matter between processes only.
#[derive(Debug, Default)]
pub(super) struct Pools {
    limits: BTreeMap<String, u32>,
    running: BTreeMap<String, u32>,
}

impl Pools {
    pub(super) async fn new(session: &RunSession, plan: &Plan) -> StateResult<Self> {
        let mut limits = BTreeMap::new();
        for (_, _, step) in plan.steps() {
            let Some(pool) = pool_of(&session.definitions, &step.op) else {
                continue;
            };
            if !limits.contains_key(pool) {
                let now = session.ports.clock.now();
                let known = session
                    .persist(|| session.ports.state.pool(pool, now))
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

    /// Gives back what an earlier process left of the run's slots: nobody else executes the run, so
    /// nobody uses them, and nobody else would give them back before they expire.
    pub(super) async fn give_back(&self, session: &RunSession) -> StateResult<()> {
        let ours = format!("{}/", session.run);
        let state = &session.ports.state;
        for pool in self.limits.keys() {
            let now = session.ports.clock.now();
            let known = session.persist(|| state.pool(pool, now)).await?;
            for slot in known.slots {
                if slot.holder.0.starts_with(&ours) {
                    session
                        .persist(|| state.release(pool, &slot.holder))
                        .await?;
                }
            }
        }
        Ok(())
    }

    pub(super) fn allows(&self, definitions: &Definitions, op: &str) -> bool {
        let Some(pool) = pool_of(definitions, op) else {
            return true;
        };
        let running = self.running.get(pool).copied().unwrap_or(0);
        // A pool without slots is waited for: somebody may open it.
        self.limits
            .get(pool)
            .is_none_or(|limit| running < (*limit).max(1))
    }

    pub(super) fn began(&mut self, definitions: &Definitions, op: &str) {
        if let Some(pool) = pool_of(definitions, op) {
            *self.running.entry(pool.to_owned()).or_default() += 1;
        }
    }

    pub(super) fn ended(&mut self, definitions: &Definitions, op: &str) {
        if let Some(running) = pool_of(definitions, op).and_then(|pool| self.running.get_mut(pool))
        {
            *running = running.saturating_sub(1);
        }
    }
}

fn pool_of<'a>(definitions: &'a Definitions, op: &str) -> Option<&'a str> {
    definitions.op_named(op)?.spec.pool.as_deref()
}

/// Waits for a slot of an op's pool. Answers it, if one was taken and has to be given back.
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
    let longest = op.spec.compute.timeout.saturating_mul(attempts) + Duration::from_secs(300);
    let longest = chrono::TimeDelta::from_std(longest).unwrap_or(chrono::TimeDelta::days(1));
    loop {
        let now = session.ports.clock.now();
        let request = SlotRequest {
            pool: pool.clone(),
            holder: holder.clone(),
            now,
            expires_at: now + longest.min(chrono::TimeDelta::days(1)),
        };
        let answer = session
            .persist(|| session.ports.state.acquire(request.clone()))
            .await?;
        match answer {
            SlotAnswer::Granted => return Ok(Some((pool.clone(), holder))),
            SlotAnswer::Unlimited => return Ok(None),
            SlotAnswer::Full { .. } => {
                let spread = 0.5 + session.ports.randomness.unit();
                session.ports.sleeper.sleep(ASK_AGAIN.mul_f64(spread)).await;
            }
        }
    }
}
