use rstest::rstest;

use super::*;
use crate::partitions::DynamicKeys;

fn sample_context() -> PartitionContext {
    let mut context = PartitionContext::at("2024-03-01T12:00:00Z".parse().unwrap());
    let slots = [Some("acme"), None, Some("globex")]
        .map(|slot| slot.map(PartitionKey::from))
        .to_vec();
    context
        .dynamic
        .insert("customers".to_owned(), DynamicKeys::from_slots(slots));
    context
}

fn daily_partitions() -> PartitionsDefinition {
    TimeWindowPartitions::daily("2024-01-01")
        .end("2024-06-01")
        .build()
        .unwrap()
        .into()
}

fn hourly_partitions() -> PartitionsDefinition {
    let hours = TimeWindowPartitions::hourly("2023-11-01-00:00").timezone("America/New_York");
    hours.build().unwrap().into()
}

fn origin_partitions() -> PartitionsDefinition {
    StaticPartitions::new(["EWR", "JFK", "LGA"]).unwrap().into()
}

fn customer_partitions() -> PartitionsDefinition {
    DynamicPartitions::new("customers").into()
}

fn three_dimensions() -> PartitionsDefinition {
    MultiPartitions::new([
        ("origin", origin_partitions()),
        ("date", daily_partitions()),
        ("customer", customer_partitions()),
    ])
    .unwrap()
    .into()
}

#[rstest]
#[case::fixed(origin_partitions())]
#[case::days(daily_partitions())]
#[case::hours(hourly_partitions())]
#[case::dynamic(customer_partitions())]
#[case::product(three_dimensions())]
fn every_key_leads_back_to_its_ordinal(#[case] definition: PartitionsDefinition) {
    let context = sample_context();
    let all = definition.all(&context);
    assert_eq!(all.len(), definition.count(&context));
    for ordinal in all.iter() {
        let key = definition.key(ordinal, &context).unwrap();
        assert_eq!(definition.ordinal(&key, &context), Ok(ordinal), "{key}");
    }
    // `last` agrees with the end of the enumeration, whatever the order of ordinals.
    let last = definition.keys(&all, &context).last();
    assert_eq!(
        definition
            .last(&context)
            .and_then(|at| definition.key(at, &context)),
        last
    );
}

#[rstest]
#[case::fixed(origin_partitions(), r#"{"kind":"static","keys":["EWR","JFK","LGA"]}"#)]
#[case::dynamic(customer_partitions(), r#"{"kind":"dynamic","name":"customers"}"#)]
fn serializes_as(#[case] definition: PartitionsDefinition, #[case] text: &str) {
    assert_eq!(serde_json::to_string(&definition).unwrap(), text);
}

#[test]
fn deserializes_what_it_serializes() {
    let text = serde_json::to_string(&three_dimensions()).unwrap();
    assert_eq!(
        serde_json::from_str::<PartitionsDefinition>(&text).unwrap(),
        three_dimensions()
    );
}

#[rstest]
#[case::fixed(
    origin_partitions(),
    "JFX",
    "there is no partition `JFX`: did you mean `JFK`? The keys are `EWR`, `JFK` and `LGA`"
)]
#[case::typo(
    daily_partitions(),
    "2024-1-5",
    "there is no partition `2024-1-5`: did you mean `2024-01-05`, `2024-01-15` or `2024-01-25`? The windows that exist run from `2024-01-01` to `2024-02-29`"
)]
#[case::future(
    daily_partitions(),
    "2024-03-01",
    "there is no partition `2024-03-01`: its window ends at 2024-03-02T00:00:00Z, which is in the future. The windows that exist run from `2024-01-01` to `2024-02-29`"
)]
#[case::dynamic(
    customer_partitions(),
    "acne",
    "there is no partition `acne`: did you mean `acme`? The dynamic set `customers` holds `acme` and `globex`; `dynamic customers add acne` adds it"
)]
#[case::removed(DynamicPartitions::new("none").into(), "x", "there is no partition `x`: no key has been added to the dynamic set `none` yet: `dynamic none add x` adds it")]
#[case::shape(
    three_dimensions(),
    "2024-01-01|EWR",
    "there is no partition `2024-01-01|EWR`: a key here is written `customer|date|origin`, such as `globex|2024-02-29|LGA`"
)]
#[case::part(
    three_dimensions(),
    "acme|2024-01-01|EWX",
    "there is no partition `acme|2024-01-01|EWX`: dimension `origin` has no `EWX`: did you mean `EWR`? The keys are `EWR`, `JFK` and `LGA`; a key here is written `customer|date|origin`"
)]
fn unknown_keys_come_with_advice(
    #[case] definition: PartitionsDefinition,
    #[case] key: &str,
    #[case] message: &str,
) {
    let unknown = definition
        .ordinal(&key.into(), &sample_context())
        .unwrap_err();
    assert_eq!(unknown.to_string(), message);
}

#[test]
fn a_long_list_is_shortened() {
    let keys = PartitionsDefinition::from(
        StaticPartitions::new((0..12).map(|n| format!("k{n}"))).unwrap(),
    );
    assert_eq!(
        keys.ordinal(&"zzzz".into(), &sample_context())
            .unwrap_err()
            .hint,
        "The keys are `k0`, `k1`, `k2`, `k3`, `k4` and 7 more"
    );
}

#[test]
fn a_reversed_range_is_empty() {
    let range = origin_partitions()
        .range(&"LGA".into(), &"EWR".into(), &sample_context())
        .unwrap();
    assert!(range.is_empty());
}

#[rstest]
#[case("2023-11-05-0:00", "2023-11-05-2:00", Some(4))] // 1:00 occurs twice.
#[case("2023-11-5-00:00", "2023-11-05-00:0", Some(1))]
#[case("2023-11-05-0:30", "2023-11-05-02:00", None)]
#[case("2023-11-05-00:00", "2024-3-05-00:00", None)]
fn a_range_may_be_written_with_fewer_digits(
    #[case] first: &str,
    #[case] last: &str,
    #[case] count: Option<u64>,
) {
    let context = sample_context();
    let hours = hourly_partitions();
    let range = hours.range(&first.into(), &last.into(), &context);
    assert_eq!(range.ok().map(|set| set.len()), count);
    // A key alone is the key.
    assert!(hours.ordinal(&"2023-11-05-0:00".into(), &context).is_err());
    let both = MultiPartitions::new([("hour", hours), ("origin", origin_partitions())]).unwrap();
    let end = |key: &str| PartitionKey::from(format!("{key}|EWR"));
    let range = PartitionsDefinition::from(both).range(&end(first), &end(last), &context);
    assert_eq!(range.ok().map(|set| set.len()), count);
}
