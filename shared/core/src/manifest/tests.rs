use std::{collections::BTreeMap, num::NonZeroU32, time::Duration};

use serde_json::{Value, json};

use super::*;
use crate::{
    automation::AutomationCondition,
    freshness::FreshnessPolicy,
    graph::AssetGraph,
    key::{AssetKey, CheckKey},
    mapping::{DimensionMapping, PartitionMapping},
    metadata::{MetadataValue, TableSchema},
    partitions::{
        DynamicPartitions, MultiPartitions, PartitionsDefinition, StaticPartitions,
        TimeWindowPartitions,
    },
    spec::{AssetSpec, BackfillPolicy, Backoff, CheckSpec, DepSpec, Jitter, OpSpec, RetryPolicy},
    trigger::{
        Bucket, CatchUp, DefaultStatus, MonitoredStatus, ObjectFilter, ObjectSensor, Require,
        ScheduleSpec, ScheduleTiming, SensorSource, SensorSpec,
    },
};

fn asset_key(text: &str) -> AssetKey {
    text.parse().unwrap()
}

fn asset_spec(name: &str, partitions: Option<PartitionsDefinition>) -> AssetSpec {
    AssetSpec {
        partitions: partitions.map(Into::into),
        ..AssetSpec::new(asset_key(name))
    }
}

/// Returns a project with a declaration of every kind.
fn sample_graph() -> AssetGraph {
    let days = || {
        let builder = TimeWindowPartitions::daily("2024-01-01").timezone("America/New_York");
        PartitionsDefinition::from(builder.build().unwrap())
    };
    let origins = || PartitionsDefinition::from(StaticPartitions::new(["EWR", "JFK"]).unwrap());
    let days_by_origin = || {
        let dimensions = MultiPartitions::new([("day", days()), ("origin", origins())]);
        PartitionsDefinition::from(dimensions.unwrap())
    };
    let hours = Duration::from_secs(3600);

    // `daily` has every optional field of an asset.
    let mut daily = asset_spec("daily", Some(days()));
    daily.group = "staging/daily".parse().unwrap();
    daily.tags = BTreeMap::from([("domain".parse().unwrap(), "ops".parse().unwrap())]);
    daily.owners = vec![
        "team:data".parse().unwrap(),
        "ann@example.com".parse().unwrap(),
    ];
    daily.kinds = ["parquet".parse().unwrap()].into();
    daily.deps = vec![DepSpec::new(asset_key("raw/landing"))];
    daily.freshness = Some(FreshnessPolicy::time_window(24 * hours, Some(12 * hours)).unwrap());
    daily.automation = Some(AutomationCondition::eager());
    daily.metadata = [
        ("text", MetadataValue::from("x")),
        ("endless", MetadataValue::Float(f64::INFINITY)),
        ("number", MetadataValue::Float(1.5)),
        ("json", MetadataValue::Json(json!({"a": [1, null]}))),
        ("at", MetadataValue::Timestamp(chrono::DateTime::UNIX_EPOCH)),
        (
            "columns",
            MetadataValue::TableSchema(TableSchema::from_iter([("origin", "Utf8", false)])),
        ),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into_iter()
    .collect();

    // `by_origin` depends on itself by a mapping of dimensions.
    let mut by_origin = asset_spec("by_origin", Some(days_by_origin()));
    let dims = [(
        "day".to_owned(),
        DimensionMapping {
            downstream_dimension: "day".into(),
            mapping: PartitionMapping::TimeWindow {
                start_offset: -1,
                end_offset: -1,
                allow_nonexistent_upstream_partitions: true,
            },
        },
    )];
    by_origin.deps = vec![
        DepSpec::new(asset_key("daily")),
        DepSpec::new(asset_key("by_origin"))
            .with_mapping(PartitionMapping::Multi { dims: dims.into() }),
    ];
    by_origin.freshness = Some(FreshnessPolicy::cron("0 9 * * *", hours, "UTC").unwrap());
    by_origin.automation = Some(
        AutomationCondition::any_deps_match(AutomationCondition::newly_updated())
            .ignore("key:\"raw/*\"".parse().unwrap())
            .since(AutomationCondition::cron_tick_passed("@daily", "UTC")),
    );

    // `files` has dynamic partitions and a declared mapping.
    let mut files = asset_spec("files", Some(DynamicPartitions::new("files").into()));
    files.deps = vec![DepSpec::new(asset_key("raw/landing")).with_mapping(PartitionMapping::All)];

    // The op of `daily` has every optional field of an op.
    let mut check = CheckSpec::new(CheckKey {
        asset: asset_key("daily"),
        name: "not_empty".into(),
    });
    check.blocking = true;
    let ops = vec![
        OpSpec {
            checks: vec![check],
            retry: Some(RetryPolicy {
                max_retries: 3,
                delay: Duration::from_millis(1_500),
                backoff: Backoff::Exponential,
                jitter: Jitter::Full,
            }),
            backfill: BackfillPolicy::MultiRun(NonZeroU32::new(7).unwrap()),
            pool: Some("warehouse".into()),
            required_resources: ["warehouse".to_owned()].into(),
            config_schema: Some(json!({"type": "object"})),
            ..OpSpec::single(daily)
        },
        OpSpec::single(by_origin),
        OpSpec::single(files),
    ];
    AssetGraph::new(ops, vec![asset_spec("raw/landing", None)]).unwrap()
}

fn sample_manifest() -> Manifest {
    let details = |op: &OpSpec| OpDetails {
        inputs: vec![InputManifest {
            name: "raw".into(),
            asset: asset_key("raw/landing"),
            many: false,
            missing_ok: false,
        }],
        source: Some(SourceManifest {
            file: format!("src/{}.rs", op.name),
            line: 3,
        }),
    };
    let password = SettingManifest {
        source: SettingSource::SecretsManager,
        name: "warehouse/password".into(),
        optional: false,
        secret: true,
    };
    let prod = EnvironmentManifest {
        name: "prod".into(),
        resources: vec![ComponentManifest {
            name: "warehouse".into(),
            type_name: "Warehouse".into(),
            settings: vec![password],
        }],
        io_managers: vec![],
    };
    Manifest {
        sensors: sample_sensors(),
        schedules: sample_schedules(),
        ..Manifest::new(&sample_graph(), details, vec![prod])
    }
}

fn sample_sensors() -> Vec<SensorManifest> {
    let sensor = |name: &str, source, target: Option<&str>| SensorManifest {
        spec: SensorSpec {
            name: name.parse().unwrap(),
            source,
            target: target.map(|target| target.parse().unwrap()),
            default_status: DefaultStatus::Running,
            description: Some("what it is for".into()),
            has_function: target.is_none(),
        },
        details: TriggerDetails {
            resources: vec!["mailer".into()],
            source: Some(SourceManifest {
                file: "src/sensors.rs".into(),
                line: 7,
            }),
        },
    };
    let objects = |bucket, filter| {
        SensorSource::Objects(ObjectSensor {
            bucket,
            filter,
            min_size: 1,
            deletes: true,
        })
    };
    let variable = Bucket::Variable {
        name: "LANDING".into(),
        default: Some("landing".into()),
    };
    let between = ObjectFilter::Between {
        prefix: "in/".into(),
        suffix: ".csv".into(),
    };
    // Every source of a sensor, with and without a target.
    vec![
        sensor(
            "by_key",
            objects(
                variable,
                ObjectFilter::Key("in/{date}.csv".parse().unwrap()),
            ),
            Some("daily+"),
        ),
        sensor("by_ends", objects(Bucket::Named("b".into()), between), None),
        sensor(
            "both",
            SensorSource::Assets {
                assets: vec![asset_key("daily"), asset_key("files")],
                require: Require::Any,
            },
            None,
        ),
        sensor(
            "cleanup",
            SensorSource::Runs {
                statuses: vec![MonitoredStatus::Failed],
                of: Some("daily".parse().unwrap()),
            },
            None,
        ),
    ]
}

fn sample_schedules() -> Vec<ScheduleManifest> {
    let schedule = |name: &str, timing, catch_up| ScheduleManifest {
        spec: ScheduleSpec {
            name: name.parse().unwrap(),
            timing,
            target: Some("daily".parse().unwrap()),
            catch_up,
            default_status: DefaultStatus::Stopped,
            description: None,
            has_function: false,
        },
        details: TriggerDetails::default(),
    };
    let cron = ScheduleTiming::Cron {
        cron: "0 6 * * *".parse().unwrap(),
        timezone: chrono_tz::Europe::Berlin,
    };
    let derived = ScheduleTiming::Partitions {
        minute: None,
        hour: Some(6),
        weekday: None,
        day: None,
        timezone: Some(chrono_tz::UTC),
    };
    vec![
        schedule("nightly", cron, CatchUp::Latest),
        schedule("daily", derived, CatchUp::Within(Duration::from_secs(3600))),
    ]
}

fn schema_errors(manifest: &Value) -> Vec<String> {
    let validator = jsonschema::draft202012::new(&Manifest::schema()).unwrap();
    validator
        .iter_errors(manifest)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

#[test]
fn a_manifest_round_trips_to_the_same_graph() {
    let written = sample_manifest();
    let json = serde_json::to_string(&written).unwrap();
    let read = Manifest::from_json(&json).unwrap();
    assert_eq!(read, written);
    assert!(read.to_graph().unwrap() == sample_graph());
}

#[test]
fn a_serialized_manifest_matches_the_schema() {
    assert_eq!(
        schema_errors(&serde_json::to_value(sample_manifest()).unwrap()),
        Vec::<String>::new()
    );
}

#[test]
fn the_schema_refuses_what_deserialization_refuses() {
    let cases = [
        ("/manifest_version", json!(2)),
        ("/ops/0/assets/0/key", json!("not a key")),
        ("/ops/0/backfill", json!("sometimes")),
        ("/ops/1/retry/max_retries", json!(-1)),
        ("/sensors/0/name", json!("not a name")),
        ("/sensors/0/source/kind", json!("guesses")),
        ("/sensors/2/source/require", json!("most")),
        ("/schedules/0/timing/cron", json!(6)),
        ("/schedules/0/default_status", json!("asleep")),
        ("/dependencies/0/mapping", json!({"type": "nothing"})),
        (
            "/environments/0/resources/0/settings/0/secret",
            json!("yes"),
        ),
    ];
    for (pointer, value) in cases {
        // The schema and the types must both refuse the changed value.
        let mut changed = serde_json::to_value(sample_manifest()).unwrap();
        let at = changed.pointer_mut(pointer);
        *at.unwrap_or_else(|| panic!("{pointer} is in the manifest")) = value;
        assert!(
            !schema_errors(&changed).is_empty(),
            "the schema accepts {pointer}"
        );
        let read = serde_json::from_value::<Manifest>(changed);
        assert!(read.is_err(), "deserialization accepts {pointer}");
    }
}

#[test]
fn dependencies_mark_inferred_mappings() {
    let listed: Vec<String> = sample_manifest()
        .dependencies
        .iter()
        .map(|dep| format!("{} <- {} {}", dep.downstream, dep.upstream, dep.inferred))
        .collect();
    assert_eq!(
        listed,
        [
            "by_origin <- by_origin false",
            "by_origin <- daily true",
            "daily <- raw/landing true",
            "files <- raw/landing false",
        ]
    );
}

#[test]
fn another_version_is_refused_with_advice() {
    let error = Manifest::from_json(r#"{"manifest_version": 9, "other": 1}"#).unwrap_err();
    assert_eq!(
        error.to_string(),
        "this manifest has version 9, but this release reads version 1: write it again with \
         `describe --json` of a project built with the same release"
    );
    let message = Manifest::from_json("[]").unwrap_err().to_string();
    assert!(message.starts_with("this is not a manifest: "), "{message}");
}
