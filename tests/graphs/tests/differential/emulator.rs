//! Random projects on both.

use std::{sync::Arc, time::Duration};

use precip::engine::{
    deployment::ExecutionStatus,
    machine::StartInput,
    run::{PlannedRun, SystemClock, SystemRandomness, new_run_id},
    run_id::RunId,
    state::{RequestedWork, RunStatus, StateStore},
};
use precip_graphs::{Trouble, components, declare, random, rights::Rights};

use crate::{deployment::Deployment, laptop::Laptop, number, record::Record};

/// How many graphs that have nothing to do with each other a test runs, unless `PRECIP_TEST_GRAPHS` says it.
const GRAPHS: usize = 8;

/// How often it is looked again whether what follows from the table's stream is there.
const LOOKS: u32 = 60;

/// A graph's run.
struct Started {
    group: String,
    id: RunId,
    planned: PlannedRun,
}

/// Runs a random project on a laptop and on AWS: everything, then once more what is missing.
async fn compare(stack: &str, seed: u64, trouble: Trouble) {
    let seed = number("PRECIP_TEST_SEED").unwrap_or(seed);
    let graphs = number("PRECIP_TEST_GRAPHS").unwrap_or(GRAPHS);
    let project = random(seed, graphs, trouble);
    let definitions = Arc::new(declare(project.clone()).unwrap());
    let laptop = Laptop::new(Arc::clone(&definitions));
    let rights = Rights::start(None);
    let deployment = Deployment::new(stack, &project, &[rights.variable()]).await;
    for (set, keys) in project.dynamic_keys() {
        let stores: [&dyn StateStore; 2] = [laptop.state.as_ref(), &deployment.state];
        for store in stores {
            store.add_dynamic_keys(set, &keys).await.unwrap();
        }
    }
    let (mut failed, mut held) = (0, 0);
    for partitions in ["all", "missing"] {
        // All at once, as nothing goes from one to another.
        let mut runs = Vec::new();
        for group in components(graphs) {
            let request = RequestedWork {
                selection: format!("group:{group}"),
                partitions: Some(partitions.to_owned()),
                ..RequestedWork::default()
            };
            let Some(planned) = laptop.plan(&request).await else {
                continue;
            };
            let id = new_run_id(&SystemClock, &SystemRandomness);
            let input = StartInput {
                select: request.selection.clone(),
                partitions: request.partitions.clone(),
                ..StartInput::default()
            };
            deployment.start(id, &input).await;
            laptop.run(id, &request, &planned).await;
            runs.push(Started { group, id, planned });
        }
        for run in runs {
            let ended = deployment.ended(run.id).await;
            let of = async |store: &dyn StateStore| {
                let context = &run.planned.context;
                Record::of(store, &definitions, context, &run.group, run.id).await
            };
            let here = of(laptop.state.as_ref()).await;
            let mut there = of(&deployment.state).await;
            for _ in 0..LOOKS {
                if there == here {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
                there = of(&deployment.state).await;
            }
            let of_group = project.assets.iter().filter(|node| node.group == run.group);
            let graph = serde_json::to_string_pretty(&of_group.collect::<Vec<_>>()).unwrap();
            assert_eq!(
                there, here,
                "seed {seed}, {partitions} of {graph} on AWS (left), on a laptop (right): {ended:?}"
            );
            let red = ended.status == ExecutionStatus::Failed;
            assert_eq!(red, here.status() == RunStatus::Failed, "{ended:?}");
            failed += u32::from(red);
            held += here.held();
        }
    }
    assert!(failed > 0 && held > 0, "too little went wrong");
    assert_eq!(rights.refused(), "[]");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_random_project_has_the_record_that_a_laptop_has() {
    compare("differential", 1, Trouble::Failures).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_functions_leave_the_record_that_a_laptop_has() {
    compare("killed", 2, Trouble::Kills).await;
}
