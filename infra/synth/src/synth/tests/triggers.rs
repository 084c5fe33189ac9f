use precip_core::{
    manifest::{Manifest, ScheduleManifest, SensorManifest, SettingSource, TriggerDetails},
    trigger::{
        Bucket, CatchUp, DefaultStatus, ObjectFilter, ObjectSensor, ScheduleSpec, ScheduleTiming,
        SensorSource, SensorSpec,
    },
};
use rstest::rstest;

use super::{environment_with, generated_template, setting_manifest, test_manifest, test_options};
use crate::{check::check_files, synth::synth};

fn variable(name: &str, default: Option<&str>) -> Bucket {
    Bucket::Variable {
        name: name.to_owned(),
        default: default.map(str::to_owned),
    }
}

fn sensor(name: &str, bucket: Bucket) -> SensorManifest {
    SensorManifest {
        spec: SensorSpec {
            name: name.parse().unwrap(),
            source: SensorSource::Objects(ObjectSensor {
                bucket,
                filter: ObjectFilter::Key("in/{date}/report.csv".parse().unwrap()),
                min_size: 1,
                deletes: false,
            }),
            target: Some("report".parse().unwrap()),
            default_status: DefaultStatus::Running,
            description: None,
            has_function: true,
        },
        details: TriggerDetails::default(),
    }
}

pub(super) fn schedule(name: &str, cron: &str, timezone: chrono_tz::Tz) -> ScheduleManifest {
    ScheduleManifest {
        spec: ScheduleSpec {
            name: name.parse().unwrap(),
            timing: ScheduleTiming::Cron {
                cron: cron.parse().unwrap(),
                timezone,
            },
            target: Some("report".parse().unwrap()),
            catch_up: CatchUp::Latest,
            default_status: DefaultStatus::Running,
            description: None,
            has_function: false,
        },
        details: TriggerDetails::default(),
    }
}

fn with(sensors: Vec<SensorManifest>, schedules: Vec<ScheduleManifest>) -> Manifest {
    Manifest {
        sensors,
        schedules,
        ..test_manifest()
    }
}

/// Returns the lines of one resource.
fn resource(template: &str, id: &str) -> String {
    let begin = format!("  {id}:");
    let mut lines: Vec<&str> = template
        .lines()
        .skip_while(|line| **line != *begin)
        .take_while(|line| !line.is_empty())
        .collect();
    lines.push("");
    assert!(lines.len() > 1, "there is no {id} in\n{template}");
    lines.join("\n")
}

#[test]
fn a_sensor_is_a_rule_a_queue_and_permissions_to_read_its_files() {
    let manifest = with(vec![sensor("landing", variable("LANDING", None))], vec![]);
    let files = synth(&manifest, &test_options()).unwrap();
    assert_eq!(check_files(&files), []);
    let template = generated_template(&manifest, &test_options());
    insta::assert_snapshot!(resource(&template, "SensorLandingRule"), @r#"
      SensorLandingRule:
        Type: AWS::Events::Rule
        Properties:
          Description: "Objects of sensor landing."
          EventPattern:
            source: [aws.s3]
            detail-type: [Object Created]
            detail:
              bucket: { name: [!Ref Landing] }
              object: {"key":[{"wildcard":"in/*/report.csv"}],"size":[{"numeric":[">=",1]}]}
          Targets:
            - { Id: Queue, Arn: !GetAtt SensorLandingQueue.Arn }
    "#);
    insta::assert_snapshot!(resource(&template, "Landing"), @r#"
      Landing:
        Type: String
        AllowedPattern: "[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
        ConstraintDescription: must be the name of a bucket, without s3:// and without a folder
        Description: "Environment variable LANDING, read by sensor landing. The name of a bucket that sends its events to EventBridge."
    "#);
    for expected in [
        "QueueName: !Sub ${AWS::StackName}-sensor-landing",
        "aws:SourceArn: !GetAtt SensorLandingRule.Arn",
        r#"Resource: !Sub "arn:${AWS::Partition}:s3:::${Landing}""#,
        r#"Resource: [!Sub "arn:${AWS::Partition}:s3:::${Landing}/in/*"]"#,
        r#"Condition: { StringLike: { s3:prefix: "in/*" } }"#,
        "          LANDING: !Ref Landing",
        "ScheduleExpression: !Ref SweepEvery",
        r#"Input: '{"sweep":"*"}'"#,
        "FunctionResponseTypes: [ReportBatchItemFailures]",
    ] {
        assert!(template.contains(expected), "{expected} in\n{template}");
    }
    assert!(template.lines().all(|line| line.trim_end() == line));
}

#[test]
fn a_schedule_is_its_expressions_and_a_check_after_changes_of_the_clock() {
    // An hour that New York skips once a year, and both a day of the month and of the week: two
    // expressions, and a check after the change of the clock.
    let schedules = vec![schedule(
        "monthly",
        "30 2 1 * mon",
        chrono_tz::America::New_York,
    )];
    let manifest = with(vec![], schedules);
    let files = synth(&manifest, &test_options()).unwrap();
    assert_eq!(check_files(&files), []);
    let template = generated_template(&manifest, &test_options());
    insta::assert_snapshot!(resource(&template, "ScheduleMonthly"), @r#"
      ScheduleMonthly:
        Type: AWS::Scheduler::Schedule
        Properties:
          Description: "Ticks of schedule monthly."
          ScheduleExpression: cron(30 2 1 * ? *)
          ScheduleExpressionTimezone: America/New_York
          FlexibleTimeWindow: { Mode: "OFF" }
          Target:
            Arn: !GetAtt Sensor.Arn
            RoleArn: !GetAtt SchedulerRole.Arn
            Input: '{"schedule":"monthly","scheduled_for":"<aws.scheduler.scheduled-time>","execution":"<aws.scheduler.execution-id>","attempt":"<aws.scheduler.attempt-number>"}'
            RetryPolicy: { MaximumRetryAttempts: 20, MaximumEventAgeInSeconds: 7200 }
            DeadLetterConfig: { Arn: !GetAtt TickDeadLetters.Arn }
    "#);
    let second = resource(&template, "ScheduleMonthly2");
    assert!(second.contains("cron(30 2 ? * MON *)"), "{second}");
    let guard = resource(&template, "ScheduleMonthlyAfterChange");
    assert!(
        guard.contains(r#"Input: '{"schedule":"monthly"}'"#),
        "{guard}"
    );
    // No sensors: no queues, no sweeps.
    assert!(!template.contains("SweepEvery") && !template.contains("SensorDeadLetters"));
}

#[test]
fn a_project_without_triggers_has_no_resources_for_them() {
    let template = generated_template(&test_manifest(), &test_options());
    for absent in ["Sensor", "Sweeps", "Scheduler", "TickDeadLetters"] {
        assert!(!template.contains(absent), "{absent}");
    }
}

#[test]
fn a_bucket_variable_is_a_parameter_with_its_default_if_that_is_a_bucket() {
    let sensors = vec![
        sensor("one", variable("WITH_NAME", Some("landing-files"))),
        sensor("two", variable("WITH_FOLDER", Some("events/landing"))),
        sensor("own", variable("PRECIP_BUCKET", None)),
        sensor("fixed", Bucket::Named("reports".to_owned())),
        sensor("host", variable("WAREHOUSE_HOST", Some("warehouse-files"))),
    ];
    let template = generated_template(&with(sensors, vec![]), &test_options());
    let named = resource(&template, "WithName");
    assert!(named.contains("Default: landing-files\n"), "{named}");
    let folder = resource(&template, "WithFolder");
    assert!(!folder.contains("Default:"), "{folder}");
    // A resource requires the variable, so it has no default.
    let shared = resource(&template, "WarehouseHost");
    assert!(!shared.contains("Default:"), "{shared}");
    assert!(
        shared.contains("read by resource warehouse, sensor host."),
        "{shared}"
    );
    let own = resource(&template, "SensorOwnRule");
    assert!(own.contains("bucket: { name: [!Ref Bucket] }"), "{own}");
    let fixed = resource(&template, "SensorFixedRule");
    assert!(
        fixed.contains(r#"bucket: { name: ["reports"] }"#),
        "{fixed}"
    );
}

#[rstest]
#[case(
    sensor("landing", Bucket::Named("My_Bucket".to_owned())),
    "sensor `landing` watches bucket `My_Bucket`, which is not valid in S3: write 3 to 63 \
     lowercase letters, digits, `-` and `.`, or name a variable that holds it, like `bucket = \
     env(\"LANDING_BUCKET\")`"
)]
#[case(
    sensor("a_name_that_is_longer_than_any_queue_could_take", Bucket::Named("reports".to_owned())),
    "sensor `a_name_that_is_longer_than_any_queue_could_take` has a name of 47 characters, but the name \
     of its queue has room for 40: give it a shorter one"
)]
#[case(
    sensor("landing", variable("AWS_BUCKET", None)),
    "sensor landing reads environment variable `AWS_BUCKET`, which belongs to Lambda: read another one"
)]
fn sensors_that_cannot_be_deployed_are_refused(
    #[case] sensor: SensorManifest,
    #[case] message: &str,
) {
    let error = synth(&with(vec![sensor], vec![]), &test_options()).unwrap_err();
    assert_eq!(error.to_string(), message);
}

#[test]
fn a_schedule_that_never_ticks_is_refused() {
    let mut odd = schedule("odd", "0 6 * * *", chrono_tz::UTC);
    // Its target has no time windows to follow.
    odd.spec.timing = ScheduleTiming::Partitions {
        minute: None,
        hour: Some(6),
        weekday: None,
        day: None,
        timezone: None,
    };
    let error = synth(&with(vec![], vec![odd]), &test_options()).unwrap_err();
    let message = error.to_string();
    assert!(
        message.starts_with("schedule `odd` cannot be deployed: "),
        "{message}"
    );
}

#[test]
fn a_project_without_environments_has_parameters_for_buckets() {
    let mut manifest = with(vec![sensor("landing", variable("LANDING", None))], vec![]);
    manifest.environments.clear();
    let template = generated_template(&manifest, &crate::synth::SynthOptions::new("trips"));
    resource(&template, "Landing");
    assert!(template.contains("Variables of the project"));
    // An environment that reads the same variable shares the parameter.
    manifest.environments = vec![environment_with(
        "prod",
        vec![setting_manifest(
            SettingSource::Variable,
            "LANDING",
            true,
            false,
        )],
    )];
    let template = super::generated_template(&manifest, &test_options());
    assert_eq!(template.matches("\n  Landing:\n").count(), 1);
}
