//! A project with sensors of files, and a schedule.

use precip::core::trigger::{
    Bucket, CatchUp, DefaultStatus, ObjectFilter, ObjectSensor, ScheduleSpec, ScheduleTiming,
    SensorSource, SensorSpec,
};
use precip_graphs::description::{Dep, Keys, Node, Project};

/// The number of daily partitions.
pub(crate) const DAYS: usize = 10_027;
/// The first day.
const FIRST_DAY: &str = "1998-11-01";
/// The day after the last.
const END: &str = "2026-04-15";

/// Returns a daily asset.
fn daily_asset(key: &str, deps: &[&str]) -> Node {
    Node {
        key: key.to_owned(),
        keys: Keys::Daily(FIRST_DAY.to_owned(), END.to_owned()),
        deps: deps
            .iter()
            .map(|asset| Dep {
                asset: (*asset).to_owned(),
                mapping: None,
            })
            .collect(),
        batch: Some(1_000),
        ..Node::default()
    }
}

/// Returns a sensor of files `landing/NAME/{date}.csv` in the project's own bucket.
pub(crate) fn object_sensor(name: &str, target: &str, status: DefaultStatus) -> SensorSpec {
    SensorSpec {
        name: name.parse().unwrap(),
        source: SensorSource::Objects(ObjectSensor {
            bucket: Bucket::Variable {
                name: "PRECIP_BUCKET".to_owned(),
                default: None,
            },
            filter: ObjectFilter::Key(format!("landing/{name}/{{date}}.csv").parse().unwrap()),
            min_size: 1,
            deletes: false,
        }),
        target: Some(target.parse().unwrap()),
        default_status: status,
        description: None,
        has_function: false,
    }
}

/// Returns the project: daily `orders` and `clicks`, `joined` from orders, and `report` from that.
pub(crate) fn trigger_project() -> Project {
    let nightly = ScheduleSpec {
        name: "nightly".parse().unwrap(),
        timing: ScheduleTiming::Cron {
            cron: "0 0 * * *".parse().unwrap(),
            timezone: "UTC".parse().unwrap(),
        },
        target: Some("key:summary".parse().unwrap()),
        catch_up: CatchUp::Latest,
        default_status: DefaultStatus::Running,
        description: None,
        has_function: false,
    };
    let summary = Node {
        key: "summary".to_owned(),
        ..Node::default()
    };
    Project {
        assets: vec![
            daily_asset("orders", &[]),
            daily_asset("clicks", &[]),
            daily_asset("joined", &["orders"]),
            daily_asset("report", &["joined"]),
            summary,
        ],
        sensors: vec![
            object_sensor("orders", "key:orders+", DefaultStatus::Running),
            object_sensor("clicks", "key:clicks", DefaultStatus::Stopped),
        ],
        schedules: vec![nightly],
        ..Project::default()
    }
}

/// Returns the first days.
pub(crate) fn first_days(count: usize) -> Vec<String> {
    let Some(definition) = trigger_project().assets[0]
        .keys
        .partitions_definition()
        .unwrap()
    else {
        panic!("the asset is partitioned");
    };
    let at = "2027-01-01T00:00:00Z".parse().unwrap();
    let context = precip::core::partitions::PartitionContext::at(at);
    let all = definition.all(&context);
    let keys: Vec<String> = definition
        .keys(&all, &context)
        .take(count)
        .map(|key| key.to_string())
        .collect();
    assert_eq!(keys.len(), count);
    keys
}
