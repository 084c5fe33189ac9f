//! A project whose runs are started by files and by time.

use precip::core::trigger::{
    Bucket, CatchUp, DefaultStatus, ObjectFilter, ObjectSensor, ScheduleSpec, ScheduleTiming,
    SensorSource, SensorSpec,
};
use precip_graphs::description::{Dep, Keys, Node, Project};

/// The days that assets are divided by: this many.
pub(crate) const DAYS: usize = 10_027;
const FIRST: &str = "1998-11-01";
const BEHIND: &str = "2026-04-15";

fn asset(key: &str, deps: &[&str]) -> Node {
    Node {
        key: key.to_owned(),
        keys: Keys::Daily(FIRST.to_owned(), BEHIND.to_owned()),
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

/// A sensor of files `landing/NAME/{date}.csv` in the project's own bucket.
pub(crate) fn sensor(name: &str, target: &str, status: DefaultStatus) -> SensorSpec {
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

/// `orders` and `clicks` of each day; `joined` is made from both, and a `report` of its day from that.
pub(crate) fn project() -> Project {
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
            asset("orders", &[]),
            asset("clicks", &[]),
            asset("joined", &["orders"]),
            asset("report", &["joined"]),
            summary,
        ],
        sensors: vec![
            sensor("orders", "key:orders+", DefaultStatus::Running),
            sensor("clicks", "key:clicks", DefaultStatus::Stopped),
        ],
        schedules: vec![nightly],
        ..Project::default()
    }
}

/// The first days.
pub(crate) fn days(count: usize) -> Vec<String> {
    let Some(definition) = project().assets[0].keys.definition().unwrap() else {
        panic!("it is divided");
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
