//! Checks over data, run together with their assets.

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
async fn a_check_covers_its_partition_and_holds_back_downstream_if_it_blocks() {
    let project = Definitions::builder().asset::<flights>().asset::<counted>();
    let run = testing::materialize(project)
        .select("key:flights or key:counted")
        .partitions("all")
        .run()
        .await
        .unwrap();
    for (day, has_carriers) in [("1", true), ("2", false)] {
        let mut evaluations = run.checks::<flights>(Some(day)).await.unwrap();
        evaluations.sort_by(|a, b| a.check.name.cmp(&b.check.name));
        let found: Vec<(&str, bool)> = evaluations
            .iter()
            .map(|check| {
                let passed = check.outcome == CheckOutcome::Passed;
                (check.check.name.as_str(), passed)
            })
            .collect();
        let expected = [
            ("not_null_carrier", has_carriers),
            ("row_count", true),
            // A check of a missing column fails.
            ("unique_flight_gate", false),
        ];
        assert_eq!(found, expected, "day {day}");
        let downstream = run.value::<counted, Json<usize>>(Some(day)).await;
        assert_eq!(downstream.is_ok(), has_carriers, "day {day}");
    }
}

/// Returns the specs of an asset's checks.
fn check_specs(
    project: precip::engine::definitions::DefinitionsBuilder,
    asset: &str,
) -> Vec<CheckSpec> {
    let definitions = project.build().unwrap();
    let graph = definitions.graph();
    graph
        .checks()
        .map(|(_, check)| check.clone())
        .filter(|check| check.key.asset.as_str() == asset)
        .collect()
}

const KEY: [&str; 1] = ["value"];

/// Two assets of one op. The first has checks over its data and one whose result the function
/// returns.
#[multi_asset(outputs(
    even(checks = [row_count(..=2), unique(KEY), not_empty(blocking)]),
    odd,
))]
fn halves() -> (Output<Vec<i64>>, Vec<i64>) {
    let even = Output::new(vec![2]).check(CheckResult::pass().named("not_empty"));
    (even, vec![1])
}

#[test]
fn checks_in_the_options_are_declared_with_the_asset() {
    let declared = check_specs(Definitions::builder().asset::<flights>(), "flights");
    let separate = data_checks::<flights>([
        row_count(1..),
        not_null("carrier").blocking(),
        unique(["flight", "gate"]).warn(),
    ]);
    let specs = separate.into_iter().map(|declaration| match declaration {
        Declaration::Op(op) => op.spec.checks[0].clone(),
        other => panic!("{other:?}"),
    });
    let mut expected: Vec<CheckSpec> = specs.collect();
    expected.sort_by(|a, b| a.key.cmp(&b.key));
    assert_eq!(declared, expected);
    let blocking: Vec<bool> = declared.iter().map(|check| check.blocking).collect();
    assert_eq!(blocking, [true, false, false]);

    // `discover` finds them too, and declaring the asset as well changes nothing.
    assert_eq!(
        check_specs(Definitions::builder().discover(), "flights"),
        declared
    );
    let twice = Definitions::builder().asset::<flights>().discover();
    assert_eq!(check_specs(twice, "flights"), declared);

    let names = |checks: Vec<CheckSpec>| -> Vec<String> {
        checks.into_iter().map(|check| check.key.name).collect()
    };
    let halves = Definitions::builder().asset::<halves>();
    assert_eq!(
        names(check_specs(halves, "even")),
        ["not_empty", "row_count", "unique_value"]
    );
}

#[test]
fn two_checks_of_one_name_are_refused_with_a_suggestion() {
    let error = Definitions::builder()
        .asset::<counted>()
        .declare(data_checks::<flights>([row_count(1..), row_count(..9)]))
        .build()
        .unwrap_err();
    let message = error.to_string();
    assert!(
        message.contains("`flights`: two checks over its data are named `row_count`")
            && message.contains(r#".named("row_count_2")"#),
        "{message}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_multi_asset_has_returned_checks_and_checks_over_data() {
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
