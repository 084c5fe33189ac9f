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
    trigger::tests::world::{World, at, days, nothing},
};

/// Remembers what was raised; fails as often as it is told.
#[derive(Debug, Default)]
struct Topic {
    raised: Mutex<Vec<String>>,
    failures: Mutex<u32>,
}

#[async_trait]
impl FreshnessTopic for Topic {
    async fn raise(&self, changes: &[FreshnessChange]) -> Result<(), String> {
        let mut failures = self.failures.lock().unwrap();
        if *failures > 0 {
            *failures -= 1;
            return Err("no topic".to_owned());
        }
        let told = changes
            .iter()
            .map(|change| format!("{} {} -> {}", change.asset, change.before, change.state));
        self.raised.lock().unwrap().extend(told);
        Ok(())
    }
}

fn definitions() -> Definitions {
    let hour = Duration::from_secs(3_600);
    let asset = |key: &str, policy: Option<FreshnessPolicy>| AssetSpec {
        partitions: Some(days()),
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
            builder.op(OpDefinition::new(OpSpec::single(asset), FnBody(nothing)))
        });
    builder.build().unwrap()
}

fn raised(topic: &Topic) -> Vec<String> {
    std::mem::take(&mut topic.raised.lock().unwrap())
}

#[tokio::test]
async fn each_change_is_raised_once_at_its_time() {
    let world = World::of(definitions(), 1);
    let topic = Topic::default();
    let evaluate = async || {
        evaluate_freshness(&world.ports, &topic, None)
            .await
            .unwrap()
    };
    let nothing = evaluate().await;
    assert_eq!((nothing.changes, nothing.next), (vec![], None));
    world
        .make("hourly", "2024-11-30", "2024-12-01T11:30:00Z")
        .await;
    let made = evaluate().await;
    assert_eq!(raised(&topic), ["hourly UNKNOWN -> PASS"]);
    assert_eq!(made.changes.len(), 1);
    assert_eq!(made.next, Some(at("2024-12-01T12:30:00Z")));
    assert_eq!(evaluate().await.changes, []);
    world.clock.set("2024-12-01T12:30:00Z");
    assert_eq!(evaluate().await.next, Some(at("2024-12-01T13:30:00Z")));
    world.clock.set("2024-12-01T14:00:00Z");
    assert_eq!(evaluate().await.next, None);
    // An older partition counts as well: the data is fresh.
    world
        .make("hourly", "2024-11-01", "2024-12-01T14:00:00Z")
        .await;
    world
        .make("by_noon", "2024-11-30", "2024-12-01T14:00:00Z")
        .await;
    evaluate().await;
    let changes = raised(&topic);
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
async fn only_what_was_published_is_read_again_and_all_deadlines_count() {
    let world = World::of(definitions(), 1);
    let topic = Topic::default();
    let of = |key: &str| [key.parse().unwrap()].into();
    world
        .make("hourly", "2024-11-30", "2024-12-01T11:30:00Z")
        .await;
    world
        .make("by_noon", "2024-11-30", "2024-12-01T11:30:00Z")
        .await;
    evaluate_freshness(&world.ports, &topic, None)
        .await
        .unwrap();
    world
        .make("by_noon", "2024-11-29", "2024-12-01T11:50:00Z")
        .await;
    let found = evaluate_freshness(&world.ports, &topic, Some(&of("by_noon")))
        .await
        .unwrap();
    assert_eq!(found.next, Some(at("2024-12-01T12:30:00Z")));
    let context = precip_core::partitions::PartitionContext::at(at("2024-12-01T13:00:00Z"));
    let known = look(
        &world.ports.definitions,
        world.ports.state.as_ref(),
        &context,
    )
    .await
    .unwrap();
    assert_eq!(known["hourly"].state, FreshnessState::Warn);
    assert_eq!(known["by_noon"].last, Some(at("2024-12-01T11:50:00Z")));
    assert!(!known.contains_key("any"));
}

#[tokio::test]
async fn what_could_not_be_raised_is_raised_by_the_next() {
    let world = World::of(definitions(), 1);
    let topic = Topic {
        failures: Mutex::new(1),
        ..Topic::default()
    };
    world
        .make("hourly", "2024-11-30", "2024-12-01T11:30:00Z")
        .await;
    let error = evaluate_freshness(&world.ports, &topic, None)
        .await
        .unwrap_err();
    let error = error.to_string();
    assert_eq!(error, "changes of freshness cannot be raised: no topic");
    world.clock.set("2024-12-01T12:40:00Z");
    evaluate_freshness(&world.ports, &topic, None)
        .await
        .unwrap();
    assert_eq!(
        raised(&topic),
        ["hourly UNKNOWN -> PASS", "hourly PASS -> WARN"]
    );
}

/// The process dies at one of its calls of the record.
#[derive(Debug)]
struct Killed {
    at: usize,
    after: bool,
    calls: Mutex<usize>,
}

impl Killed {
    fn strikes(&self) -> StateResult<()> {
        let mut calls = self.calls.lock().unwrap();
        *calls += 1;
        match *calls == self.at {
            true => Err(StateError::new(StateErrorKind::Unavailable, "killed")),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl CallHook for Killed {
    async fn before(&self, _: &'static str) -> StateResult<()> {
        if self.after { Ok(()) } else { self.strikes() }
    }

    async fn after(&self, _: &'static str) -> StateResult<()> {
        if self.after { self.strikes() } else { Ok(()) }
    }
}

#[tokio::test]
async fn a_process_that_dies_anywhere_leaves_the_change_raised_at_least_once() {
    let (mut died, mut twice) = (0, 0);
    for after in [false, true] {
        for place in 1..=16 {
            let world = World::of(definitions(), 1);
            let topic = Topic::default();
            world
                .make("hourly", "2024-11-30", "2024-12-01T11:30:00Z")
                .await;
            let state = Arc::clone(&world.memory) as Arc<dyn StateStore>;
            let hook = Killed {
                at: place,
                after,
                calls: Mutex::default(),
            };
            let ports = world.behind(Arc::new(Hooked::new(state, hook)));
            died += u32::from(evaluate_freshness(&ports, &topic, None).await.is_err());
            evaluate_freshness(&world.ports, &topic, None)
                .await
                .unwrap();
            evaluate_freshness(&world.ports, &topic, None)
                .await
                .unwrap();
            let raised = raised(&topic);
            assert!((1..=2).contains(&raised.len()), "place {place}: {raised:?}");
            twice += u32::from(raised.len() == 2);
        }
    }
    assert!(died > 10 && twice > 0 && twice < died, "{twice} of {died}");
}
