use precip::prelude::*;

#[asset]
fn orders() -> Json<i64> {
    Json(1)
}

#[sensor(bucket = "b", target = [orders])]
fn answers_text(context: &SensorContext) -> String {
    context.sensor().to_owned()
}

#[sensor(bucket = 7, target = [orders])]
fn no_bucket(context: &SensorContext) {}

#[sensor(assets = [ordres], target = [orders])]
struct unknown_asset;

#[schedule(cron = "@daily", target = [orders])]
fn another_context(context: &SensorContext) {}

fn main() {}
