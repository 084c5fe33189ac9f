use futures::future::join_all;

use super::*;
use crate::react::RecordedTicks;

fn recorded_ticks(scene: &Scene) -> RecordedTicks {
    RecordedTicks::new(
        Arc::clone(&scene.world.ports.state),
        Arc::clone(&scene.world.ports.clock),
        Arc::clone(&scene.recorder) as Arc<dyn TickScheduler>,
    )
}

fn arranged_ticks(scene: &Scene) -> Vec<String> {
    let ticks = scene.recorder.ticks.lock().unwrap();
    ticks
        .iter()
        .map(|tick| tick.format("%H:%M:%S").to_string())
        .collect()
}

#[tokio::test]
async fn a_tick_is_arranged_only_when_no_earlier_one_is_to_come() {
    let scene = Scene::new();
    let ticks = recorded_ticks(&scene);
    for due in ["13:00:00", "14:00:00", "13:00:00", "12:30:00", "13:00:00"] {
        ticks
            .call_at(utc(&format!("2024-12-01T{due}Z")))
            .await
            .unwrap();
    }
    assert_eq!(arranged_ticks(&scene), ["13:00:00", "12:30:00"]);
    // Once it is past, the next is arranged, even if the call was lost.
    scene.world.clock.set_now("2024-12-01T12:30:00Z");
    ticks.call_at(utc("2024-12-01T14:00:00Z")).await.unwrap();
    assert_eq!(arranged_ticks(&scene), ["13:00:00", "12:30:00", "14:00:00"]);
    // Never in the past, and in whole seconds.
    ticks.call_at(utc("2024-12-01T12:00:00Z")).await.unwrap();
    ticks.call_at(utc("2024-12-01T12:30:01.5Z")).await.unwrap();
    assert_eq!(arranged_ticks(&scene)[3..], ["12:30:02"]);
}

#[tokio::test]
async fn of_concurrently_arranged_ticks_the_earliest_is_recorded() {
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
            Arc::clone(&scene.recorder) as Arc<dyn TickScheduler>,
        );
        let mut dice = fastrand::Rng::with_seed(seed);
        let mut minutes: Vec<i64> = (1..=6).collect();
        dice.shuffle(&mut minutes);
        let arrange = minutes.iter().map(|minute| {
            let due = utc("2024-12-01T13:00:00Z") + chrono::TimeDelta::minutes(*minute);
            let ticks = &ticks;
            async move {
                // A call that dies is repeated.
                while ticks.call_at(due).await.is_err() {}
            }
        });
        join_all(arrange).await;
        let state = scene
            .world
            .memory
            .trigger_state(&crate::react::tick::tick_trigger())
            .await
            .unwrap();
        let arranged = state.cursor.unwrap();
        assert_eq!(arranged, "2024-12-01T13:01:00Z", "seed {seed}");
        assert!(arranged_ticks(&scene).contains(&"13:01:00".to_owned()));
    }
}
