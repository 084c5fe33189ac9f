//! Resources for reactions to changes of the record.

use std::{sync::Arc, time::Duration};

use precip_core::{
    automation::AutomationCondition,
    freshness::FreshnessPolicy,
    manifest::{OpDetails, SensorManifest, TriggerDetails},
    mapping::PartitionMapping,
    partitions::TimeWindowPartitions,
    spec::{AssetSpec, DepSpec, OpSpec},
    trigger::{DefaultStatus, MonitoredStatus, SensorSource, SensorSpec},
};

use super::{triggers::schedule, *};

fn asset() -> AssetSpec {
    AssetSpec::new("mart".parse().unwrap())
}

fn project(asset: AssetSpec) -> Manifest {
    let graph = AssetGraph::new(vec![OpSpec::single(asset)], vec![]).unwrap();
    Manifest::new(&graph, |_| OpDetails::default(), vec![])
}

fn generated(manifest: &Manifest) -> String {
    let options = SynthOptions::new("trips");
    let files = synth(manifest, &options).unwrap();
    assert_eq!(check_files(&files), []);
    generated_template(manifest, &options)
}

/// Returns the parts of a template that exist for reactions.
fn parts(manifest: &Manifest) -> Vec<&'static str> {
    let template = generated(manifest);
    let candidates = [
        "states:StartExecution\n                Resource: !Ref Run\n",
        "scheduler:CreateSchedule",
        "iam:PassRole",
        "TickGroup:",
        "Deployed:",
        "sns:Publish",
        "FreshnessTopic:",
        r#""status":{"S":["succeeded","failed","canceled"]}"#,
        r#"{"prefix":"D#"}"#,
        "Default: 3\n",
    ];
    candidates
        .into_iter()
        .filter(|part| template.contains(part))
        .collect()
}

#[test]
fn a_project_without_reactions_has_no_resources_for_them() {
    // Only people read the status, so the reactor may wait for larger batches.
    assert_eq!(parts(&project(asset())), ["Default: 3\n"]);
}

#[test]
fn conditions_without_time_need_no_tick() {
    let eager = AssetSpec {
        automation: Some(AutomationCondition::eager()),
        ..asset()
    };
    let found = parts(&project(eager));
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found[0].contains("StartExecution"), "{found:?}");
    assert!(
        found[1].contains("succeeded") && found[2].contains("D#"),
        "{found:?}"
    );
}

#[test]
fn windows_and_cron_conditions_need_ticks() {
    let daily = TimeWindowPartitions::daily("2024-01-01").build().unwrap();
    let by_window = AssetSpec {
        automation: Some(AutomationCondition::eager()),
        partitions: Some(Arc::new(daily.into())),
        ..asset()
    };
    let by_cron = AssetSpec {
        automation: Some(AutomationCondition::on_cron("0 6 * * *", "UTC")),
        ..asset()
    };
    for asset in [by_window, by_cron] {
        let found = parts(&project(asset));
        for part in [
            "scheduler:CreateSchedule",
            "iam:PassRole",
            "TickGroup:",
            "Deployed:",
        ] {
            assert!(found.contains(&part), "{part} in {found:?}");
        }
        assert!(!found.contains(&"sns:Publish"), "{found:?}");
    }
}

#[test]
fn freshness_has_a_topic_and_starts_no_runs() {
    let hour = Duration::from_secs(3_600);
    let fresh = AssetSpec {
        freshness: Some(FreshnessPolicy::time_window(hour, None).unwrap()),
        ..asset()
    };
    let manifest = project(fresh);
    let found = parts(&manifest);
    let expected = [
        "scheduler:CreateSchedule",
        "iam:PassRole",
        "TickGroup:",
        "Deployed:",
        "sns:Publish",
        "FreshnessTopic:",
    ];
    assert_eq!(found, expected);
    let template = generated(&manifest);
    assert!(
        template.contains("schedule/${AWS::StackName}-ticks/tick-*"),
        "{template}"
    );
    assert!(template.contains("StringEquals: { iam:PassedToService: scheduler.amazonaws.com }"));
    assert!(template.lines().all(|line| line.trim_end() == line));
}

#[test]
fn a_sensor_of_runs_receives_their_ends_and_may_open_its_resources() {
    let mut manifest = project(asset());
    manifest.sensors.push(SensorManifest {
        spec: SensorSpec {
            name: "tells".parse().unwrap(),
            source: SensorSource::Runs {
                statuses: vec![MonitoredStatus::Failed],
                of: None,
            },
            target: Some("mart".parse().unwrap()),
            default_status: DefaultStatus::Running,
            description: None,
            has_function: true,
        },
        details: TriggerDetails::default(),
    });
    let found = parts(&manifest);
    assert_eq!(found.len(), 2, "{found:?}");
    // Its function takes a resource whose secret the reactor has to read.
    manifest.environments = vec![environment_with(
        "prod",
        vec![setting_manifest(
            SettingSource::SecretsManager,
            "chat/token",
            false,
            true,
        )],
    )];
    manifest.sensors[0].details.resources = vec!["chat".to_owned()];
    let template = generated(&manifest);
    let (_, from_role) = template.split_once("ReactorRole:").unwrap();
    let (role, _) = from_role.split_once("ReactorLog:").unwrap();
    assert!(role.contains("secret:chat/token"), "{role}");
}

/// A run of a schedule may wait for a window of `hours`. The reactor launches it when the window exists.
#[test]
fn a_run_of_a_schedule_that_may_wait_is_launched_by_the_reactor() {
    let daily = |key: &str| {
        let windows = TimeWindowPartitions::daily("2024-01-01").build().unwrap();
        AssetSpec {
            partitions: Some(Arc::new(windows.into())),
            ..AssetSpec::new(key.parse().unwrap())
        }
    };
    for (end_offset, waits) in [(0, false), (1, true)] {
        let mut trend = daily("trend");
        trend.deps = vec![DepSpec {
            mapping: Some(PartitionMapping::TimeWindow {
                start_offset: 0,
                end_offset,
                allow_nonexistent_upstream_partitions: !waits,
            }),
            ..DepSpec::new("hours".parse().unwrap())
        }];
        let ops = [daily("hours"), trend].map(OpSpec::single);
        let graph = AssetGraph::new(ops.into(), vec![]).unwrap();
        let mut manifest = Manifest::new(&graph, |_| OpDetails::default(), vec![]);
        let mut nightly = schedule("nightly", "0 2 * * *", chrono_tz::UTC);
        nightly.spec.target = Some("trend".parse().unwrap());
        manifest.schedules.push(nightly);
        let found = parts(&manifest);
        for part in ["scheduler:CreateSchedule", "iam:PassRole", "TickGroup:"] {
            assert_eq!(found.contains(&part), waits, "{part} in {found:?}");
        }
        let template = generated(&manifest);
        let filter =
            r#"{"dynamodb":{"Keys":{"pk":{"S":["S#automation:waiting"]},"sk":{"S":["state"]}}}}"#;
        assert_eq!(template.contains(filter), waits);
        let (_, from_role) = template.split_once("ReactorRole:").unwrap();
        let (role, _) = from_role.split_once("ReactorLog:").unwrap();
        assert_eq!(role.contains("StartExecution"), waits, "{role}");
    }
}
