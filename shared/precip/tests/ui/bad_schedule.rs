use precip::prelude::*;

#[asset]
fn orders() -> Json<i64> {
    Json(1)
}

#[schedule(cron = "0 25 * * *", target = "orders")]
struct bad_hour;

#[schedule(cron = "0 6 * * *", timezone = "Europe/Berlni", target = "orders")]
struct bad_zone;

#[schedule(target = "orders")]
struct never;

#[schedule(cron = "@daily", from_partitions, target = "orders")]
struct twice;

#[schedule(from_partitions(hour = 24), target = "orders")]
struct bad_place;

#[schedule(from_partitions(weekday = monday), target = "orders")]
struct bad_weekday;

#[schedule(cron = "@daily", catch_up = some, target = "orders")]
struct bad_catch_up;

#[schedule(cron = "@daily", catch_up = within("6 apples"), target = "orders")]
struct bad_age;

#[schedule(cron = "@daily", name = "my schedule", target = "orders")]
struct bad_name;

#[schedule(cron = "@daily")]
struct makes_nothing;

fn main() {}
