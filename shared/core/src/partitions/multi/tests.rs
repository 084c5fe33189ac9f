use proptest::prelude::*;
use rstest::rstest;

use super::MultiPartitions;
use crate::partitions::{
    DynamicKeys, DynamicPartitions, PartitionContext, PartitionKey, PartitionSet,
    PartitionsDefinition, StaticPartitions,
};

fn fixed_keys(keys: &[&str]) -> PartitionsDefinition {
    StaticPartitions::new(keys.iter().copied()).unwrap().into()
}

fn dynamic_keys(name: &str) -> PartitionsDefinition {
    DynamicPartitions::new(name).into()
}

fn dynamic_context(sets: &[(&str, u64)]) -> PartitionContext {
    let mut context = PartitionContext::at(chrono::DateTime::UNIX_EPOCH);
    for (name, count) in sets {
        let keys: DynamicKeys = (0..*count)
            .map(|slot| PartitionKey::from(format!("{name}{slot}")))
            .collect();
        context.dynamic.insert((*name).to_owned(), keys);
    }
    context
}

fn four_dimensions() -> MultiPartitions {
    MultiPartitions::new([
        ("d", fixed_keys(&["x", "y"])),
        ("c", dynamic_keys("first")),
        ("b", fixed_keys(&["1", "2", "3"])),
        ("a", dynamic_keys("second")),
    ])
    .unwrap()
}

#[rstest]
#[case::none(vec![], "a multi-dimensional definition needs at least two dimensions, and this one has 0")]
#[case::one(vec![("a", fixed_keys(&["1"]))], "a multi-dimensional definition needs at least two dimensions, and this one has 1")]
#[case::twice(vec![("a", fixed_keys(&["1"])), ("a", fixed_keys(&["2"]))], "dimension `a` is given twice")]
#[case::nested(vec![("a", fixed_keys(&["1"])), ("b", four_dimensions().into())], "dimension `b` is multi-dimensional itself")]
#[case::bar(vec![("a", fixed_keys(&["1|2"])), ("b", fixed_keys(&["x"]))], "key `1|2` of dimension `a` contains `|`")]
#[case::list(vec![("a", fixed_keys(&["1"])), ("b", fixed_keys(&["é,x"]))], "key `é,x` of dimension `b` contains `,`")]
#[case::unnamed(vec![("", fixed_keys(&["1"])), ("b", fixed_keys(&["x"]))], "a dimension's name is empty")]
fn refuses_invalid_dimensions(
    #[case] dimensions: Vec<(&str, PartitionsDefinition)>,
    #[case] message: &str,
) {
    let error = MultiPartitions::new(dimensions).unwrap_err().to_string();
    assert!(error.starts_with(message), "{error}");
}

#[test]
fn refuses_more_fixed_combinations_than_ordinals() {
    let keys: Vec<String> = (0..70_000).map(|key| key.to_string()).collect();
    let many = PartitionsDefinition::from(StaticPartitions::new(keys).unwrap());
    let error = MultiPartitions::new([("a", many.clone()), ("b", many)]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the dimensions of fixed size have more than 4294967296 combinations: use fewer keys or fewer dimensions"
    );
}

#[test]
fn a_growing_dimension_changes_no_ordinal() {
    let definition = PartitionsDefinition::from(four_dimensions());
    let before = dynamic_context(&[("first", 3), ("second", 2)]);
    let after = dynamic_context(&[("first", 40), ("second", 9)]);
    for ordinal in definition.all(&before).iter() {
        assert_eq!(
            definition.key(ordinal, &before),
            definition.key(ordinal, &after)
        );
    }
    assert!(definition.all(&before).is_subset(&definition.all(&after)));
}

#[test]
fn keys_that_contain_the_separator_are_omitted() {
    let definition = PartitionsDefinition::from(
        MultiPartitions::new([("a", dynamic_keys("set")), ("b", fixed_keys(&["x", "y"]))]).unwrap(),
    );
    let mut context = dynamic_context(&[]);
    let keys = ["p|q", "r"].map(PartitionKey::from).into_iter().collect();
    context.dynamic.insert("set".to_owned(), keys);
    let all = definition.all(&context);
    assert_eq!(definition.count(&context), 2);
    let keys: Vec<PartitionKey> = definition.keys(&all, &context).collect();
    assert_eq!(keys, ["r|x", "r|y"].map(PartitionKey::from));
    assert_eq!(definition.find("p|q|x", &context), None);
}

#[test]
fn a_million_combinations_are_one_run() {
    let definition = PartitionsDefinition::from(
        MultiPartitions::new([
            ("a", dynamic_keys("set")),
            ("b", fixed_keys(&["x", "y"])),
            ("c", fixed_keys(&["1", "2", "3", "4", "5"])),
        ])
        .unwrap(),
    );
    let context = dynamic_context(&[("set", 100_000)]);
    let all = definition.all(&context);
    assert_eq!(all.len(), 1_000_000);
    assert_eq!(all.ranges().count(), 1);
}

#[test]
fn keys_are_enumerated_by_name_with_the_last_dimension_fastest() {
    let definition = PartitionsDefinition::from(four_dimensions());
    let context = dynamic_context(&[("first", 2), ("second", 2)]);
    let all = definition.all(&context);
    let keys: Vec<String> = definition
        .keys(&all, &context)
        .map(|key| key.to_string())
        .collect();
    // `a` is the slowest and `d` the fastest, although `b` and `d` are the fast digits of ordinals.
    let mut expected = Vec::new();
    for a in ["second0", "second1"] {
        for b in ["1", "2", "3"] {
            for c in ["first0", "first1"] {
                expected.extend(["x", "y"].map(|d| format!("{a}|{b}|{c}|{d}")));
            }
        }
    }
    assert_eq!(keys, expected);
}

#[test]
fn deserialization_validates() {
    let one = r#"{"dimensions":{"a":{"kind":"dynamic","name":"s"}}}"#;
    let error = serde_json::from_str::<MultiPartitions>(one)
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("a multi-dimensional definition needs at least two"),
        "{error}"
    );
    let four = four_dimensions();
    let text = serde_json::to_string(&four).unwrap();
    assert_eq!(
        serde_json::from_str::<MultiPartitions>(&text).unwrap(),
        four
    );
}

fn some_of(count: u64) -> impl Strategy<Value = PartitionSet> {
    prop::collection::vec(any::<bool>(), count as usize).prop_map(|chosen| {
        (0..)
            .zip(chosen)
            .filter(|(_, chosen)| *chosen)
            .map(|(ordinal, _)| ordinal)
            .collect()
    })
}

proptest! {
    #[test]
    fn every_key_leads_back_to_its_ordinal(first in 1..5u64, second in 1..5u64) {
        let definition = PartitionsDefinition::from(four_dimensions());
        let context = dynamic_context(&[("first", first), ("second", second)]);
        let all = definition.all(&context);
        prop_assert_eq!(all.len(), definition.count(&context));
        for ordinal in all.iter() {
            let key = definition.key(ordinal, &context).unwrap();
            prop_assert_eq!(definition.ordinal(&key, &context).unwrap(), ordinal);
        }
    }

    #[test]
    fn a_product_projects_to_its_sides(
        a in some_of(4), b in some_of(3), c in some_of(4), d in some_of(2),
    ) {
        let multi = four_dimensions();
        let sides = [a, b, c, d];
        let product = multi.product(&sides);
        prop_assert_eq!(product.len(), sides.iter().map(PartitionSet::len).product::<u64>());
        // The empty product has lost its sides.
        if !product.is_empty() {
            for (position, side) in sides.iter().enumerate() {
                prop_assert_eq!(&multi.project(&product, position), side);
            }
            let boxes = multi.split_into_boxes(&product);
            prop_assert_eq!(boxes.len(), 1);
            prop_assert_eq!(boxes[0].sides.as_slice(), &sides);
        }
    }

    #[test]
    fn boxes_are_disjoint_and_cover_the_set(chosen in prop::collection::vec((0..4u64, 0..3u64, 0..4u64, 0..2u64), 0..40)) {
        let multi = four_dimensions();
        let set: PartitionSet = chosen
            .into_iter()
            .filter_map(|(a, b, c, d)| multi.ordinal_of(&[a, b, c, d]))
            .collect();
        let mut rest = set.clone();
        for partition_box in multi.split_into_boxes(&set) {
            let part = multi.product(&partition_box.sides);
            prop_assert!(!part.is_empty() && part.is_subset(&rest));
            rest -= &part;
        }
        prop_assert!(rest.is_empty());
    }
}
