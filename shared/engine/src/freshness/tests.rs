use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use precip_core::{
    freshness::{FreshnessPolicy, FreshnessState},
    spec::{AssetSpec, OpSpec},
};

use super::*;
use crate::{
    asset::FnBody,
    definitions::{Definitions, OpDefinition},
    state::{
        StateError, StateErrorKind, StateResult, StateStore,
        decorators::{CallHook, Hooked},
    },
    trigger::tests::world::{World, daily_partitions, no_outputs, utc},
};

/// A topic that stores changes and fails the given number of times.
#[derive(Debug, Default)]
struct Topic {
    raised: Mutex<Vec<String>>,
    failures: Mutex<u32>,
}

#[async_trait]
impl FreshnessTopic for Topic {
    async fn raise_changes(&self, changes: &[FreshnessChange]) -> Result<(), String> {
        let mut failures = self.failures.lock().unwrap();
        if *failures > 0 {
            *failures -= 1;
            return Err("no topic".to_owned());
        }
        let lines = changes
            .iter()
            .map(|change| format!("{} {} -> {}", change.asset, change.before, change.state));
        self.raised.lock().unwrap().extend(lines);
        Ok(())
    }
}

fn freshness_definitions() -> Definitions {
    let hour = Duration::from_secs(3_600);
    let asset = |key: &str, policy: Option<FreshnessPolicy>| AssetSpec {
        partitions: Some(daily_partitions()),
        freshness: policy,
        ..AssetSpec::new(key.parse().unwrap())
    };
    let assets = [
        asset(
            "hourly",
            FreshnessPolicy::time_window(2 * hour, Some(hour)).ok(),
        ),
        asset(
            "by_noon",
            FreshnessPolicy::cron("0 12 * * *", hour, "UTC").ok(),
        ),
        asset("any", None),
    ];
    let builder = assets
        .into_iter()
        .fold(Definitions::builder(), |builder, asset| {
            builder.op(OpDefinition::new(OpSpec::single(asset), FnBody(no_outputs)))
        });
    builder.build().unwrap()
}

fn take_raised(topic: &Topic) -> Vec<String> {
    std::mem::take(&mut topic.raised.lock().unwrap())
}

#[tokio::test]
async fn each_change_is_raised_once_at_its_time() {
    let world = World::with_definitions(freshness_definitions(), 1);
    let topic = Topic::default();
    let evaluate = async || {
        evaluate_freshness(&world.ports, &topic, None)
            .await
            .unwrap()
    };
    // Nothing was materialized, so nothing is known and nothing becomes due.
    let nothing = evaluate().await;
    assert_eq!((nothing.changes, nothing.next), (vec![], None));
    world
        .materialize_at("hourly", "2024-11-30", "2024-12-01T11:30:00Z")
        .await;
    let made = evaluate().await;
    assert_eq!(take_raised(&topic), ["hourly UNKNOWN -> PASS"]);
    assert_eq!(made.changes.len(), 1);
    assert_eq!(made.next, Some(utc("2024-12-01T12:30:00Z")));
    assert_eq!(evaluate().await.changes, []);
    // After one hour the asset warns, after two hours it fails, and then nothing more becomes due.
    world.clock.set_now("2024-12-01T12:30:00Z");
    assert_eq!(evaluate().await.next, Some(utc("2024-12-01T13:30:00Z")));
    world.clock.set_now("2024-12-01T14:00:00Z");
    assert_eq!(evaluate().await.next, None);
    // A new materialization of an older partition counts as well.
    world
        .materialize_at("hourly", "2024-11-01", "2024-12-01T14:00:00Z")
        .await;
    world
        .materialize_at("by_noon", "2024-11-30", "2024-12-01T14:00:00Z")
        .await;
    evaluate().await;
    let changes = take_raised(&topic);
    assert_eq!(
        changes,
        [
            "hourly PASS -> WARN",
            "hourly WARN -> FAIL",
            "by_noon UNKNOWN -> PASS",
            "hourly FAIL -> PASS"
        ]
    );
}

#[tokio::test]
async fn only_named_assets_are_read_again_and_all_deadlines_count() {
    let world = World::with_definitions(freshness_definitions(), 1);
    let topic = Topic::default();
    let of = |key: &str| [key.parse().unwrap()].into();
    world
        .materialize_at("hourly", "2024-11-30", "2024-12-01T11:30:00Z")
        .await;
    world
        .materialize_at("by_noon", "2024-11-30", "2024-12-01T11:30:00Z")
        .await;
    evaluate_freshness(&world.ports, &topic, None)
        .await
        .unwrap();
    world
        .materialize_at("by_noon", "2024-11-29", "2024-12-01T11:50:00Z")
        .await;
    // Only `by_noon` is read, and the next deadline is that of `hourly`.
    let found = evaluate_freshness(&world.ports, &topic, Some(&of("by_noon")))
        .await
        .unwrap();
    assert_eq!(found.next, Some(utc("2024-12-01T12:30:00Z")));
    let context = precip_core::partitions::PartitionContext::at(utc("2024-12-01T13:00:00Z"));
    let known = read_freshness(
        &world.ports.definitions,
        world.ports.state.as_ref(),
        &context,
    )
    .await
    .unwrap();
    assert_eq!(known["hourly"].state, FreshnessState::Warn);
    assert_eq!(known["by_noon"].last, Some(utc("2024-12-01T11:50:00Z")));
    assert!(!known.contains_key("any"));
}

#[tokio::test]
async fn a_change_that_could_not_be_raised_is_raised_next_time() {
    let world = World::with_definitions(freshness_definitions(), 1);
    let topic = Topic {
        failures: Mutex::new(1),
        ..Topic::default()
    };
    world
        .materialize_at("hourly", "2024-11-30", "2024-12-01T11:30:00Z")
        .await;
    let error = evaluate_freshness(&world.ports, &topic, None)
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "changes of freshness cannot be published: no topic"
    );
    // The recorded change is raised first, then the one that time brought.
    world.clock.set_now("2024-12-01T12:40:00Z");
    evaluate_freshness(&world.ports, &topic, None)
        .await
        .unwrap();
    assert_eq!(
        take_raised(&topic),
        ["hourly UNKNOWN -> PASS", "hourly PASS -> WARN"]
    );
}

/// A process that dies before or after one of its calls of the store.
#[derive(Debug)]
struct KilledProcess {
    at: usize,
    after: bool,
    calls: Mutex<usize>,
}

impl KilledProcess {
    fn fail_if_due(&self) -> StateResult<()> {
        let mut calls = self.calls.lock().unwrap();
        *calls += 1;
        if *calls == self.at {
            Err(StateError::new(StateErrorKind::Unavailable, "killed"))
        } else {
            Ok(())
        }
    }
}

#[async_trait]
impl CallHook for KilledProcess {
    async fn before_call(&self, _: &'static str) -> StateResult<()> {
        if self.after {
            Ok(())
        } else {
            self.fail_if_due()
        }
    }

    async fn after_call(&self, _: &'static str) -> StateResult<()> {
        if self.after {
            self.fail_if_due()
        } else {
            Ok(())
        }
    }
}

#[tokio::test]
async fn a_killed_process_never_loses_a_change() {
    let (mut died, mut twice) = (0, 0);
    for after in [false, true] {
        for index in 1..=16 {
            let world = World::with_definitions(freshness_definitions(), 1);
            let topic = Topic::default();
            world
                .materialize_at("hourly", "2024-11-30", "2024-12-01T11:30:00Z")
                .await;
            let state = Arc::clone(&world.memory) as Arc<dyn StateStore>;
            let hook = KilledProcess {
                at: index,
                after,
                calls: Mutex::default(),
            };
            let ports = world.ports_with_state(Arc::new(Hooked::new(state, hook)));
            died += u32::from(evaluate_freshness(&ports, &topic, None).await.is_err());
            // The next process may find the change recorded, raised or neither, and finishes the
            // work.
            evaluate_freshness(&world.ports, &topic, None)
                .await
                .unwrap();
            evaluate_freshness(&world.ports, &topic, None)
                .await
                .unwrap();
            let raised = take_raised(&topic);
            assert!((1..=2).contains(&raised.len()), "call {index}: {raised:?}");
            twice += u32::from(raised.len() == 2);
        }
    }
    // Some calls are beyond the last one, and dying between raising and recording raises twice.
    assert!(died > 10 && twice > 0 && twice < died, "{twice} of {died}");
}
