//! Functions that were deployed again while a run was under way, or before it is retried: what they
//! know by ordinals, names of steps and numbers of waves may be something else by then.

use std::sync::Arc;

use precip::core::partitions::{DynamicPartitions, PartitionsDefinition, StaticPartitions};
use precip_core::machine::Layout;
use precip_engine::{
    machine::{CaughtError, ExecutionEnded, MaterializeRequest, Mode, PlannerError, WaveDocument},
    run_id::RunId,
    state::{FailedAttempt, PageRequest, Run, RunStatus},
};
use serde_json::{Value, json};

use crate::{
    cloud::{Cloud, start_input},
    project::definitions_of,
    world::block_on_one_thread,
};

fn static_keys(keys: &[&str]) -> PartitionsDefinition {
    StaticPartitions::new(keys.iter().copied()).unwrap().into()
}

impl Cloud {
    /// Deploys new functions; a machine that is running keeps its own layout.
    fn deploy(&mut self, partitions: &PartitionsDefinition) {
        let builder = definitions_of(&self.trouble, Arc::clone(&self.data), partitions);
        self.definitions = Arc::new(builder.build().unwrap());
    }

    /// Deploys new functions and a new machine.
    fn deploy_whole(&mut self, partitions: &PartitionsDefinition) {
        self.deploy(partitions);
        self.layout = Layout::from_graph(self.definitions.graph()).unwrap();
    }

    /// Invokes the first step of the first item of a wave.
    async fn first_item(&mut self, wave: &WaveDocument) -> Result<(), CaughtError> {
        let stage = {
            let mut stages = self.layout.stages_of_wave(wave.wave);
            let with_work = stages.find(|(_, stage)| wave.stages.contains_key(&stage.name));
            with_work.unwrap().1.clone()
        };
        let items = self.read_items(&wave.stages[&stage.name]).await;
        let request = MaterializeRequest {
            run: wave.run,
            stage: stage.name.clone(),
            step: stage.steps[0].name.clone(),
            item: items[0].clone(),
            retry: 0,
            looped: false,
        };
        self.invoke_step(&request).await
    }

    /// Ends the execution with a planner's error, as Step Functions does.
    async fn fail_execution(&mut self, error: &PlannerError) -> Run {
        let ended = ExecutionEnded {
            execution_arn: self.execution_ref().id,
            name: self.execution_ref().name,
            status: "FAILED".to_owned(),
            input: None,
            error: Some(error.name().to_owned()),
            cause: Some(error.to_string()),
        };
        let run = self
            .new_planner()
            .end_run_of_execution(&ended)
            .await
            .unwrap();
        run.unwrap()
    }

    /// The functions that were called, each with its partition.
    fn take_calls(&self) -> Vec<String> {
        let mut trouble = self.trouble.lock();
        std::mem::take(&mut trouble.calls).into_keys().collect()
    }

    async fn failures(&self, run: RunId) -> Vec<FailedAttempt> {
        let page = PageRequest::first(100);
        self.store.run_failures(run, &page).await.unwrap().items
    }
}

#[test]
fn ordinals_that_moved_are_not_run_and_a_retry_finds_the_keys() {
    for mode in [Mode::Inline, Mode::Distributed] {
        block_on_one_thread(async {
            let mut cloud = Cloud::new(20);
            cloud.deploy_whole(&static_keys(&["1", "2", "3"]));
            let plan = cloud.plan_request(input_of_keys());
            let mut wave = cloud.request_wave(&plan).await.unwrap();
            if mode == Mode::Distributed {
                wave = cloud.move_items_to_manifests(wave).await;
            }
            cloud.deploy(&static_keys(&["9", "1", "2", "3"]));
            let expected = "partition `1` of `source` has another number than when the run was \
                            planned: it had the keys `1`, `2` and `3` then, and has the keys `9`, \
                            `1`, `2` and `3` now; let `retry` run the rest, which finds the \
                            partitions by their keys";
            let refused = cloud.first_item(&wave).await.unwrap_err();
            assert_eq!(
                (refused.error.as_str(), refused.message().as_str()),
                ("Precip.Terminal", expected)
            );
            let refused = cloud.request_next_wave(&wave).await.unwrap_err();
            assert_eq!(
                (refused.name(), refused.to_string().as_str()),
                ("Precip.BadInput", expected)
            );
            assert_eq!(cloud.take_calls(), [""; 0], "no function was called");
            let run = cloud.fail_execution(&refused).await;
            assert_eq!(
                (run.status, run.message.as_deref()),
                (RunStatus::Failed, Some(expected))
            );

            // A redrive enters the same machine, and is refused as well.
            let refused = cloud.redrive_run(run.id, wave.mode).await.unwrap_err();
            assert_eq!(refused.to_string(), expected);
            cloud.redrive = 0;

            cloud.deploy_whole(&static_keys(&["9", "1", "2", "3"]));
            cloud.execution = "2";
            let retry = json!({"retry_of": run.id.to_string()});
            cloud.run_machine(retry, Some(mode)).await.unwrap();
            let calls = cloud.take_calls();
            assert_eq!(calls.len(), 4 * 3, "{calls:?}");
            assert!(!calls.iter().any(|call| call.contains('9')), "{calls:?}");
            assert_eq!(cloud.list_runs().await[0].status, RunStatus::Succeeded);
        });
    }
}

fn input_of_keys() -> Value {
    json!({"select": "+key:joined", "partitions": "all"})
}

#[test]
fn keys_at_the_end_disturb_no_run() {
    block_on_one_thread(async {
        let mut cloud = Cloud::new(21);
        cloud.deploy_whole(&static_keys(&["1", "2"]));
        let plan = cloud.plan_request(input_of_keys());
        let wave = cloud.request_wave(&plan).await.unwrap();
        cloud.deploy(&static_keys(&["1", "2", "3"]));
        cloud.run_waves(wave).await.unwrap();
        let calls = cloud.take_calls();
        assert_eq!(calls.len(), 4 * 2, "{calls:?}");
        assert_eq!(cloud.only_run().await.status, RunStatus::Succeeded);
    });
}

#[test]
fn other_stages_stop_a_run_and_a_retry_uses_them() {
    block_on_one_thread(async {
        let mut cloud = Cloud::new(22);
        let plan = cloud.plan_request(start_input());
        let wave = cloud.request_wave(&plan).await.unwrap();
        // The same partitions, and an asset less: names and waves may be others.
        let keys = ["1", "2", "3", "4", "5", "6", "7", "8"];
        cloud.deploy(&static_keys(&keys));
        let expected = "the stages of the project have changed since the run was planned, so its \
                        machine hands out work by names and waves that no longer exist; let \
                        `retry` run the rest";
        assert_eq!(
            cloud.first_item(&wave).await.unwrap_err().message(),
            expected
        );
        let refused = cloud.request_next_wave(&wave).await.unwrap_err();
        assert_eq!(
            (refused.name(), refused.to_string().as_str()),
            ("Precip.BadInput", expected)
        );
        let run = cloud.fail_execution(&refused).await;

        cloud.deploy_whole(&static_keys(&keys));
        cloud.execution = "2";
        let retry = json!({"retry_of": run.id.to_string()});
        cloud.run_machine(retry, None).await.unwrap();
        assert_eq!(cloud.take_calls().len(), 4 * 8 + 1);
    });
}

#[test]
fn a_retry_of_a_removed_key_is_refused_and_starts_no_run() {
    block_on_one_thread(async {
        let mut cloud = Cloud::new(23);
        cloud.deploy_whole(&static_keys(&["1", "2", "3"]));
        cloud.trouble.lock().certain = vec!["left[2]".to_owned()];
        cloud.run_machine(input_of_keys(), None).await.unwrap_err();
        let run = cloud.only_run().await;
        cloud.deploy_whole(&static_keys(&["1", "3"]));
        cloud.execution = "2";
        let plan = cloud.plan_request(json!({"retry_of": run.id.to_string()}));
        let refused = cloud.request_wave(&plan).await.unwrap_err();
        assert_eq!(refused.name(), "Precip.BadInput");
        let said = refused.to_string();
        assert!(
            said.starts_with("partition `2` of `left` is gone since the run was planned"),
            "{said}"
        );
        assert_eq!(cloud.only_run().await.status, RunStatus::Failed);

        // What is gone and was made is no obstacle.
        cloud.deploy_whole(&static_keys(&["3", "2"]));
        cloud.trouble.lock().certain.clear();
        cloud.take_calls();
        cloud
            .run_machine(json!({"retry_of": run.id.to_string()}), None)
            .await
            .unwrap();
        assert_eq!(cloud.take_calls(), ["joined[2]", "left[2]"]);
    });
}

#[test]
fn a_dynamic_key_that_is_removed_during_a_run_fails_by_name() {
    for mode in [Mode::Inline, Mode::Distributed] {
        block_on_one_thread(async {
            let mut cloud = Cloud::new(24);
            cloud.deploy_whole(&DynamicPartitions::new("numbers").into());
            let keys = ["1".into(), "2".into(), "3".into()];
            cloud
                .store
                .add_dynamic_keys("numbers", &keys)
                .await
                .unwrap();
            let plan = cloud.plan_request(input_of_keys());
            let mut wave = cloud.request_wave(&plan).await.unwrap();
            if mode == Mode::Distributed {
                wave = cloud.move_items_to_manifests(wave).await;
            }
            cloud
                .store
                .remove_dynamic_keys("numbers", &["2".into()])
                .await
                .unwrap();
            cloud.run_waves(wave).await.unwrap_err();
            let run = cloud.only_run().await;
            assert_eq!(run.status, RunStatus::Failed);
            let failures = cloud.failures(run.id).await;
            let named: Vec<String> = failures
                .iter()
                .map(|failed| failed.target.to_string())
                .collect();
            assert_eq!(named, ["source[2]"]);
            let said = &failures[0].message;
            assert!(said.contains("`dynamic numbers add 2`"), "{said}");
            let calls = cloud.take_calls();
            assert!(!calls.iter().any(|call| call.contains('2')), "{calls:?}");

            cloud.execution = "2";
            let plan = cloud.plan_request(json!({"retry_of": run.id.to_string()}));
            let refused = cloud.request_wave(&plan).await.unwrap_err().to_string();
            assert!(
                refused.starts_with("partition `2` of `source` is gone"),
                "{refused}"
            );
            cloud
                .store
                .add_dynamic_keys("numbers", &["2".into()])
                .await
                .unwrap();
            cloud
                .run_machine(json!({"retry_of": run.id.to_string()}), Some(mode))
                .await
                .unwrap();
            let calls = cloud.take_calls();
            assert_eq!(calls, ["joined[2]", "left[2]", "right[2]", "source[2]"]);
        });
    }
}

#[test]
fn a_plan_that_was_stored_before_plans_said_what_they_mean_is_compared_with_the_record() {
    block_on_one_thread(async {
        let mut cloud = Cloud::new(25);
        cloud.deploy_whole(&static_keys(&["1", "2"]));
        let plan = cloud.plan_request(input_of_keys());
        let wave = cloud.request_wave(&plan).await.unwrap();
        let key = format!("runs/{}/plan-0.json", wave.run);
        let stored = cloud.files.read_file(&key).await.unwrap().unwrap();
        let mut json: Value = serde_json::from_slice(&stored).unwrap();
        for field in ["basis", "layout"] {
            json.as_object_mut().unwrap().remove(field).unwrap();
        }
        let content = json.to_string().into_bytes();
        cloud.files.write_file(&key, content).await.unwrap();
        cloud.first_item(&wave).await.unwrap();
        cloud.deploy(&static_keys(&["9", "1", "2"]));
        let refused = cloud
            .request_next_wave(&wave)
            .await
            .unwrap_err()
            .to_string();
        assert!(
            refused.starts_with("the partitions of `joined` have changed"),
            "{refused}"
        );
        cloud.deploy(&static_keys(&["1", "2"]));
        cloud.run_waves(wave).await.unwrap();
    });
}
