//! Whole runs: the real planner and materializer as functions of a simulated Lambda, under the generated
//! machines, with their record, files and data in the strict AWS, and faults in all of them.

use std::{collections::BTreeMap, fmt, rc::Rc, sync::Arc, time::Duration};

use async_trait::async_trait;
use precip_asl::compile::PLANNER;
use precip_aws::{Aws, files::S3Files};
use precip_core::{
    metadata::Metadata,
    partitions::{PartitionSet, PartitionsDefinition, StaticPartitions},
    spec::{AssetSpec, DepSpec, OpSpec},
};
use precip_engine::{
    asset::{AssetContext, AssetValue, FnBody, Inputs, OpOutput, OpOutputs, Resources, RunFuture},
    definitions::{Definitions, OpDefinition},
    io::{Address, IoError, IoManager, LoadRequest, Stored},
    machine::{RunFiles, StartInput},
    run_id::RunId,
    state::{
        PartitionRef, ReadConsistency, RunStatus,
        conformance::{Harness, fixtures::asset_key},
    },
};
use precip_simulator::{
    deployment::{Deployment, Handlers, Stores},
    lambda::{self, FunctionConfig, Handler, Invocation, Lambda},
    step_functions::{self, ExecutionStatus},
    task::{Functions, TaskError},
};
use precip_strict_aws::{Faults, Options};
use serde_json::{Value, json};

use crate::world::{BUCKET, TABLE, World, open_store};

const PARTITIONS: u64 = 12;
const CONTENT: &[u8] = b"whole";

/// Makes the selected assets of the invocation's partitions.
fn make(context: AssetContext, _: Inputs, _: &Resources) -> RunFuture<'_> {
    Box::pin(async move {
        let mut outputs = OpOutputs::default();
        for asset in context.selected() {
            for partition in context.partition_keys() {
                outputs.made.push(OpOutput {
                    asset: asset.clone(),
                    partition: Some(partition.clone()),
                    value: Some(AssetValue::new(CONTENT.to_vec())),
                    metadata: Metadata::default(),
                    data_version: None,
                });
            }
        }
        Ok(outputs)
    })
}

/// Defines `up` and, downstream of it, `down`.
fn define_project() -> Definitions {
    let keys = (0..PARTITIONS).map(|n| format!("part-{n}"));
    let keys = StaticPartitions::new(keys).expect("the keys are valid");
    let keys = Arc::new(PartitionsDefinition::from(keys));
    let asset = |name: &str| AssetSpec {
        partitions: Some(Arc::clone(&keys)),
        ..AssetSpec::new(asset_key(name))
    };
    let (up, mut down) = (asset("up"), asset("down"));
    down.deps = vec![DepSpec::new(up.key.clone())];
    let op = |asset| OpDefinition::new(OpSpec::single(asset), FnBody(make));
    let builder = Definitions::builder().op(op(up)).op(op(down));
    builder.build().expect("the definitions are valid")
}

/// Data in the bucket, each attempt's in an object of its own.
struct Objects(S3Files);

fn io_error(error: impl std::error::Error + Send + Sync + 'static) -> IoError {
    IoError::Failed {
        message: error.to_string(),
        source: Box::new(error),
    }
}

#[async_trait]
impl IoManager for Objects {
    async fn store(&self, address: &Address, value: AssetValue) -> Result<Stored, IoError> {
        let partition = address.partition.as_ref().map_or("", |key| key.as_str());
        let (run, attempt) = (address.run, address.attempt);
        let pointer = format!("data/{}/{partition}/{run}-{attempt}", address.asset);
        let content: Vec<u8> = value.downcast().expect("the value is bytes");
        self.0
            .write_file(&pointer, content)
            .await
            .map_err(io_error)?;
        Ok(Stored {
            pointer,
            metadata: Metadata::default(),
        })
    }

    async fn load(
        &self,
        _: &Address,
        pointer: &str,
        _: &LoadRequest,
    ) -> Result<AssetValue, IoError> {
        let content = self.0.read_file(pointer).await.map_err(io_error)?;
        let missing = || IoError::NotFound {
            pointer: pointer.to_owned(),
        };
        content.map(AssetValue::new).ok_or_else(missing)
    }
}

/// The code of one function.
struct Code(Handlers, &'static str);

#[async_trait(?Send)]
impl Handler for Code {
    async fn handle(&self, payload: Value, _: &Invocation) -> Result<Value, TaskError> {
        self.0.call_function(self.1, payload).await
    }
}

/// The functions of the deployment: the planner, and one for all ops.
struct Deployed(Lambda);

impl fmt::Debug for Deployed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[async_trait(?Send)]
impl Functions for Deployed {
    async fn call_function(&self, function: &str, payload: Value) -> Result<Value, TaskError> {
        let name = if function == PLANNER { PLANNER } else { "ops" };
        self.0.call_function(name, payload).await
    }
}

/// Runs everything to its end, with redrives, and returns how often it was redriven.
fn run_project(world: &mut World, seed: u64, run: RunId, faults: lambda::Faults) -> u32 {
    let (time, tasks) = (world.kernel.time(), world.kernel.tasks());
    let files = S3Files::new(Aws::new(world.aws.sdk_config()).s3(), BUCKET);
    let definitions = Arc::new(define_project());
    let stores = Stores {
        state: Arc::new(open_store(&world.aws, &time)),
        files: Arc::new(files.clone()),
        data: Arc::new(Objects(files)),
    };
    let handlers = Handlers::new(Arc::clone(&definitions), stores, &world.kernel, seed);
    let rng = fastrand::Rng::with_seed(seed);
    let limits = lambda::Limits::default();
    let functions = Lambda::new(time, tasks, world.bill.clone(), limits, rng);
    functions.set_faults(faults);
    for name in [PLANNER, "ops"] {
        let code = Rc::new(Code(handlers.clone(), name));
        let config = FunctionConfig::default();
        let deployed = functions.deploy_function(name, config, code);
        deployed.expect("nothing is reserved");
    }
    let deployment = Deployment::new(
        &world.kernel,
        &definitions,
        (Rc::new(Deployed(functions)), Rc::new(handlers)),
        world.bill.clone(),
        (
            step_functions::Limits::default(),
            step_functions::Faults::default(),
            seed,
        ),
        false,
    );
    let deployment = deployment.expect("the machines are valid");
    let input = StartInput {
        select: "*".to_owned(),
        partitions: Some("all".to_owned()),
        ..StartInput::default()
    };
    let (service, machine) = (&deployment.service, &deployment.run_machine);
    let input = serde_json::to_value(input).expect("the input is JSON");
    let arn = service.start_execution(machine, Some(&run.to_string()), input);
    let arn = arn.expect("the execution starts");
    for redrives in 0..20 {
        let ended = world.kernel.run(service.wait_for_end(&arn));
        if ended.expect("the execution exists").status == ExecutionStatus::Succeeded {
            return redrives;
        }
        service.redrive_execution(&arn).expect("it can be redriven");
    }
    panic!("seed {seed}: the run never succeeds");
}

/// Returns the published versions of each partition, in order, from the stream.
fn published_versions(world: &World) -> BTreeMap<String, Vec<(String, u64)>> {
    let mut versions: BTreeMap<String, Vec<(String, u64)>> = BTreeMap::new();
    let mut stream = world.aws.open_stream(TABLE);
    let events = stream.read_events(1, usize::MAX).concat();
    let records = events
        .iter()
        .flat_map(|event| event["Records"].as_array())
        .flatten();
    for record in records {
        let row = &record["dynamodb"]["NewImage"];
        let text = |name: &str, kind: &str| row[name][kind].as_str().unwrap_or_default().to_owned();
        if !text("pk", "S").starts_with("L#") || row["run"] == json!(null) {
            continue;
        }
        let version = (
            text("run", "S"),
            text("attempt", "N").parse().expect("a number"),
        );
        let key = format!("{} {}", text("pk", "S"), text("sk", "S"));
        let of_row = versions.entry(key).or_default();
        if of_row.last() != Some(&version) {
            of_row.push(version);
        }
    }
    versions
}

/// Asserts that each partition is published with whole data, and never by an older attempt.
fn check_record(world: &mut World, seed: u64, run: RunId) {
    world.aws.set_faults(Faults::default());
    let harness = world.harness();
    let files = S3Files::new(Aws::new(world.aws.sdk_config()).s3(), BUCKET);
    world.kernel.run(async {
        harness.await_projections().await;
        let store = harness.store();
        let found = store
            .find_run(run)
            .await
            .expect("the record is read")
            .expect("the run is recorded");
        assert_eq!(found.status, RunStatus::Succeeded, "seed {seed}");
        for asset in ["up", "down"].map(asset_key) {
            let statuses = store
                .partition_statuses(&asset)
                .await
                .expect("the record is read");
            let all: PartitionSet = (0..PARTITIONS).collect();
            assert_eq!(statuses.materialized, all, "seed {seed}: {asset}");
            for n in 0..PARTITIONS {
                let target = PartitionRef::new(asset.clone(), format!("part-{n}"), n);
                let strong = ReadConsistency::Strong;
                let latest = store
                    .latest_materialization(&target, strong)
                    .await
                    .expect("the record is read");
                let latest = latest.expect("the partition is published");
                let published = latest.published().expect("the partition is published");
                let pointer = published.pointer.as_deref().expect("it has data");
                let content = files.read_file(pointer).await.expect("the record is read");
                assert_eq!(content.as_deref(), Some(CONTENT), "seed {seed}: {pointer}");
            }
        }
        let progress = store.run_progress(run).await.expect("the record is read");
        assert_eq!(
            (progress.succeeded, progress.failed),
            (2 * PARTITIONS, 0),
            "seed {seed}"
        );
    });
    let versions = published_versions(world);
    assert_eq!(versions.len() as u64, 2 * PARTITIONS, "seed {seed}");
    for (row, versions) in versions {
        assert!(
            versions.is_sorted(),
            "seed {seed}: {row} goes back: {versions:?}"
        );
    }
    assert_eq!(world.aws.mistakes(), [], "seed {seed}");
}

#[test]
fn a_run_materializes_everything_and_pays_for_it_once() {
    let mut world = World::new(1);
    let run: RunId = "01KBC0000000000000000000R1".parse().expect("an id");
    let redrives = run_project(&mut world, 1, run, lambda::Faults::default());
    assert_eq!(redrives, 0);
    check_record(&mut world, 1, run);
    assert!(
        published_versions(&world)
            .values()
            .all(|versions| versions.len() == 1)
    );
}

#[test]
fn troubled_runs_end_with_everything_published() {
    let run: RunId = "01KBC0000000000000000000R1".parse().expect("an id");
    let mut met = BTreeMap::new();
    for seed in 0..6 {
        let mut world = World::with_options(Options {
            seed,
            faults: Faults {
                lost_requests: 0.01,
                lost_answers: 0.02,
                internal_errors: 0.02,
                throttled: 0.02,
                unprocessed: 0.05,
                conflicts: 0.02,
                stale_reads: 0.3,
                late: 0.05,
                longest_delay: Duration::from_secs(3),
            },
            ..Options::default()
        });
        let faults = lambda::Faults {
            lost_requests: 0.02,
            lost_answers: 0.02,
            doubled: 0.05,
            late: 0.05,
            longest_delay: Duration::from_secs(5),
            killed: 0.1,
        };
        run_project(&mut world, seed, run, faults);
        check_record(&mut world, seed, run);
        for (fault, count) in world.aws.fault_counts() {
            *met.entry(fault).or_insert(0) += count;
        }
    }
    assert!(
        met.len() == 8 && met.values().all(|count| *count > 1),
        "{met:?}"
    );
}
