//! Checks over data, run with the assets that they are about.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use precip::{
    checks::{not_null, row_count, unique},
    core::spec::CheckSpec,
    data_checks,
    engine::{definitions::Declaration, state::CheckOutcome},
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
#[asset(
    partitions = DAYS,
    checks = [
        row_count(1..),
        not_null("carrier").blocking(),
        unique(["flight", "gate"]).warn(),
    ],
)]
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
    let project = Definitions::builder().asset::<flights>().asset::<counted>();
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

/// What is known of the checks of an asset: name, whether it blocks, and what it looks for.
fn of(project: precip::engine::definitions::DefinitionsBuilder, asset: &str) -> Vec<CheckSpec> {
    let definitions = project.build().unwrap();
    let graph = definitions.graph();
    let checks = graph.checks().map(|(_, check)| check.clone());
    checks
        .filter(|check| check.key.asset.as_str() == asset)
        .collect()
}

const KEY: [&str; 1] = ["value"];

/// Two assets of one op, of which one has a check over its data and one whose result the function returns.
#[multi_asset(outputs(
    even(checks = [row_count(..=2), unique(KEY), not_empty(blocking)]),
    odd,
))]
fn halves() -> (Output<Vec<i64>>, Vec<i64>) {
    let even = Output::new(vec![2]).check(CheckResult::pass().named("not_empty"));
    (even, vec![1])
}

#[test]
fn checks_stand_at_the_asset_and_come_with_it() {
    let declared = of(Definitions::builder().asset::<flights>(), "flights");
    let apart = data_checks::<flights>([
        row_count(1..),
        not_null("carrier").blocking(),
        unique(["flight", "gate"]).warn(),
    ]);
    let apart = apart.into_iter().map(|declaration| match declaration {
        Declaration::Op(op) => op.spec.checks[0].clone(),
        other => panic!("{other:?}"),
    });
    let mut apart: Vec<CheckSpec> = apart.collect();
    apart.sort_by(|a, b| a.key.cmp(&b.key));
    assert_eq!(declared, apart);
    let blocking: Vec<bool> = declared.iter().map(|check| check.blocking).collect();
    assert_eq!(blocking, [true, false, false]);

    // Found by itself, also beside the same by name.
    assert_eq!(of(Definitions::builder().discover(), "flights"), declared);
    let twice = Definitions::builder().asset::<flights>().discover();
    assert_eq!(of(twice, "flights"), declared);

    let names = |checks: Vec<CheckSpec>| -> Vec<String> {
        checks.into_iter().map(|check| check.key.name).collect()
    };
    let halves = Definitions::builder().asset::<halves>();
    assert_eq!(
        names(of(halves, "even")),
        ["not_empty", "row_count", "unique_value"]
    );
}

#[test]
fn two_checks_of_one_name_are_refused_with_a_way_out() {
    let refused = Definitions::builder()
        .asset::<counted>()
        .declare(data_checks::<flights>([row_count(1..), row_count(..9)]))
        .build()
        .unwrap_err();
    let refused = refused.to_string();
    assert!(
        refused.contains("`flights`: two checks over its data are named `row_count`")
            && refused.contains(r#".named("row_count_2")"#),
        "{refused}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_multi_asset_returns_some_results_and_others_are_looked_up() {
    let run = testing::materialize(Definitions::builder().asset::<halves>())
        .run()
        .await
        .unwrap();
    let mut found = run.checks::<even>(None).await.unwrap();
    found.sort_by(|a, b| a.check.name.cmp(&b.check.name));
    let names: Vec<&str> = found
        .iter()
        .map(|check| check.check.name.as_str())
        .collect();
    assert_eq!(names, ["not_empty", "row_count", "unique_value"]);
    let passed = |check: &CheckOutcome| *check == CheckOutcome::Passed;
    assert!(found.iter().all(|check| passed(&check.outcome)));
}
