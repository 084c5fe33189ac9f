use std::collections::BTreeSet;

use proptest::prelude::*;

use super::PartitionSet;

fn any_runs() -> impl Strategy<Value = Vec<std::ops::Range<u64>>> {
    let start = prop_oneof![
        0..300u64,
        (1u64 << 32) - 150..(1 << 32) + 150,
        65_400..65_600u64
    ];
    prop::collection::vec(
        (start, 0..90u64).prop_map(|(start, length)| start..start + length),
        0..8,
    )
}

fn build_both(runs: Vec<std::ops::Range<u64>>) -> (PartitionSet, BTreeSet<u64>) {
    (
        runs.iter().cloned().collect(),
        runs.into_iter().flatten().collect(),
    )
}

proptest! {
    #[test]
    fn agrees_with_a_plain_set(a in any_runs(), b in any_runs()) {
        let ((a, plain_a), (b, plain_b)) = (build_both(a), build_both(b));
        prop_assert!((&a | &b).iter().eq(plain_a.union(&plain_b).copied()));
        prop_assert!((&a & &b).iter().eq(plain_a.intersection(&plain_b).copied()));
        prop_assert!((&a - &b).iter().eq(plain_a.difference(&plain_b).copied()));
        prop_assert!((&a ^ &b).iter().eq(plain_a.symmetric_difference(&plain_b).copied()));
        prop_assert_eq!(a.is_subset(&b), plain_a.is_subset(&plain_b));
        prop_assert_eq!(a.is_disjoint(&b), plain_a.is_disjoint(&plain_b));
        prop_assert_eq!(a.len(), plain_a.len() as u64);
        prop_assert_eq!(a.nth(3), plain_a.iter().nth(3).copied());
    }

    #[test]
    fn ranges_are_the_longest_runs(runs in any_runs()) {
        let (set, plain) = build_both(runs);
        let ranges: Vec<_> = set.ranges().collect();
        prop_assert!(ranges.iter().cloned().flatten().eq(plain));
        prop_assert!(ranges.windows(2).all(|pair| pair[0].end < pair[1].start));
    }

    #[test]
    fn equality_does_not_depend_on_how_a_set_was_built(runs in any_runs()) {
        let (set, plain) = build_both(runs);
        let one_by_one: PartitionSet = plain.into_iter().collect();
        prop_assert_eq!(&set, &one_by_one);
        prop_assert_eq!(serde_json::to_string(&set).unwrap(), serde_json::to_string(&one_by_one).unwrap());
    }

    #[test]
    fn round_trips_as_text(runs in any_runs(), step in 1..5u64) {
        let (mut set, _) = build_both(runs);
        set.extend((0..4_000 / step).map(|i| i * step));
        let text = serde_json::to_string(&set).unwrap();
        prop_assert_eq!(serde_json::from_str::<PartitionSet>(&text).unwrap(), set);
    }
}

#[test]
fn a_long_run_has_a_short_text() {
    let set = PartitionSet::from(5..10_000_000);
    assert_eq!(set.ranges().count(), 1);
    assert_eq!(serde_json::to_string(&set).unwrap(), r#""5-9999999""#);
    assert_eq!(format!("{set:?}"), "{5..10000000}");
}

#[test]
fn scattered_ordinals_become_a_bitmap() {
    let set: PartitionSet = (0..100_000).map(|i| i * 2).collect();
    let text = serde_json::to_string(&set).unwrap();
    assert!(
        text.starts_with(r#""roaring:"#) && text.len() < 40_000,
        "{}",
        text.len()
    );
    assert_eq!(serde_json::from_str::<PartitionSet>(&text).unwrap(), set);
}

#[rstest::rstest]
#[case("x")]
#[case("3-1")]
#[case("0-18446744073709551615")]
#[case("-4")]
fn a_damaged_set_is_refused(#[case] text: &str) {
    let error = serde_json::from_value::<PartitionSet>(text.into())
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        format!(
            "`{text}` is not a run of ordinals: write one ordinal or `first-last`, such as `0-30`"
        )
    );
}

#[test]
fn damaged_bitmaps_are_refused() {
    let refusal = |text: &str| {
        serde_json::from_value::<PartitionSet>(text.into())
            .unwrap_err()
            .to_string()
    };
    assert!(refusal("roaring:!").contains("is not base64"));
    assert!(refusal("roaring:AAAA").contains("is not a bitmap"));
}
