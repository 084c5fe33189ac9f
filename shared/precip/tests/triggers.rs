//! Declarations by `#[sensor]` and `#[schedule]`.

use std::sync::Arc;

use precip::{
    core::trigger::{
        Bucket, CatchUp, DefaultStatus, MonitoredStatus, ObjectFilter, Require, ScheduleTiming,
        SensorSource,
    },
    engine::{asset::Resources, definitions::Declaration, definitions::Declares},
    prelude::*,
};

static DAILY: LazyPartitions = partitions!(daily(start = "2024-01-01"));

/// Orders of a day.
#[asset(partitions = DAILY)]
fn orders() -> Json<i64> {
    Json(1)
}

/// Clicks of a day.
#[asset(partitions = DAILY)]
fn clicks() -> Json<i64> {
    Json(2)
}

/// Files of orders as they land.
#[sensor(
    bucket = env("LANDING").or("events/landing"),
    key = "orders/{date}.csv",
    target = "orders+",
    status = running,
    min_size = 1,
)]
struct landing_orders;

trait Mailer: Send + Sync {
    fn address(&self) -> &str;
}

struct Fixed;

impl Mailer for Fixed {
    fn address(&self) -> &str {
        "ops@example.com"
    }
}

/// A sensor whose name is not the function's.
#[sensor(name = "other", bucket = "b", suffix = ".csv", target = [orders, clicks], deletes)]
async fn by_function(
    context: SensorContext,
    #[resource] mailer: Arc<dyn Mailer>,
    #[resource] limit: &u32,
) -> Result<Vec<RunRequest>, AssetError> {
    let key = context.object()?.key.clone();
    let requests = (0..*limit).map(|number| {
        RunRequest::partition("2024-01-01").run_key(format!("{}{key}{number}", mailer.address()))
    });
    Ok(requests.collect())
}

#[sensor(assets = [orders, clicks], require = any, target = "orders")]
struct both;

#[sensor(runs = [failed, canceled], of = "orders+")]
fn after(context: &SensorContext) -> Result<Skip, AssetError> {
    Ok(Skip::because(format!(
        "run {} needs no reaction",
        context.run()?.id
    )))
}

#[schedule(from_partitions(hour = 6, minute = 30, timezone = "Europe/Berlin"), target = "orders+", status = running)]
struct each_day;

#[schedule(cron = "0 8 * * mon-fri", timezone = "Asia/Tokyo", target = "orders", catch_up = within("6h"))]
fn weekdays(context: &ScheduleContext) -> Option<RunRequest> {
    context
        .partitions()
        .first()
        .map(|key| RunRequest::partition(key.clone()))
}

fn test_definitions() -> Definitions {
    Definitions::builder()
        .discover()
        .resource("mailer", Arc::new(Fixed) as Arc<dyn Mailer>)
        .resource("limit", 2_u32)
        .build()
        .expect("the definitions fit together")
}

#[test]
fn sensors_are_discovered_with_their_options() {
    let definitions = test_definitions();
    let names: Vec<&str> = definitions
        .sensors()
        .map(|sensor| sensor.name().as_str())
        .collect();
    assert_eq!(names, ["after", "both", "landing_orders", "other"]);
    let landing = &definitions.sensor("landing_orders").unwrap().spec;
    let SensorSource::Objects(objects) = &landing.source else {
        panic!("{landing:?}");
    };
    let bucket = Bucket::Variable {
        name: "LANDING".to_owned(),
        default: Some("events/landing".to_owned()),
    };
    assert_eq!((&objects.bucket, objects.min_size), (&bucket, 1));
    assert_eq!(landing.default_status, DefaultStatus::Running);
    assert_eq!(
        landing.description.as_deref(),
        Some("Files of orders as they land.")
    );
    assert!(!landing.has_function);
    let other = definitions.sensor("other").unwrap();
    let SensorSource::Objects(objects) = &other.spec.source else {
        panic!("{other:?}");
    };
    let between = ObjectFilter::Between {
        prefix: String::new(),
        suffix: ".csv".to_owned(),
    };
    assert_eq!((&objects.filter, objects.deletes), (&between, true));
    let target = other.spec.target.as_ref().unwrap().to_string();
    assert_eq!(target, "key:\"orders\" or key:\"clicks\"");
    let needs: Vec<&str> = other
        .resources
        .iter()
        .map(|need| need.name.as_str())
        .collect();
    assert_eq!(needs, ["mailer", "limit"]);
    assert_eq!(
        definitions.sensor("both").unwrap().spec.source,
        SensorSource::Assets {
            assets: vec!["orders".parse().unwrap(), "clicks".parse().unwrap()],
            require: Require::Any,
        }
    );
    assert_eq!(
        definitions.sensor("after").unwrap().spec.source,
        SensorSource::Runs {
            statuses: vec![MonitoredStatus::Failed, MonitoredStatus::Canceled],
            of: Some("orders+".parse().unwrap()),
        }
    );
}

#[test]
fn schedules_are_discovered_with_their_options() {
    let definitions = test_definitions();
    let each_day = definitions.schedule("each_day").unwrap();
    let ticking = each_day.spec.resolve(definitions.graph()).unwrap();
    assert_eq!(ticking.cron().to_string(), "30 6 * * * (Europe/Berlin)");
    let weekdays = &definitions.schedule("weekdays").unwrap().spec;
    let ScheduleTiming::Cron { cron, timezone } = &weekdays.timing else {
        panic!("{weekdays:?}");
    };
    assert_eq!(
        (cron.as_str(), timezone.name()),
        ("0 8 * * mon-fri", "Asia/Tokyo")
    );
    assert_eq!(
        weekdays.catch_up,
        CatchUp::Within(std::time::Duration::from_secs(6 * 3600))
    );
    assert_eq!(weekdays.default_status, DefaultStatus::Stopped);
}

#[tokio::test]
async fn functions_can_be_called_directly_and_by_the_engine() {
    let context = SensorContext::builder().object_key("in/a.csv").build();
    let direct = by_function(context.clone(), Arc::new(Fixed), &1)
        .await
        .unwrap();
    assert_eq!(
        direct[0].run_key.as_deref(),
        Some("ops@example.comin/a.csv0")
    );
    let Declaration::Sensor(sensor) = by_function::declare() else {
        panic!("a sensor is declared");
    };
    let resources = Resources::new()
        .with("mailer", Arc::new(Fixed) as Arc<dyn Mailer>)
        .with("limit", 2_u32);
    let answer = sensor.function.unwrap()(context.clone(), &resources)
        .await
        .unwrap();
    assert_eq!(answer.requests.len(), 2);
    // A call without its resources fails, and names the missing one.
    let missing = sensor.function.unwrap()(context, &Resources::new())
        .await
        .unwrap_err();
    assert!(
        missing
            .to_string()
            .contains("there is no resource `mailer`"),
        "{missing}"
    );

    let context = ScheduleContext::builder().partition("2024-01-31").build();
    assert_eq!(
        weekdays(&context),
        Some(RunRequest::partition("2024-01-31"))
    );
}

#[test]
fn the_manifest_lists_sensors_and_schedules() {
    let manifest = serde_json::to_value(test_definitions().manifest()).unwrap();
    assert_eq!(
        manifest["sensors"][2]["source"]["filter"]["key"],
        "orders/{date}.csv"
    );
    assert_eq!(manifest["schedules"][0]["timing"]["hour"], 6);
    let file = manifest["schedules"][0]["declared_at"]["file"]
        .as_str()
        .unwrap();
    assert!(file.ends_with("triggers.rs"), "{file}");
}
