//! Evaluations that are invoked twice, late, out of order and concurrently, and that die anywhere.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures::future::join_all;
use precip_core::trigger::ObjectEvent;

use super::world::{World, landing_sensor, object_event, unique_keys, utc};
use crate::{
    state::{
        StateError, StateErrorKind, StateResult, StateStore,
        decorators::{CallHook, Hooked},
    },
    trigger::{Decision, ObjectOptions, evaluate_objects},
};

/// Makes calls wait, never arrive, or lose their answers: the caller counts as dead then.
#[derive(Debug)]
pub(crate) struct Death(pub(crate) Mutex<fastrand::Rng>);

impl Death {
    fn maybe_kill(&self) -> StateResult<()> {
        if self.0.lock().unwrap().f64() < 0.08 {
            return Err(StateError::new(StateErrorKind::Unavailable, "killed"));
        }
        Ok(())
    }

    async fn wait(&self) {
        let turns = self.0.lock().unwrap().u8(0..4);
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
    }
}

#[async_trait]
impl CallHook for Death {
    async fn before_call(&self, _: &'static str) -> StateResult<()> {
        self.wait().await;
        self.maybe_kill()
    }

    async fn after_call(&self, _: &'static str) -> StateResult<()> {
        self.wait().await;
        self.maybe_kill()
    }
}

/// Returns the events of one file per day; some are delivered twice.
fn random_deliveries(dice: &mut fastrand::Rng, files: u32) -> Vec<ObjectEvent> {
    let mut deliveries = Vec::new();
    for number in 0..files {
        let day = utc("2024-01-01T00:00:00Z") + chrono::TimeDelta::days(number.into());
        let key = format!("orders/{}.csv", day.format("%Y-%m-%d"));
        let event = object_event(&key, "2024-11-30T00:00:00Z", number);
        let times = if dice.f64() < 0.2 { 2 } else { 1 };
        deliveries.extend(std::iter::repeat_n(event, times));
    }
    dice.shuffle(&mut deliveries);
    deliveries
}

async fn drop_files(seed: u64, files: u32) -> (World, usize) {
    let mut dice = fastrand::Rng::with_seed(seed);
    let world = World::with_seed(seed);
    let state = Arc::clone(&world.memory) as Arc<dyn StateStore>;
    let death = Death(Mutex::new(fastrand::Rng::with_seed(seed)));
    let ports = world.ports_with_state(Arc::new(Hooked::new(state, death)));
    let sensor = landing_sensor("orders/{date}.csv", "orders");
    let mut queue = random_deliveries(&mut dice, files);
    let mut invocations = 0;
    while !queue.is_empty() {
        // Up to four concurrent functions, each with its batch; one that dies leaves its batch in the queue.
        let batches: Vec<Vec<ObjectEvent>> = (0..dice.usize(1..=4))
            .map(|_| {
                let size = dice.usize(1..=40).min(queue.len());
                queue.split_off(queue.len() - size)
            })
            .filter(|batch| !batch.is_empty())
            .collect();
        invocations += batches.len();
        let evaluations = batches
            .iter()
            .map(|batch| evaluate_objects(&ports, &sensor, batch, ObjectOptions::default()));
        for (batch, outcome) in batches.iter().zip(join_all(evaluations).await) {
            // A success may not be acknowledged either: then the batch is delivered again.
            if outcome.is_err() || dice.f64() < 0.1 {
                queue.extend(batch.iter().cloned());
                dice.shuffle(&mut queue);
            }
        }
        assert!(invocations < 10_000, "seed {seed}: it does not end");
    }
    (world, invocations)
}

#[tokio::test]
async fn each_partition_is_requested_once_and_every_run_is_launched() {
    for seed in 0..60 {
        let (world, invocations) = drop_files(seed, 150).await;
        let runs = world.recorded_runs().await;
        // Each partition is in exactly one run, however often its event was delivered.
        let keys: Vec<String> = runs.iter().flat_map(|(_, keys)| keys.clone()).collect();
        assert_eq!(unique_keys(&keys).len(), 150, "seed {seed}: some are lost");
        assert_eq!(keys.len(), 150, "seed {seed}: some are requested twice");
        assert!(
            runs.len() <= invocations,
            "seed {seed}: {} runs",
            runs.len()
        );
        let launched = world.launches.counts.lock().unwrap();
        for (run, _) in &runs {
            assert!(
                launched.contains_key(&run.id),
                "seed {seed}: run {} is forgotten",
                run.id
            );
        }
    }
}

#[tokio::test]
async fn ten_thousand_files_at_once_are_few_runs() {
    let world = World::new();
    world.clock.set_now("2051-06-01T00:00:00Z");
    let mut dice = fastrand::Rng::with_seed(1);
    let deliveries = random_deliveries(&mut dice, 10_000);
    let sensor = landing_sensor("orders/{date}.csv", "orders");
    for batch in deliveries.chunks(1_000) {
        evaluate_objects(&world.ports, &sensor, batch, ObjectOptions::default())
            .await
            .unwrap();
    }
    let runs = world.recorded_runs().await;
    let count: usize = runs.iter().map(|(_, keys)| keys.len()).sum();
    assert_eq!(
        (count, runs.len()),
        (10_000, deliveries.len().div_ceil(1_000))
    );
    let state = world
        .ports
        .state
        .trigger_state(&crate::trigger::sensor_id("landing"))
        .await
        .unwrap();
    // The cursor fits into one item of DynamoDB.
    let cursor = state.cursor.unwrap();
    assert!(cursor.len() < 300_000, "{} bytes", cursor.len());
}

#[tokio::test]
async fn a_forgotten_event_is_looked_up_in_the_recorded_state() {
    let world = World::new();
    let sensor = landing_sensor("orders/{date}.csv", "orders");
    let options = ObjectOptions::default();
    let early = object_event("orders/2024-01-01.csv", "2024-11-29T00:00:00Z", 1);
    let unmade = object_event("orders/2024-01-02.csv", "2024-11-29T00:00:00Z", 1);
    let both = [early.clone(), unmade.clone()];
    evaluate_objects(&world.ports, &sensor, &both, options)
        .await
        .unwrap();
    world
        .materialize_at("orders", "2024-01-01", "2024-11-29T00:01:00Z")
        .await;
    // After more than a week the sensor has forgotten both events.
    world.clock.set_now("2024-12-20T00:00:00Z");
    let other = object_event("orders/2024-01-03.csv", "2024-12-20T00:00:00Z", 1);
    evaluate_objects(&world.ports, &sensor, &[other], options)
        .await
        .unwrap();
    let late = evaluate_objects(&world.ports, &sensor, &both, options)
        .await
        .unwrap();
    // A partition that was materialized since is not requested again; the other is requested twice
    // rather than never.
    assert_eq!(late.decisions[0], Decision::Made);
    assert!(matches!(&late.decisions[1], Decision::Requested { .. }));
}
