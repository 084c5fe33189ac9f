//! Declarations by the macros, and calls of the declared ops.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use precip::{
    Resources,
    core::{
        key::CheckKey,
        partitions::{PartitionContext, TimeWindowPartitions},
        spec::{AssetSpec, BackfillPolicy, Backoff, CheckSpec, DepSpec, Jitter, OpSpec},
    },
    engine::{
        asset::{AssetValue, ErrorKind, Execution, LoadedInput, LoadedPart, OpOutputs},
        definitions::OpDefinition,
    },
    io::Value,
    prelude::*,
};
use serde::Deserialize;

static DAILY: LazyPartitions = partitions!(daily(
    start = "2013-01-01",
    timezone = "America/New_York",
    end_offset = 1
));
static ORIGINS: LazyPartitions = partitions!(static("EWR", "JFK", "LGA"));
static BOTH: LazyPartitions = partitions!(multi(date = DAILY, origin = ORIGINS));

const PROFILE: ComputeProfile = ComputeProfile {
    memory_mib: 2048,
    timeout: Duration::from_secs(600),
    ephemeral_storage_mib: 512,
    binary: None,
};

/// Files of the airport.
#[external_asset(key = "landing/files", partitions = DAILY)]
struct landing;

#[asset]
fn airports() -> Json<Vec<i64>> {
    Json(vec![1, 2])
}

/// Flights out of New York.
///
/// One row each.
#[asset(
    key_prefix = "raw",
    group = "air/traffic",
    tags(domain = "ops", "team/tier" = "1"),
    owners = ["team:data", "ann@example.com"],
    kinds = ["parquet"],
    code_version = "2",
    io_manager = "warehouse",
    metadata(source = "nycflights13", rows = 336_776),
    deps = [airports(mapping = PartitionMapping::All), landing],
    partitions = DAILY,
    backfill_policy = multi_run(10),
    retry_policy(max_retries = 3, delay = "1m 30s", backoff = exponential, jitter = full),
    pool = "database",
    compute = PROFILE,
    checks = [not_empty(blocking, description = "There are rows."), fresh],
    freshness(fail_window = "24h", warn_window = "12h"),
    automation = AutomationCondition::eager(),
)]
async fn flights() -> Result<Output<Json<Vec<i64>>>, AssetError> {
    Ok(Output::new(Json(vec![1]))
        .metadata("rows", 1)
        .check(CheckResult::pass().named("not_empty"))
        .check(CheckResult::fail("old").named("fresh").warn()))
}

/// Returns the op that a type declares.
fn declared_op<D: precip::engine::definitions::Declares>() -> OpDefinition {
    match D::declare() {
        precip::engine::definitions::Declaration::Op(op) => *op,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_option_reaches_the_spec() {
    // The expected spec is written without the macros, so nothing of them can hide a lost option.
    let check = |name: &str| {
        CheckSpec::new(CheckKey {
            asset: "raw/flights".parse().unwrap(),
            name: name.to_owned(),
        })
    };
    let daily = TimeWindowPartitions::daily("2013-01-01")
        .timezone("America/New_York")
        .end_offset(1)
        .build()
        .unwrap();
    let asset = AssetSpec {
        group: "air/traffic".parse().unwrap(),
        description: Some("Flights out of New York.\n\nOne row each.".to_owned()),
        tags: [("domain", "ops"), ("team/tier", "1")]
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .into(),
        owners: vec![
            "team:data".parse().unwrap(),
            "ann@example.com".parse().unwrap(),
        ],
        kinds: ["parquet".parse().unwrap()].into(),
        code_version: Some("2".to_owned()),
        metadata: [
            ("source".to_owned(), "nycflights13".into()),
            ("rows".to_owned(), 336_776.into()),
        ]
        .into_iter()
        .collect(),
        deps: vec![
            DepSpec::new("airports".parse().unwrap()).with_mapping(PartitionMapping::All),
            DepSpec::new("landing/files".parse().unwrap()),
        ],
        partitions: Some(Arc::new(daily.into())),
        io_manager: Some("warehouse".to_owned()),
        freshness: Some(
            FreshnessPolicy::time_window(
                Duration::from_secs(24 * 3600),
                Some(Duration::from_secs(12 * 3600)),
            )
            .unwrap(),
        ),
        automation: Some(AutomationCondition::eager()),
        ..AssetSpec::new("raw/flights".parse().unwrap())
    };
    let expected = OpSpec {
        checks: vec![
            CheckSpec {
                blocking: true,
                description: Some("There are rows.".to_owned()),
                ..check("not_empty")
            },
            check("fresh"),
        ],
        retry: Some(RetryPolicy {
            max_retries: 3,
            delay: Duration::from_secs(90),
            backoff: Backoff::Exponential,
            jitter: Jitter::Full,
        }),
        backfill: BackfillPolicy::MultiRun(NonZeroU32::new(10).unwrap()),
        pool: Some("database".to_owned()),
        compute: PROFILE,
        ..OpSpec::single(asset)
    };
    let op = declared_op::<flights>();
    assert_eq!(op.spec, expected);
    assert_eq!(op.execution, Execution::Async);
    assert!(op.source.file.ends_with("declarations.rs"));
    assert_eq!(line_number("async fn flights"), op.source.line + 19);
}

#[asset(compute(memory_mib = 1024, binary = "materializer-sql"))]
fn ranking() -> Json<Vec<i64>> {
    Json(Vec::new())
}

#[test]
fn omitted_fields_of_a_compute_profile_have_their_defaults() {
    let expected = ComputeProfile {
        memory_mib: 1024,
        binary: Some("materializer-sql".parse().unwrap()),
        ..ComputeProfile::default()
    };
    assert_eq!(declared_op::<ranking>().spec.compute, expected);
    assert_eq!(expected.binary(), "materializer-sql");
    assert_eq!(ComputeProfile::default().binary(), "materializer");
}

/// Returns the number of the line of this file that begins with a text.
fn line_number(text: &str) -> u32 {
    let lines = include_str!("declarations.rs").lines();
    let index = lines.into_iter().position(|line| line.starts_with(text));
    u32::try_from(index.unwrap()).unwrap() + 1
}

#[derive(Deserialize)]
struct Options {
    factor: i64,
    #[serde(default)]
    add: i64,
}

trait Scale: Send + Sync {
    fn scale(&self, value: i64) -> i64;
}

struct Double;

impl Scale for Double {
    fn scale(&self, value: i64) -> i64 {
        value * 2
    }
}

#[asset(partitions = ORIGINS)]
fn total(
    context: &AssetContext,
    airports: Json<Vec<i64>>,
    #[input(crate::flights, mapping = PartitionMapping::All)] rows: Option<Json<Vec<i64>>>,
    #[resource] scale: &dyn Scale,
    #[resource] names: Arc<String>,
    #[config] options: Options,
) -> Result<i64, std::num::TryFromIntError> {
    context.add_metadata("names", names.as_str());
    let count = i64::try_from(rows.map_or(0, |rows| rows.len()))?;
    Ok(scale.scale(airports.iter().sum::<i64>() + count) * options.factor + options.add)
}

/// Returns the input of an asset's loaded data.
fn loaded_input(key: &str, rows: &[i64]) -> LoadedInput {
    let value: AssetValue = precip::io::IntoAsset::into_asset(Json(rows.to_vec())).unwrap();
    LoadedInput {
        asset: key.parse().unwrap(),
        parts: vec![LoadedPart {
            partition: None,
            value,
        }],
    }
}

async fn call_total(config: serde_json::Value) -> Result<OpOutputs, AssetError> {
    let op = declared_op::<total>();
    let names: Vec<&str> = op.inputs.iter().map(|input| input.name.as_str()).collect();
    assert_eq!(names, ["airports", "rows"]);
    assert!(op.inputs[1].needs.missing_ok);
    let context = AssetContext::builder()
        .select::<total>()
        .partition("JFK")
        .config(config)
        .build();
    let nothing = LoadedInput {
        asset: "raw/flights".parse().unwrap(),
        parts: vec![],
    };
    let inputs = [
        ("airports".to_owned(), loaded_input("airports", &[1, 2])),
        ("rows".to_owned(), nothing),
    ];
    let shared: Arc<dyn Scale> = Arc::new(Double);
    let resources = Resources::new()
        .with("scale", shared)
        .with("names", "New York".to_owned());
    op.body.run_op(context, inputs.into(), &resources).await
}

#[tokio::test]
async fn a_body_takes_the_inputs_that_its_parameters_name() {
    let mut outputs = call_total(serde_json::json!({ "factor": 10 }))
        .await
        .unwrap();
    let made = outputs.made.remove(0);
    assert_eq!(made.partition, Some("JFK".into()));
    assert_eq!(made.metadata["names"], "New York".into());
    let value: Value = made.value.unwrap().downcast().unwrap();
    assert_eq!(value, Value::Json(60.into()));
}

#[tokio::test]
async fn invalid_config_is_refused_with_its_field() {
    let error = call_total(serde_json::json!({ "factor": "ten" }))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Terminal);
    assert_eq!(
        error.message(),
        "config `factor`: invalid type: string \"ten\", expected i64"
    );
    let check = declared_op::<total>().config.unwrap();
    assert_eq!(
        check
            .check_config(&serde_json::Value::Null)
            .unwrap_err()
            .to_string(),
        "config: missing field `factor`"
    );
}

type Numbers = Json<Vec<i64>>;

/// Numbers, split by parity.
#[multi_asset(
    can_subset,
    group = "numbers",
    deps = [airports],
    outputs(
        /// The even ones.
        even(checks = [any]),
        odd(group = "strange", deps = [even]),
    ),
)]
fn split(context: AssetContext) -> Result<(Option<Output<Numbers>>, Option<Numbers>), AssetError> {
    let even = context
        .is_selected::<even>()
        .then(|| Output::new(Json(vec![2])).check(CheckResult::pass()));
    Ok((even, context.is_selected::<odd>().then(|| Json(vec![1]))))
}

#[tokio::test]
async fn a_multi_asset_makes_the_selected_outputs() {
    let op = declared_op::<split>();
    assert!(op.spec.can_subset);
    assert_eq!(op.spec.name, "split");
    let [first, second] = op.spec.assets.as_slice() else {
        panic!("{:?}", op.spec.assets);
    };
    assert_eq!(first.group, "numbers");
    assert_eq!(first.description.as_deref(), Some("The even ones."));
    assert_eq!(first.deps, [DepSpec::new("airports".parse().unwrap())]);
    assert_eq!(second.group, "strange");
    assert_eq!(second.deps, [DepSpec::new("even".parse().unwrap())]);

    // Only the selected output is made, and only its check evaluated.
    let context = AssetContext::builder().select::<even>().build();
    let none = Resources::new();
    let outputs = op.body.run_op(context, [].into(), &none).await.unwrap();
    let made: Vec<&str> = outputs
        .made
        .iter()
        .map(|made| made.asset.as_str())
        .collect();
    assert_eq!(made, ["even"]);
    assert_eq!(outputs.checks[0].check.to_string(), "even:any");
}

/// There are airports.
#[asset_check(asset = airports, blocking, retry_policy(max_retries = 1))]
async fn enough(airports: Json<Vec<i64>>, #[input(even)] others: Json<Vec<i64>>) -> bool {
    airports.len() > others.len()
}

#[tokio::test]
async fn a_check_loads_its_asset_and_others() {
    let op = declared_op::<enough>();
    let check = &op.spec.checks[0];
    assert_eq!(op.spec.name, "airports:enough");
    assert!(check.blocking && op.spec.assets.is_empty());
    assert_eq!(check.description.as_deref(), Some("There are airports."));
    assert_eq!(
        check.additional_deps,
        [DepSpec::new("even".parse().unwrap())]
    );
    let inputs = [
        ("airports".to_owned(), loaded_input("airports", &[1, 2])),
        ("others".to_owned(), loaded_input("even", &[2, 4])),
    ];
    let context = AssetContext::builder().build();
    let outputs = op
        .body
        .run_op(context, inputs.into(), &Resources::new())
        .await
        .unwrap();
    assert_eq!(outputs.checks[0].check.to_string(), "airports:enough");
    assert!(!outputs.checks[0].result.passed);
}

#[asset(partitions = ORIGINS, backfill_policy = single_run)]
fn per_origin(context: &AssetContext) -> Partitions<Result<i64, String>> {
    let make = |key: &PartitionKey| match key.as_str() {
        "JFK" => (key.clone(), Err("closed".to_owned())),
        _ => (key.clone(), Ok(1)),
    };
    context.partition_keys().map(make).collect()
}

#[tokio::test]
async fn one_of_several_partitions_fails_alone() {
    let op = declared_op::<per_origin>();
    assert_eq!(op.spec.backfill, BackfillPolicy::SingleRun);
    let context = AssetContext::builder()
        .partition("EWR")
        .partition("JFK")
        .build();
    let outputs = op
        .body
        .run_op(context, [].into(), &Resources::new())
        .await
        .unwrap();
    assert_eq!(outputs.made[0].partition, Some("EWR".into()));
    let (key, error) = &outputs.failed[0];
    assert_eq!((key.as_str(), error.message()), ("JFK", "closed"));
}

/// A function whose names occur in the generated code too.
#[asset(partitions = BOTH)]
fn inputs(context: AssetContext, #[resource] resources: &u8) -> Option<i64> {
    context.log().info("quiet");
    Some(i64::from(*resources))
}

#[tokio::test]
async fn names_do_not_clash_with_generated_code() {
    let op = declared_op::<inputs>();
    let context = AssetContext::builder()
        .dimensions([("origin", "JFK"), ("date", "2013-01-01")])
        .build();
    assert_eq!(context.dimension_key("origin").unwrap().as_str(), "JFK");
    let resources = Resources::new().with("resources", 7u8);
    let outputs = op
        .body
        .run_op(context, [].into(), &resources)
        .await
        .unwrap();
    assert_eq!(outputs.made[0].partition, Some("2013-01-01|JFK".into()));
}

#[test]
fn a_project_has_everything_that_it_declares() {
    let shared: Arc<dyn Scale> = Arc::new(Double);
    let definitions = Definitions::builder()
        .discover()
        .asset::<flights>()
        .resource("scale", shared)
        .resource("names", String::new())
        .resource("resources", 1u8)
        .io_manager("warehouse", precip::io::MemoryIoManager::default())
        .build()
        .unwrap();
    let keys: Vec<&str> = definitions.graph().keys().map(|key| key.as_str()).collect();
    assert_eq!(
        keys,
        [
            "airports",
            "even",
            "inputs",
            "landing/files",
            "odd",
            "per_origin",
            "ranking",
            "raw/flights",
            "total"
        ]
    );
    let graph = definitions.graph();
    let landing = graph.id(&"landing/files".parse().unwrap()).unwrap();
    assert!(graph.is_external(landing));
    assert_eq!(
        graph.asset(landing).description.as_deref(),
        Some("Files of the airport.")
    );
    let context = PartitionContext::at("2013-01-03T12:00:00Z".parse().unwrap());
    let inputs = graph.id(&"inputs".parse().unwrap()).unwrap();
    assert_eq!(graph.partitions(inputs).unwrap().count(&context), 9);
}

#[test]
fn missing_parts_are_reported_with_the_line_that_needs_them() {
    let invalid = Definitions::builder().asset::<total>().build().unwrap_err();
    let location = format!("{}:{}", file!(), declared_op::<total>().source.line);
    let messages: Vec<String> = invalid.problems().iter().map(ToString::to_string).collect();
    assert_eq!(
        messages,
        [
            format!(
                "{location}: op `total` takes resource `scale`, which environment `local` does not provide: give it with `.resource(\"scale\", ..)`"
            ),
            format!(
                "{location}: op `total` takes resource `names`, which environment `local` does not provide: give it with `.resource(\"names\", ..)`"
            ),
            format!(
                "{location}: asset `total` depends on `airports`, which is not declared: declare it, as an external asset if nothing here makes it"
            ),
            format!(
                "{location}: asset `total` depends on `raw/flights`, which is not declared: declare it, as an external asset if nothing here makes it"
            ),
        ]
    );
}

#[test]
fn annotated_functions_can_be_called() {
    assert_eq!(*airports(), [1, 2]);
    let context = AssetContext::builder().partition("JFK").build();
    let options = Options { factor: 1, add: 5 };
    let names = Arc::new(String::new());
    assert_eq!(
        total(&context, Json(vec![1]), None, &Double, names, options),
        Ok(7)
    );
}
