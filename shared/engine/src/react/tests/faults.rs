//! Reactions that are told of twice, late, out of order and at the same time, and that die anywhere.

use futures::future::join_all;

use super::*;
use crate::{
    state::{
        StateResult, StateStore,
        decorators::{CallHook, Hooked},
    },
    trigger::tests::faults::Death,
};

/// Keeps telling of everything that is published until nobody fails any more.
async fn restless(seed: u64) -> World {
    let mut dice = fastrand::Rng::with_seed(seed);
    let world = World::of(definitions(), seed);
    let state = Arc::clone(&world.memory) as Arc<dyn StateStore>;
    let death = Death(Mutex::new(fastrand::Rng::with_seed(seed)));
    let ports = ReactPorts {
        triggers: world.behind(Arc::new(Hooked::new(state, death))),
        resources: Arc::new(Arc::new(Resources::new())),
        ticks: Arc::new(Heard::default()),
        topic: Arc::new(Heard::default()),
    };
    let mut queue = vec![Happened::tick()];
    let mut to_come: Vec<(&str, String)> = (1..=9)
        .flat_map(|day| ["orders", "clicks"].map(|asset| (asset, format!("2024-03-0{day}"))))
        .collect();
    dice.shuffle(&mut to_come);
    let mut rounds = 0;
    while !queue.is_empty() || !to_come.is_empty() {
        for (asset, day) in to_come.split_off(to_come.len() - dice.usize(0..=2).min(to_come.len()))
        {
            world.make(asset, &day, "2024-12-01T11:00:00Z").await;
            queue.push(published(&[asset]));
        }
        dice.shuffle(&mut queue);
        let told: Vec<Happened> = queue.split_off(queue.len() - dice.usize(0..=3).min(queue.len()));
        let reactions = join_all(told.iter().map(|happened| react(&ports, happened))).await;
        for (happened, reaction) in told.iter().zip(reactions) {
            // Sometimes all went well, and nobody learned of it.
            if !reaction.failed.is_empty() || dice.f64() < 0.2 {
                queue.push(happened.clone());
            }
        }
        rounds += 1;
        assert!(rounds < 5_000, "seed {seed}: it comes to no end");
    }
    world
}

#[tokio::test]
async fn each_day_is_joined_once_and_every_run_is_launched() {
    for seed in 0..10 {
        let world = restless(seed).await;
        let runs = world.runs().await;
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

/// Publishes something while an evaluation reads the record.
#[derive(Debug)]
struct Meanwhile {
    memory: Arc<crate::state::memory::MemoryStore>,
    calls: Mutex<usize>,
    at: usize,
}

#[async_trait]
impl CallHook for Meanwhile {
    async fn before(&self, _: &'static str) -> StateResult<()> {
        let now = {
            let mut calls = self.calls.lock().unwrap();
            *calls += 1;
            *calls == self.at
        };
        if now {
            for asset in ["clicks", "orders"] {
                publish(&self.memory, asset).await;
            }
        }
        Ok(())
    }
}

async fn publish(memory: &Arc<crate::state::memory::MemoryStore>, asset: &str) {
    let mut world = World::of(definitions(), 1);
    world.memory = Arc::clone(memory);
    world
        .make(asset, "2024-11-30", "2024-12-01T11:59:00Z")
        .await;
}

/// Two assets upstream of one under a condition are published while it is evaluated, in every place of
/// the evaluation: the first of them counts, wherever the reading of the second stands.
#[tokio::test]
async fn what_is_published_while_the_record_is_read_is_not_lost() {
    for place in 1..=60 {
        let mut joined = AssetSpec::new("joined".parse().unwrap());
        joined.partitions = Some(days());
        joined.automation = Some(
            AutomationCondition::any_deps_match(AutomationCondition::newly_updated())
                .allow("clicks".parse().unwrap()),
        );
        joined.deps = ["orders", "clicks"]
            .map(|dep| DepSpec::new(dep.parse().unwrap()))
            .to_vec();
        let raw = |key: &str| AssetSpec {
            partitions: Some(days()),
            ..AssetSpec::new(key.parse().unwrap())
        };
        // Orders are asked about by another one, so that both are read.
        let mut other = raw("other");
        other.deps = vec![DepSpec::new("orders".parse().unwrap())];
        other.automation = Some(AutomationCondition::any_deps_match(
            AutomationCondition::newly_updated(),
        ));
        let definitions = [joined, raw("orders"), raw("clicks"), other]
            .into_iter()
            .fold(Definitions::builder(), |builder, asset| {
                builder.op(OpDefinition::new(OpSpec::single(asset), FnBody(nothing)))
            })
            .build()
            .unwrap();
        let world = World::of(definitions, 7);
        crate::trigger::run_automation(&world.ports).await.unwrap();
        let hook = Meanwhile {
            memory: Arc::clone(&world.memory),
            calls: Mutex::default(),
            at: place,
        };
        let state = Arc::clone(&world.memory) as Arc<dyn StateStore>;
        let ports = world.behind(Arc::new(Hooked::new(state, hook)));
        for _ in 0..60 {
            crate::trigger::run_automation(&ports).await.unwrap();
        }
        let requested = world.requested().await.join(" ");
        assert!(requested.contains("joined"), "place {place}: {requested}");
        assert!(requested.contains("other"), "place {place}: {requested}");
    }
}
