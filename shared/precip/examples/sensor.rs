//! A sensor evaluated by hand, as a unit test does it: `cargo run -p precip --example sensor`.

#![expect(clippy::print_stdout, reason = "an example prints its result")]

use precip::prelude::*;

static DAILY: LazyPartitions = partitions!(daily(start = "2024-01-01"));

/// The orders of a day.
#[asset(partitions = DAILY)]
fn orders(context: &AssetContext) -> Result<Json<String>, AssetError> {
    Ok(Json(format!("orders of {}", context.partition_key()?)))
}

/// Requests the partition of a file, unless the file is a draft.
#[sensor(bucket = "landing", prefix = "orders/", suffix = ".csv", target = [orders])]
fn new_orders(context: &SensorContext) -> Result<RunRequest, Skip> {
    let object = context
        .object()
        .map_err(|error| Skip::because(error.to_string()))?;
    let name = object
        .key
        .trim_start_matches("orders/")
        .trim_end_matches(".csv");
    if name.starts_with("draft-") {
        return Err(Skip::because(format!("{} is a draft", object.key)));
    }
    context.update_cursor(&object.key);
    Ok(RunRequest::partition(name).tag("file", &object.key))
}

fn main() -> Result<(), InvalidDefinitions> {
    let definitions = Definitions::builder()
        .asset::<orders>()
        .sensor::<new_orders>()
        .build()?;
    println!("{} sensor declared", definitions.sensors().len());

    for key in ["orders/2024-01-31.csv", "orders/draft-2024-02-01.csv"] {
        let context = SensorContext::builder().object_key(key).build();
        match new_orders(&context) {
            Ok(request) => println!("{key}: requests {:?}", request.partitions),
            Err(Skip(reason)) => println!("{key}: skipped, since {reason}"),
        }
    }

    let context = SensorContext::builder()
        .object_key("orders/2024-01-31.csv")
        .build();
    let request = new_orders(&context).expect("a complete file requests a run");
    assert!(request.partitions.contains("2024-01-31"));
    assert_eq!(context.cursor().as_deref(), Some("orders/2024-01-31.csv"));
    Ok(())
}
