use futures::future::join_all;

use super::*;
use crate::react::RecordedTicks;

fn recorded(scene: &Scene) -> RecordedTicks {
    RecordedTicks::new(
        Arc::clone(&scene.world.ports.state),
        Arc::clone(&scene.world.ports.clock),
        Arc::clone(&scene.heard) as Arc<dyn TickScheduler>,
    )
}

fn heard(scene: &Scene) -> Vec<String> {
    let ticks = scene.heard.ticks.lock().unwrap();
    ticks
        .iter()
        .map(|tick| tick.format("%H:%M:%S").to_string())
        .collect()
}

#[tokio::test]
async fn a_tick_is_arranged_only_when_no_earlier_one_is_to_come() {
    let scene = Scene::new();
    let ticks = recorded(&scene);
    for due in ["13:00:00", "14:00:00", "13:00:00", "12:30:00", "13:00:00"] {
        ticks
            .call_at(at(&format!("2024-12-01T{due}Z")))
            .await
            .unwrap();
    }
    assert_eq!(heard(&scene), ["13:00:00", "12:30:00"]);
    // Once it is past, the next is arranged, even if nobody was called.
    scene.world.clock.set("2024-12-01T12:30:00Z");
    ticks.call_at(at("2024-12-01T14:00:00Z")).await.unwrap();
    assert_eq!(heard(&scene), ["13:00:00", "12:30:00", "14:00:00"]);
    // Never in the past, and in whole seconds.
    ticks.call_at(at("2024-12-01T12:00:00Z")).await.unwrap();
    ticks.call_at(at("2024-12-01T12:30:01.5Z")).await.unwrap();
    assert_eq!(heard(&scene)[3..], ["12:30:02"]);
}

#[tokio::test]
async fn of_several_who_arrange_ticks_at_once_the_earliest_is_on_record() {
    for seed in 0..40 {
        let scene = Scene::new();
        let state = Arc::clone(&scene.world.ports.state);
        let death =
            crate::trigger::tests::faults::Death(Mutex::new(fastrand::Rng::with_seed(seed)));
        let state: Arc<dyn crate::state::StateStore> =
            Arc::new(crate::state::decorators::Hooked::new(state, death));
        let ticks = RecordedTicks::new(
            state,
            Arc::clone(&scene.world.ports.clock),
            Arc::clone(&scene.heard) as Arc<dyn TickScheduler>,
        );
        let mut dice = fastrand::Rng::with_seed(seed);
        let mut minutes: Vec<i64> = (1..=6).collect();
        dice.shuffle(&mut minutes);
        let arrange = minutes.iter().map(|minute| {
            let due = at("2024-12-01T13:00:00Z") + chrono::TimeDelta::minutes(*minute);
            let ticks = &ticks;
            async move {
                // Whoever dies is started again.
                while ticks.call_at(due).await.is_err() {}
            }
        });
        join_all(arrange).await;
        let state = scene
            .world
            .memory
            .trigger(&crate::react::tick::trigger())
            .await
            .unwrap();
        let arranged = state.cursor.unwrap();
        assert_eq!(arranged, "2024-12-01T13:01:00Z", "seed {seed}");
        assert!(heard(&scene).contains(&"13:01:00".to_owned()));
    }
}
