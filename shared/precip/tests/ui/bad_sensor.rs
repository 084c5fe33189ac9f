use precip::prelude::*;

#[asset]
fn orders() -> Json<i64> {
    Json(1)
}

#[sensor(bucket = "b", key = "orders/{date", target = "orders")]
struct unclosed;

#[sensor(bucket = "b", key = "orders/*", prefix = "orders/", target = "orders")]
struct both_ways;

#[sensor(bucket = "b", target = "orders")]
struct which_objects;

#[sensor(target = "orders")]
struct waits_for_nothing;

#[sensor(bucket = "b", key = "*")]
struct makes_nothing;

#[sensor(bucket = "b", key = "*", target = "orders and")]
struct bad_target;

#[sensor(bucket = "b", key = "*", target = "orders", status = on)]
struct bad_status;

#[sensor(bucket = "b", assets = [orders], target = "orders")]
struct two_kinds;

#[sensor(runs = [broken])]
fn bad_run_status(context: &SensorContext) {}

#[sensor(runs = [failed], target = "orders")]
struct no_function;

#[sensor(buckets = "b")]
struct unknown_option;

#[sensor(bucket = "b", key = "*", target = "orders")]
struct with_fields {
    field: i64,
}

#[sensor(bucket = "b")]
fn takes_data(context: &SensorContext, orders: i64) -> RunRequest {
    RunRequest::new()
}

fn main() {}
