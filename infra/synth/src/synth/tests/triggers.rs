use precip_core::{
    manifest::{Manifest, ScheduleManifest, SensorManifest, SettingSource, TriggerDetails},
    trigger::{
        Bucket, CatchUp, DefaultStatus, ObjectFilter, ObjectSensor, ScheduleSpec, ScheduleTiming,
        SensorSource, SensorSpec,
    },
};
use rstest::rstest;

use super::{manifest, options, reads, setting, template};
use crate::{check::check, synth::synth};

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

fn schedule(name: &str, cron: &str, timezone: chrono_tz::Tz) -> ScheduleManifest {
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
        ..manifest()
    }
}

/// The lines of one resource.
fn resource(template: &str, id: &str) -> String {
    let begin = format!("  {id}:");
    let lines = template.lines().skip_while(|line| **line != *begin);
    let mut lines: Vec<&str> = lines.take_while(|line| !line.is_empty()).collect();
    lines.push("");
    assert!(lines.len() > 1, "there is no {id} in\n{template}");
    lines.join("\n")
}

#[test]
fn a_sensor_is_a_rule_a_queue_and_rights_to_read_its_files() {
    let manifest = with(vec![sensor("landing", variable("LANDING", None))], vec![]);
    let files = synth(&manifest, &options()).unwrap();
    assert_eq!(check(&files), []);
    let template = template(&manifest, &options());
    insta::assert_snapshot!(resource(&template, "SensorLandingRule"), @r#"
      SensorLandingRule:
        Type: AWS::Events::Rule
        Properties:
          Description: "Objects that sensor landing waits for."
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
        ConstraintDescription: has to be the name of a bucket, without s3:// before it and without a folder behind it
        Description: "Environment variable LANDING, read by sensor landing. The name of a bucket, which has to send its events to EventBridge."
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
fn a_schedule_is_its_expressions_and_a_look_after_the_clock_has_changed() {
    // The hour that New York leaves out, and either a day of the month or one of the week.
    let schedules = vec![schedule(
        "monthly",
        "30 2 1 * mon",
        chrono_tz::America::New_York,
    )];
    let manifest = with(vec![], schedules);
    let files = synth(&manifest, &options()).unwrap();
    assert_eq!(check(&files), []);
    let template = template(&manifest, &options());
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
fn a_project_that_nothing_starts_has_nothing_of_it() {
    let template = template(&manifest(), &options());
    for absent in ["Sensor", "Sweep", "Scheduler", "TickDeadLetters"] {
        assert!(!template.contains(absent), "{absent}");
    }
}

#[test]
fn a_bucket_of_a_variable_is_a_parameter_with_the_default_that_is_one() {
    let sensors = vec![
        sensor("one", variable("WITH_NAME", Some("landing-files"))),
        sensor("two", variable("WITH_FOLDER", Some("events/landing"))),
        sensor("own", variable("PRECIP_BUCKET", None)),
        sensor("fixed", Bucket::Named("reports".to_owned())),
        sensor("host", variable("WAREHOUSE_HOST", Some("warehouse-files"))),
    ];
    let template = template(&with(sensors, vec![]), &options());
    let named = resource(&template, "WithName");
    assert!(named.contains("Default: landing-files\n"), "{named}");
    let folder = resource(&template, "WithFolder");
    assert!(!folder.contains("Default:"), "{folder}");
    // A resource needs it: it has no default either.
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
    "sensor `landing` watches bucket `My_Bucket`, and no bucket of S3 has such a name: write 3 to 63 \
     lowercase letters, digits, `-` and `.`, or name a variable that holds it, like `bucket = \
     env(\"LANDING_BUCKET\")`"
)]
#[case(
    sensor("a_name_that_is_longer_than_any_queue_could_take", Bucket::Named("reports".to_owned())),
    "sensor `a_name_that_is_longer_than_any_queue_could_take` has a name of 47 characters, and that of \
     its queue has room for 40: give it a shorter one"
)]
#[case(
    sensor("landing", variable("AWS_BUCKET", None)),
    "sensor landing reads environment variable `AWS_BUCKET`, which belongs to Lambda: read another one"
)]
fn sensors_that_cannot_be_deployed_are_refused(
    #[case] sensor: SensorManifest,
    #[case] message: &str,
) {
    let error = synth(&with(vec![sensor], vec![]), &options()).unwrap_err();
    assert_eq!(error.to_string(), message);
}

#[test]
fn a_schedule_that_never_ticks_is_refused() {
    let mut odd = schedule("odd", "0 6 * * *", chrono_tz::UTC);
    // Its target has no partitions that it could follow.
    odd.spec.timing = ScheduleTiming::Partitions {
        minute: None,
        hour: Some(6),
        weekday: None,
        day: None,
        timezone: None,
    };
    let error = synth(&with(vec![], vec![odd]), &options()).unwrap_err();
    let error = error.to_string();
    assert!(
        error.starts_with("schedule `odd` cannot be deployed: "),
        "{error}"
    );
}

#[test]
fn a_project_without_environments_still_says_which_bucket() {
    let mut manifest = with(vec![sensor("landing", variable("LANDING", None))], vec![]);
    manifest.environments.clear();
    let template = template(&manifest, &crate::synth::SynthOptions::new("trips"));
    resource(&template, "Landing");
    assert!(template.contains("What the project reads"));
    // And one whose environment reads the same variable has one parameter for both.
    manifest.environments = vec![reads(
        "prod",
        vec![setting(SettingSource::Variable, "LANDING", true, false)],
    )];
    let template = super::template(&manifest, &options());
    assert_eq!(template.matches("\n  Landing:\n").count(), 1);
}
