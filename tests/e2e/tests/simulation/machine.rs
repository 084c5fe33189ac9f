//! Runs on a generated machine: plans, failures, redrives, retries, and cancellation.

mod redeployed;

use chrono::TimeDelta;
use precip_engine::{
    deployment::{ExecutionStatus, Executions},
    machine::Mode,
    run::Clock,
    run_id::RunId,
    state::{NewRun, PageRequest, PartitionRef, RequestedWork, RunOrigin, RunStatus},
};
use serde_json::json;

use crate::{
    cloud::{Cloud, Console, SELECTION, queue_run, start_input},
    world::{InstantSleeper, block_on_one_thread},
};

#[test]
fn a_machine_runs_its_plan() {
    for mode in [Mode::Inline, Mode::Distributed] {
        block_on_one_thread(async {
            let mut cloud = Cloud::new(1);
            let done = cloud.run_machine(start_input(), Some(mode)).await.unwrap();
            assert!(!done.again);
            let run = cloud.only_run().await;
            assert_eq!(run.status, RunStatus::Succeeded);
            assert_eq!(cloud.list_published(run.id).await.len(), 33);
            let calls = cloud.trouble.lock().calls.clone();
            assert!(calls.values().all(|count| *count == 1), "{calls:?}");
        });
    }
}

/// An execution that is named by a person, and a planner whose clock is behind that of an earlier run.
#[test]
fn a_run_is_newer_than_every_recorded_one_whatever_the_clock_says() {
    block_on_one_thread(async {
        let mut cloud = Cloud::new(1);
        let ahead: RunId = "4ZZZZZZZZZ0000000000000000".parse().unwrap();
        let before = NewRun {
            id: ahead,
            key: None,
            request: RequestedWork::default(),
            plan: None,
            created_at: cloud.clock.now(),
        };
        cloud.store.create_run(before).await.unwrap();
        cloud.run_machine(start_input(), None).await.unwrap();
        let newest = cloud.store.newest_run().await.unwrap().unwrap();
        assert!(newest > ahead, "{newest}");
        let run = cloud.store.find_run(newest).await.unwrap().unwrap();
        assert_eq!(run.status, RunStatus::Succeeded);
        assert_eq!(cloud.list_published(newest).await.len(), 33);
    });
}

#[test]
fn a_failure_holds_back_only_what_depends_on_it() {
    block_on_one_thread(async {
        let mut cloud = Cloud::new(2);
        cloud.trouble.lock().certain = vec!["left[3]".to_owned()];
        let error = cloud.run_machine(start_input(), None).await.unwrap_err();
        assert_eq!(error.name(), "Precip.RunFailed");
        let run = cloud.only_run().await;
        let message = format!(
            "run {}: 1 failed, and 3 depend on those; `run {}` shows the failures, `retry {}` or a \
             redrive of this execution runs the rest",
            run.id, run.id, run.id
        );
        assert_eq!(error.to_string(), message);
        assert_eq!(run.status, RunStatus::Failed);
        let published = cloud.list_published(run.id).await;
        // The check of `joined[3]` is held back as well, and makes nothing.
        assert_eq!(published.len(), 33 - 3, "{published:?}");
        assert!(
            !published.contains(&"joined[3]".to_owned())
                && !published.contains(&"total".to_owned())
        );
        let failures = cloud
            .store
            .run_failures(run.id, &PageRequest::first(5))
            .await
            .unwrap();
        assert_eq!(failures.items.len(), 1);
        assert_eq!(failures.items[0].message, "certain to fail");

        // A redrive comes back to the state that failed.
        cloud.trouble.lock().certain.clear();
        cloud.trouble.lock().calls.clear();
        cloud.redrive_run(run.id, Mode::Inline).await.unwrap();
        let calls = cloud.trouble.lock().calls.clone();
        let again: Vec<&str> = calls.keys().map(String::as_str).collect();
        assert_eq!(again, ["joined[3]", "left[3]", "total[]"]);
        assert_eq!(cloud.only_run().await.status, RunStatus::Succeeded);
    });
}

#[test]
fn an_invalid_input_is_refused_and_records_no_run() {
    block_on_one_thread(async {
        let mut cloud = Cloud::new(3);
        let cases = [
            (json!("all"), "the input is a string, and must be an object"),
            (json!({"selection": "*"}), "did you mean `select`?"),
            (
                json!({"select": "*", "partitions": "1...9"}),
                "there is no partition `9`",
            ),
            (json!({"select": "sorce"}), "did you mean `source`?"),
            (
                json!({"select": "*", "partitions": 3}),
                "`partitions` cannot be read",
            ),
        ];
        for (input, expected) in cases {
            let error = cloud.run_machine(input, None).await.unwrap_err();
            assert_eq!(error.name(), "Precip.BadInput");
            let message = error.to_string();
            assert!(message.contains(expected), "{message}");
        }
        let runs = cloud
            .store
            .list_runs(&Default::default(), &PageRequest::first(1))
            .await
            .unwrap();
        assert!(runs.items.is_empty());
    });
}

#[test]
fn the_same_key_starts_one_run() {
    block_on_one_thread(async {
        let mut cloud = Cloud::new(4);
        let input = json!({"select": "source", "partitions": "1,2", "run_key": "k"});
        cloud.run_machine(input.clone(), None).await.unwrap();
        cloud.execution = "2";
        let plan = cloud.plan_request(input);
        let wave = cloud.request_wave(&plan).await.unwrap();
        assert_eq!(wave.mode, Mode::Nothing);
        let message = wave.message.unwrap();
        assert!(message.contains("was started already"), "{message}");
        cloud.only_run().await;
    });
}

const QUEUED: &str = "01JDC0Z5V9M3T8Q4W2X7Y6R1KA";

#[test]
fn a_queued_run_is_started_by_one_execution() {
    for seed in 0..40 {
        block_on_one_thread(async {
            let mut cloud = Cloud::new(seed);
            let id = queue_run(&cloud, QUEUED, SELECTION, Some("all")).await;
            // The planner is killed and asked again.
            cloud.bad_luck = 3;
            let input = json!({"run": QUEUED});
            cloud.execution = QUEUED;
            let plan = cloud.plan_request(input.clone());
            let wave = cloud.request_wave(&plan).await.unwrap();
            cloud.bad_luck = 0;
            assert_eq!((wave.run, wave.mode), (id, Mode::Inline));
            // Somebody starts it once more, from the console.
            cloud.execution = "by-hand";
            let again = cloud.plan_request(input.clone());
            let nothing = cloud.request_wave(&again).await.unwrap();
            assert_eq!(nothing.mode, Mode::Nothing);
            let message = nothing.message.unwrap();
            let by = format!("by the execution arn:execution:{QUEUED}");
            assert!(message.ends_with(&by), "{message}");
            cloud.execution = QUEUED;
            cloud.run_waves(wave).await.unwrap();
            let run = cloud.only_run().await;
            assert_eq!((run.id, run.status), (id, RunStatus::Succeeded));
            let plan = run.plan.unwrap();
            let published = cloud.list_published(id).await;
            assert_eq!(
                plan.items,
                u64::try_from(published.len()).unwrap(),
                "{published:?}"
            );
            // And once more when it is over.
            let after = cloud.request_wave(&again).await.unwrap();
            assert_eq!(
                after.message.unwrap(),
                format!("run {id} was started already: it succeeded")
            );
        });
    }
}

#[test]
fn a_queued_run_that_cannot_start_fails() {
    block_on_one_thread(async {
        let mut cloud = Cloud::new(3);
        let id = queue_run(&cloud, QUEUED, "sorce", Some("1")).await;
        cloud.execution = QUEUED;
        let plan = cloud.plan_request(json!({"run": QUEUED}));
        let error = cloud.request_wave(&plan).await.unwrap_err();
        assert_eq!(error.name(), "Precip.BadInput");
        let run = cloud.only_run().await;
        assert_eq!(run.status, RunStatus::Failed);
        assert_eq!(run.message, Some(error.to_string()));
        assert!(
            error.to_string().contains("did you mean `source`?"),
            "{error}"
        );

        // What it asked for can be retried all the same, once that makes sense.
        let retry = cloud.new_planner().plan_retry_of(id).await.unwrap_err();
        assert_eq!(retry.to_string(), error.to_string());

        for (input, expected) in [
            (
                json!({"run": "01JDC0Z5V9M3T8Q4W2X7Y6R1KB"}),
                "there is no run 01JDC0Z5V9M3T8Q4W2X7Y6R1KB",
            ),
            (
                json!({"run": QUEUED, "select": "*"}),
                "has both `select` and `run`",
            ),
            (json!({"run": "last"}), "`last` is not a run id"),
        ] {
            let plan = cloud.plan_request(input);
            let message = cloud.request_wave(&plan).await.unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
    });
}

#[test]
fn a_queued_run_without_work_succeeds() {
    block_on_one_thread(async {
        let mut cloud = Cloud::new(4);
        cloud
            .run_machine(json!({"select": "source", "partitions": "1"}), None)
            .await
            .unwrap();
        let id = queue_run(&cloud, QUEUED, "source", Some("missing:1")).await;
        cloud.execution = QUEUED;
        let plan = cloud.plan_request(json!({"run": QUEUED}));
        let wave = cloud.request_wave(&plan).await.unwrap();
        assert_eq!(
            (wave.mode, wave.message.as_deref()),
            (Mode::Nothing, Some("there was nothing to do"))
        );
        let run = cloud.store.find_run(id).await.unwrap().unwrap();
        assert_eq!(run.status, RunStatus::Succeeded);
    });
}

/// Functions fail, calls of the record fail, invocations are killed, repeated and lost, child
/// executions are stopped: what the record says is true, and redrives bring the run to its end.
#[test]
fn redrives_complete_a_run_after_any_faults() {
    let mut redriven = 0;
    for seed in 0..100 {
        block_on_one_thread(async {
            let mut cloud = Cloud::new(seed);
            cloud.store.set_pool_limit("narrow", Some(2)).await.unwrap();
            cloud.bad_luck = 2 + cloud.dice.u32(2..20);
            cloud.trouble.lock().one_in = cloud.dice.u32(8..60);
            let mode = [Mode::Inline, Mode::Distributed][cloud.dice.usize(0..2)];
            let mut ended = cloud.run_machine(start_input(), Some(mode)).await;
            let run = cloud.only_run().await;
            for redrive in 1..=4 {
                let published = cloud.list_published(run.id).await;
                let status = cloud.only_run().await.status;
                match &ended {
                    Ok(_) => {
                        assert_eq!(
                            (published.len(), status),
                            (33, RunStatus::Succeeded),
                            "seed {seed}"
                        );
                        break;
                    }
                    Err(error) => {
                        assert_eq!(error.name(), "Precip.RunFailed", "seed {seed}: {error}");
                        assert_eq!(status, RunStatus::Failed, "seed {seed}");
                    }
                }
                redriven += 1;
                if redrive == 4 {
                    cloud.bad_luck = 0;
                    cloud.trouble.lock().one_in = 0;
                }
                ended = cloud.redrive_run(run.id, mode).await;
            }
            assert!(ended.is_ok(), "seed {seed}: {ended:?}");
            let published = cloud.list_published(run.id).await;
            assert_eq!(published.len(), 33, "seed {seed}");
            let failures = cloud
                .store
                .run_failures(run.id, &PageRequest::first(5))
                .await
                .unwrap();
            assert!(failures.items.is_empty(), "seed {seed}: {failures:?}");
        });
    }
    assert!(redriven > 50, "too few faults: {redriven} redrives");
}

#[test]
fn a_retry_runs_only_what_a_run_left() {
    for mode in [Mode::Inline, Mode::Distributed] {
        block_on_one_thread(async {
            let mut cloud = Cloud::new(6);
            cloud.trouble.lock().certain = vec!["left[3]".to_owned()];
            cloud
                .run_machine(start_input(), Some(mode))
                .await
                .unwrap_err();
            let earlier = cloud.only_run().await;
            cloud.trouble.lock().certain.clear();
            cloud.trouble.lock().calls.clear();

            let again = json!({"retry_of": earlier.id.to_string()});
            cloud.execution = "2";
            cloud.run_machine(again.clone(), Some(mode)).await.unwrap();
            let calls = cloud.trouble.lock().calls.clone();
            let published: Vec<&str> = calls.keys().map(String::as_str).collect();
            assert_eq!(published, ["joined[3]", "left[3]", "total[]"]);
            let runs = cloud.list_runs().await;
            let retry = &runs[0];
            assert_eq!((runs.len(), retry.status), (2, RunStatus::Succeeded));
            let request = RequestedWork {
                origin: RunOrigin::RetryOf(earlier.id),
                ..earlier.request
            };
            assert_eq!(retry.request, request);
            assert_eq!(cloud.list_published(retry.id).await.len(), 3);

            // The retry left nothing, so a retry of that has nothing to do.
            cloud.execution = "3";
            let again = json!({"retry_of": retry.id.to_string()});
            let plan = cloud.plan_request(again);
            let wave = cloud.request_wave(&plan).await.unwrap();
            assert_eq!(wave.mode, Mode::Nothing);
            let message = format!("run {} left nothing to do", retry.id);
            assert_eq!(wave.message, Some(message));
            assert_eq!(cloud.list_runs().await.len(), 2);
        });
    }
}

/// A redrive checks the data of its own run again. A retry makes it again, since its cause may be mended.
#[test]
fn data_that_a_check_refused_is_made_again_by_a_retry() {
    block_on_one_thread(async {
        let mut cloud = Cloud::new(12);
        // Of the third partition: 4 and 30.
        cloud.trouble.lock().refused = vec![34];
        cloud.run_machine(start_input(), None).await.unwrap_err();
        let earlier = cloud.only_run().await.id;
        cloud.trouble.lock().calls.clear();
        cloud.redrive_run(earlier, Mode::Inline).await.unwrap_err();
        assert_eq!(cloud.trouble.lock().calls, Default::default());

        cloud.trouble.lock().refused.clear();
        (cloud.execution, cloud.redrive) = ("2", 0);
        let again = json!({"retry_of": earlier.to_string()});
        cloud.run_machine(again, None).await.unwrap();
        let calls = cloud.trouble.lock().calls.clone();
        let again: Vec<&str> = calls.keys().map(String::as_str).collect();
        assert_eq!(again, ["joined[3]", "total[]"]);
        assert_eq!(cloud.list_runs().await[0].status, RunStatus::Succeeded);
    });
}

#[test]
fn a_retry_of_no_finished_run_is_refused() {
    block_on_one_thread(async {
        let mut cloud = Cloud::new(7);
        let plan = cloud.plan_request(start_input());
        let running = cloud.request_wave(&plan).await.unwrap().run.to_string();
        let cases = [
            (json!({"retry_of": running}), "is running, not finished"),
            (
                json!({"retry_of": "01JDC0Z5V9M3T8Q4W2X7Y6R1KA"}),
                "there is no run 01JDC0Z5V9M3T8Q4W2X7Y6R1KA",
            ),
            (json!({"retry_of": "last"}), "`last` is not a run id"),
            (
                json!({"retry_of": running, "partitions": "1"}),
                "has both `partitions` and `retry_of`",
            ),
            (json!({"retry": running}), "did you mean `retry_of`?"),
        ];
        cloud.execution = "2";
        for (input, expected) in cases {
            let plan = cloud.plan_request(input);
            let error = cloud.request_wave(&plan).await.unwrap_err();
            assert_eq!(error.name(), "Precip.BadInput");
            let message = error.to_string();
            assert!(message.contains(expected), "{message}");
        }
        assert_eq!(cloud.list_runs().await.len(), 1);
    });
}

#[test]
fn an_input_can_leave_checks_out() {
    block_on_one_thread(async {
        let mut cloud = Cloud::new(8);
        let all = json!({"select": SELECTION, "partitions": "all", "without_checks": true});
        cloud.run_machine(all, None).await.unwrap();
        let run = cloud.only_run().await;
        assert_eq!(run.status, RunStatus::Succeeded);
        let target = PartitionRef::new("joined".parse().unwrap(), "1", 0);
        assert!(cloud.store.latest_checks(&target).await.unwrap().is_empty());
    });
}

#[test]
fn a_canceled_run_stops_its_execution() {
    block_on_one_thread(async {
        let mut cloud = Cloud::new(9);
        let console = Console::default();
        let plan = cloud.plan_request(start_input());
        cloud.request_wave(&plan).await.unwrap();
        let run = cloud.only_run().await;
        console.set_status("1", ExecutionStatus::Running);
        let planner = cloud.new_planner();
        let (sleeper, why) = (InstantSleeper::default(), "canceled by command");
        let ended = planner
            .cancel_run(&run, &console, &sleeper, why)
            .await
            .unwrap();
        assert_eq!(ended.status, RunStatus::Canceled);
        assert_eq!(ended.message.as_deref(), Some(why));
        assert_eq!(cloud.only_run().await, ended);
        let stopped = console
            .describe_execution("arn:execution:1")
            .await
            .unwrap()
            .unwrap();
        assert_eq!(stopped.status, ExecutionStatus::Aborted);
        // Once more does no harm.
        let again = planner
            .cancel_run(&ended, &console, &sleeper, why)
            .await
            .unwrap();
        assert_eq!(again, ended);
    });
}

#[test]
fn a_run_without_an_execution_can_be_canceled() {
    block_on_one_thread(async {
        let mut cloud = Cloud::new(10);
        let plan = cloud.plan_request(start_input());
        cloud.request_wave(&plan).await.unwrap();
        let run = cloud.only_run().await;
        let planner = cloud.new_planner();
        let (console, sleeper) = (Console::default(), InstantSleeper::default());
        let ended = planner.cancel_run(&run, &console, &sleeper, "enough");
        let ended = ended.await.unwrap();
        assert_eq!(ended.status, RunStatus::Canceled);
        assert_eq!(
            ended.message.as_deref(),
            Some("its execution does not exist")
        );
    });
}

#[test]
fn an_execution_ends_only_its_own_run() {
    block_on_one_thread(async {
        let mut cloud = Cloud::new(11);
        let console = Console::default();
        let plan = cloud.plan_request(start_input());
        cloud.request_wave(&plan).await.unwrap();
        let run = cloud.only_run().await;
        let planner = cloud.new_planner();
        for (name, status, then) in [
            ("2", ExecutionStatus::TimedOut, RunStatus::Running),
            ("1", ExecutionStatus::TimedOut, RunStatus::Failed),
        ] {
            console.set_status(name, status);
            let ended = console
                .describe_execution(&console.execution_arn(name))
                .await
                .unwrap()
                .unwrap();
            let settled = planner.end_with_execution(&run, &ended).await.unwrap();
            assert_eq!(settled.status, then, "execution {name}");
        }
        assert_eq!(
            console.execution_of_run(&cloud.only_run().await),
            "arn:execution:1"
        );
    });
}

/// EventBridge may lose the event that an execution has ended: a sweep finds it.
#[test]
fn a_sweep_ends_the_runs_whose_event_was_lost() {
    block_on_one_thread(async {
        let mut cloud = Cloud::new(12);
        let console = Console::default();
        let plan = cloud.plan_request(start_input());
        cloud.request_wave(&plan).await.unwrap();
        let run = cloud.only_run().await;
        // No execution has taken this one up.
        let queued = queue_run(&cloud, QUEUED, SELECTION, None).await;
        let planner = cloud.new_planner();
        let day = TimeDelta::days(1);
        let sweep = async || {
            let ended = planner.end_unreported_runs(&console, day).await.unwrap();
            ended.iter().map(|run| run.id).collect::<Vec<_>>()
        };
        console.set_status("1", ExecutionStatus::Running);
        assert_eq!(sweep().await, []);
        console.set_status("1", ExecutionStatus::TimedOut);
        assert_eq!(sweep().await, [run.id]);
        let status = async |id| cloud.store.find_run(id).await.unwrap().unwrap().status;
        assert_eq!(status(run.id).await, RunStatus::Failed);
        assert_eq!(status(queued).await, RunStatus::Queued);
        assert_eq!(sweep().await, []);
    });
}
