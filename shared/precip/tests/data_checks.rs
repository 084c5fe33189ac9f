//! Checks over data, run with the assets that they are about.

use precip::{
    checks::{not_null, row_count, unique},
    data_checks,
    engine::state::CheckOutcome,
    prelude::*,
    testing,
};
use serde::{Deserialize, Serialize};

static DAYS: LazyPartitions = partitions!(static("1", "2"));

#[derive(Serialize, Deserialize)]
struct Flight {
    carrier: Option<String>,
    flight: i32,
}

/// On the second day, one flight has no carrier.
#[asset(partitions = DAYS)]
fn flights(context: &AssetContext) -> Result<Vec<Flight>, AssetError> {
    let is_first = context.partition_key()?.as_str() == "1";
    let flight = |flight| Flight {
        carrier: (is_first || flight == 1).then(|| "UA".to_owned()),
        flight,
    };
    Ok(vec![flight(1), flight(2)])
}

#[asset(partitions = DAYS)]
fn counted(flights: Vec<Flight>) -> Json<usize> {
    Json(flights.len())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_looks_at_its_partition_and_stops_what_is_downstream_if_it_blocks() {
    let project = Definitions::builder()
        .asset::<flights>()
        .asset::<counted>()
        .declare(data_checks::<flights>([
            row_count(1..),
            not_null("carrier").blocking(),
            unique(["flight", "gate"]).warn(),
        ]));
    let run = testing::materialize(project)
        .select("key:flights or key:counted")
        .partitions("all")
        .run()
        .await
        .unwrap();
    for (day, has_carriers) in [("1", true), ("2", false)] {
        let mut found = run.checks::<flights>(Some(day)).await.unwrap();
        found.sort_by(|a, b| a.check.name.cmp(&b.check.name));
        let found: Vec<(&str, bool)> = found
            .iter()
            .map(|check| {
                let passed = check.outcome == CheckOutcome::Passed;
                (check.check.name.as_str(), passed)
            })
            .collect();
        let expected = [
            ("not_null_carrier", has_carriers),
            ("row_count", true),
            // There is no such column, which a check says instead of passing.
            ("unique_flight_gate", false),
        ];
        assert_eq!(found, expected, "day {day}");
        let downstream = run.value::<counted, Json<usize>>(Some(day)).await;
        assert_eq!(downstream.is_ok(), has_carriers, "day {day}");
    }
}
