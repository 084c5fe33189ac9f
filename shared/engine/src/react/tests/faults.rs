//! Reactions to changes that are delivered twice, late, out of order and concurrently, in processes that
//! die anywhere.

use futures::future::join_all;

use super::*;
use crate::{
    state::{
        StateResult, StateStore,
        decorators::{CallHook, Hooked},
    },
    trigger::tests::faults::Death,
};

/// Publishes partitions and delivers the changes, some of them repeatedly, until no reaction fails.
async fn react_until_quiet(seed: u64) -> World {
    let mut dice = fastrand::Rng::with_seed(seed);
    let world = World::with_definitions(project_definitions(), seed);
    let state = Arc::clone(&world.memory) as Arc<dyn StateStore>;
    let death = Death(Mutex::new(fastrand::Rng::with_seed(seed)));
    let ports = ReactPorts {
        triggers: world.ports_with_state(Arc::new(Hooked::new(state, death))),
        resources: Arc::new(Arc::new(Resources::new())),
        ticks: Arc::new(Recorder::default()),
        topic: Arc::new(Recorder::default()),
    };
    let mut queue = vec![ChangeSet::on_tick()];
    let mut to_come: Vec<(&str, String)> = (1..=9)
        .flat_map(|day| ["orders", "clicks"].map(|asset| (asset, format!("2024-03-0{day}"))))
        .collect();
    dice.shuffle(&mut to_come);
    let mut rounds = 0;
    while !queue.is_empty() || !to_come.is_empty() {
        for (asset, day) in to_come.split_off(to_come.len() - dice.usize(0..=2).min(to_come.len()))
        {
            world
                .materialize_at(asset, &day, "2024-12-01T11:00:00Z")
                .await;
            queue.push(published_changes(&[asset]));
        }
        dice.shuffle(&mut queue);
        let deliveries: Vec<ChangeSet> =
            queue.split_off(queue.len() - dice.usize(0..=3).min(queue.len()));
        let reactions = join_all(deliveries.iter().map(|changes| react(&ports, changes))).await;
        for (changes, reaction) in deliveries.iter().zip(reactions) {
            // A success may not be acknowledged either: then the change is delivered again.
            if !reaction.failed.is_empty() || dice.f64() < 0.2 {
                queue.push(changes.clone());
            }
        }
        rounds += 1;
        assert!(rounds < 5_000, "seed {seed}: it does not end");
    }
    world
}

#[tokio::test]
async fn each_day_is_joined_once_and_every_run_is_launched() {
    for seed in 0..10 {
        let world = react_until_quiet(seed).await;
        let runs = world.recorded_runs().await;
        let joined: Vec<&String> = runs
            .iter()
            .filter(|(run, _)| run.request.selection == "joined")
            .flat_map(|(_, keys)| keys)
            .collect();
        let once: std::collections::BTreeSet<&String> = joined.iter().copied().collect();
        assert_eq!(
            (joined.len(), once.len()),
            (9, 9),
            "seed {seed}: {joined:?}"
        );
        let launched = world.launches.counts.lock().unwrap();
        assert!(
            runs.iter().all(|(run, _)| launched.contains_key(&run.id)),
            "seed {seed}"
        );
    }
}

/// Publishes partitions at the nth call to the state store, while an evaluation reads it.
#[derive(Debug)]
struct PublishAtCall {
    memory: Arc<crate::state::memory::MemoryStore>,
    calls: Mutex<usize>,
    at: usize,
}

#[async_trait]
impl CallHook for PublishAtCall {
    async fn before_call(&self, _: &'static str) -> StateResult<()> {
        let now = {
            let mut calls = self.calls.lock().unwrap();
            *calls += 1;
            *calls == self.at
        };
        if now {
            for asset in ["clicks", "orders"] {
                publish_partition(&self.memory, asset).await;
            }
        }
        Ok(())
    }
}

async fn publish_partition(memory: &Arc<crate::state::memory::MemoryStore>, asset: &str) {
    let mut world = World::with_definitions(project_definitions(), 1);
    world.memory = Arc::clone(memory);
    world
        .materialize_at(asset, "2024-11-30", "2024-12-01T11:59:00Z")
        .await;
}

/// Two upstream assets of a conditional one are published during its evaluation, at each of its calls:
/// neither update is lost, wherever the reading position of the other is.
#[tokio::test]
async fn an_update_that_is_published_during_an_evaluation_is_not_lost() {
    for call in 1..=60 {
        let mut joined = AssetSpec::new("joined".parse().unwrap());
        joined.partitions = Some(daily_partitions());
        joined.automation = Some(
            AutomationCondition::any_deps_match(AutomationCondition::newly_updated())
                .allow("clicks".parse().unwrap()),
        );
        joined.deps = ["orders", "clicks"]
            .map(|dep| DepSpec::new(dep.parse().unwrap()))
            .to_vec();
        let raw = |key: &str| AssetSpec {
            partitions: Some(daily_partitions()),
            ..AssetSpec::new(key.parse().unwrap())
        };
        // A second conditional asset refers to `orders`, so that both updates are read.
        let mut other = raw("other");
        other.deps = vec![DepSpec::new("orders".parse().unwrap())];
        other.automation = Some(AutomationCondition::any_deps_match(
            AutomationCondition::newly_updated(),
        ));
        let definitions = [joined, raw("orders"), raw("clicks"), other]
            .into_iter()
            .fold(Definitions::builder(), |builder, asset| {
                builder.op(OpDefinition::new(OpSpec::single(asset), FnBody(no_outputs)))
            })
            .build()
            .unwrap();
        let world = World::with_definitions(definitions, 7);
        crate::trigger::run_automation(&world.ports).await.unwrap();
        let hook = PublishAtCall {
            memory: Arc::clone(&world.memory),
            calls: Mutex::default(),
            at: call,
        };
        let state = Arc::clone(&world.memory) as Arc<dyn StateStore>;
        let ports = world.ports_with_state(Arc::new(Hooked::new(state, hook)));
        for _ in 0..60 {
            crate::trigger::run_automation(&ports).await.unwrap();
        }
        let requested = world.requested_lines().await.join(" ");
        assert!(requested.contains("joined"), "call {call}: {requested}");
        assert!(requested.contains("other"), "call {call}: {requested}");
    }
}
