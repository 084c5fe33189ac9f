//! Random projects on a laptop and on AWS.

mod histories;

use std::{sync::Arc, time::Duration};

use precip::engine::{
    deployment::ExecutionStatus,
    machine::StartInput,
    run::{PlannedRun, SystemClock, SystemRandomness, new_run_id},
    run_id::RunId,
    state::{RequestedWork, RunStatus, StateStore},
};
use precip_graphs::{
    Trouble, component_groups, declare_project, deployment::Deployment, random_project,
    rights::RightsProxy,
};

use crate::{PROGRAM, await_execution, laptop::Laptop, number_variable, record::Record};

/// The number of independent graphs, unless `PRECIP_TEST_GRAPHS` sets it.
const GRAPHS: usize = 8;

/// The most polls for the projections of the table's stream.
const POLLS: u32 = 60;

/// The run of a group.
struct StartedRun {
    group: String,
    id: RunId,
    planned: PlannedRun,
}

/// Runs a random project on a laptop and on AWS, first everything and then what is missing, and compares
/// the records.
async fn compare_records(stack: &str, seed: u64, trouble: Trouble) {
    let seed = number_variable("PRECIP_TEST_SEED").unwrap_or(seed);
    let graphs = number_variable("PRECIP_TEST_GRAPHS").unwrap_or(GRAPHS);
    let project = random_project(seed, graphs, trouble);
    let definitions = Arc::new(declare_project(project.clone()).unwrap());
    let laptop = Laptop::new(Arc::clone(&definitions));
    let rights = RightsProxy::start_proxy(None);
    let deployment = Deployment::deploy(PROGRAM, stack, &project, &[rights.proxy_variable()]).await;
    for (set, keys) in project.dynamic_keys() {
        let stores: [&dyn StateStore; 2] = [laptop.state.as_ref(), &deployment.state];
        for store in stores {
            store.add_dynamic_keys(set, &keys).await.unwrap();
        }
    }
    let (mut failed, mut held, mut skipped) = (0, 0, 0);
    for partitions in ["all", "missing"] {
        // All groups run at once, as they are independent.
        let mut runs = Vec::new();
        for group in component_groups(graphs) {
            let request = RequestedWork {
                selection: format!("group:{group}"),
                partitions: Some(partitions.to_owned()),
                ..RequestedWork::default()
            };
            let Some(planned) = laptop.plan_work(&request).await else {
                continue;
            };
            let id = new_run_id(&SystemClock, &SystemRandomness);
            let input = StartInput {
                select: request.selection.clone(),
                partitions: request.partitions.clone(),
                ..StartInput::default()
            };
            deployment.start_run(id, &input).await;
            laptop.run_plan(id, &request, &planned).await;
            runs.push(StartedRun { group, id, planned });
        }
        for run in runs {
            let ended = await_execution(&deployment, run.id).await;
            let read = async |store: &dyn StateStore| {
                let context = &run.planned.context;
                Record::read(store, &definitions, context, &run.group, run.id).await
            };
            let on_laptop = read(laptop.state.as_ref()).await;
            let mut on_aws = read(&deployment.state).await;
            for _ in 0..POLLS {
                if on_aws == on_laptop {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
                on_aws = read(&deployment.state).await;
            }
            let of_group = project.assets.iter().filter(|node| node.group == run.group);
            let graph = serde_json::to_string_pretty(&of_group.collect::<Vec<_>>()).unwrap();
            assert_eq!(
                on_aws, on_laptop,
                "seed {seed}, {partitions} of {graph} on AWS (left), on a laptop (right): {ended:?}"
            );
            let execution_failed = ended.status == ExecutionStatus::Failed;
            assert_eq!(
                execution_failed,
                on_laptop.status() == RunStatus::Failed,
                "{ended:?}"
            );
            failed += u32::from(execution_failed);
            held += on_laptop.held_back();
            skipped += on_laptop.skipped_count();
        }
    }
    // Where nothing fails, what is not tried is skipped with something upstream.
    assert!(held > 0, "too few faults");
    assert_eq!(failed > 0, trouble != Trouble::Skips);
    assert_eq!(skipped > 0, trouble == Trouble::Skips);
    assert_eq!(rights.refused_calls(), "[]");
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_leave_the_same_record_on_aws_and_on_a_laptop() {
    compare_records("differential", 1, Trouble::Failures).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn aborted_functions_leave_the_same_record_on_aws_and_on_a_laptop() {
    compare_records("killed", 2, Trouble::Kills).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn skipped_partitions_leave_the_same_record_on_aws_and_on_a_laptop() {
    compare_records("skipped", 3, Trouble::Skips).await;
}
