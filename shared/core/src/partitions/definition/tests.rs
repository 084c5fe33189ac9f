use rstest::rstest;

use super::*;
use crate::partitions::DynamicKeys;

fn context() -> PartitionContext {
    let mut context = PartitionContext::at("2024-03-01T12:00:00Z".parse().unwrap());
    let slots = [Some("acme"), None, Some("globex")];
    let slots = slots.map(|slot| slot.map(PartitionKey::from)).to_vec();
    context
        .dynamic
        .insert("customers".to_owned(), DynamicKeys::from_slots(slots));
    context
}

fn days() -> PartitionsDefinition {
    TimeWindowPartitions::daily("2024-01-01")
        .end("2024-06-01")
        .build()
        .unwrap()
        .into()
}

fn hours() -> PartitionsDefinition {
    let hours = TimeWindowPartitions::hourly("2023-11-01-00:00").timezone("America/New_York");
    hours.build().unwrap().into()
}

fn origins() -> PartitionsDefinition {
    StaticPartitions::new(["EWR", "JFK", "LGA"]).unwrap().into()
}

fn customers() -> PartitionsDefinition {
    DynamicPartitions::new("customers").into()
}

fn product() -> PartitionsDefinition {
    MultiPartitions::new([
        ("origin", origins()),
        ("date", days()),
        ("customer", customers()),
    ])
    .unwrap()
    .into()
}

#[rstest]
#[case::fixed(origins())]
#[case::days(days())]
#[case::hours(hours())]
#[case::dynamic(customers())]
#[case::product(product())]
fn every_key_is_found_again(#[case] definition: PartitionsDefinition) {
    let context = context();
    let all = definition.all(&context);
    assert_eq!(all.len(), definition.count(&context));
    for ordinal in all.iter() {
        let key = definition.key(ordinal, &context).unwrap();
        assert_eq!(definition.ordinal(&key, &context), Ok(ordinal), "{key}");
    }
    let last = definition.keys(&all, &context).last();
    assert_eq!(
        definition
            .last(&context)
            .and_then(|at| definition.key(at, &context)),
        last
    );
}

#[rstest]
#[case::fixed(origins(), r#"{"kind":"static","keys":["EWR","JFK","LGA"]}"#)]
#[case::dynamic(customers(), r#"{"kind":"dynamic","name":"customers"}"#)]
fn is_written_as(#[case] definition: PartitionsDefinition, #[case] text: &str) {
    assert_eq!(serde_json::to_string(&definition).unwrap(), text);
}

#[test]
fn is_read_as_it_is_written() {
    let text = serde_json::to_string(&product()).unwrap();
    assert_eq!(
        serde_json::from_str::<PartitionsDefinition>(&text).unwrap(),
        product()
    );
}

#[rstest]
#[case::fixed(
    origins(),
    "JFX",
    "there is no partition `JFX`: did you mean `JFK`? The keys are `EWR`, `JFK` and `LGA`"
)]
#[case::typo(
    days(),
    "2024-1-5",
    "there is no partition `2024-1-5`: did you mean `2024-01-05`, `2024-01-15` or `2024-01-25`? The windows that exist run from `2024-01-01` to `2024-02-29`"
)]
#[case::future(
    days(),
    "2024-03-01",
    "there is no partition `2024-03-01`: its window ends at 2024-03-02T00:00:00Z, which is still to come. The windows that exist run from `2024-01-01` to `2024-02-29`"
)]
#[case::dynamic(
    customers(),
    "acne",
    "there is no partition `acne`: did you mean `acme`? The dynamic set `customers` holds `acme` and `globex`"
)]
#[case::removed(DynamicPartitions::new("none").into(), "x", "there is no partition `x`: no key has been added to the dynamic set `none` yet")]
#[case::shape(
    product(),
    "2024-01-01|EWR",
    "there is no partition `2024-01-01|EWR`: a key here is written `customer|date|origin`, such as `globex|2024-02-29|LGA`"
)]
#[case::part(
    product(),
    "acme|2024-01-01|EWX",
    "there is no partition `acme|2024-01-01|EWX`: dimension `origin` has no `EWX`: did you mean `EWR`? The keys are `EWR`, `JFK` and `LGA`; a key here is written `customer|date|origin`"
)]
fn says_what_to_write_instead(
    #[case] definition: PartitionsDefinition,
    #[case] key: &str,
    #[case] message: &str,
) {
    let unknown = definition.ordinal(&key.into(), &context()).unwrap_err();
    assert_eq!(unknown.to_string(), message);
}

#[test]
fn a_long_list_is_cut() {
    let keys = PartitionsDefinition::from(
        StaticPartitions::new((0..12).map(|n| format!("k{n}"))).unwrap(),
    );
    assert_eq!(
        keys.ordinal(&"zzzz".into(), &context()).unwrap_err().hint,
        "The keys are `k0`, `k1`, `k2`, `k3`, `k4` and 7 more"
    );
}

#[test]
fn a_reversed_range_is_empty() {
    let range = origins()
        .range(&"LGA".into(), &"EWR".into(), &context())
        .unwrap();
    assert!(range.is_empty());
}
