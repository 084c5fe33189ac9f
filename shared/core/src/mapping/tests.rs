use proptest::prelude::*;
use rstest::rstest;

use super::PartitionMapping;
use crate::partitions::{
    MultiPartitions, PartitionContext, PartitionSet, PartitionsDefinition, StaticPartitions,
    TimeWindowPartitions,
};

fn june_context() -> PartitionContext {
    PartitionContext::at("2024-06-15T13:00:00Z".parse().unwrap())
}

fn letter_partitions() -> PartitionsDefinition {
    StaticPartitions::new(["a", "b", "c"]).unwrap().into()
}

fn daily_from(start: &str) -> PartitionsDefinition {
    TimeWindowPartitions::daily(start).build().unwrap().into()
}

fn hourly_from(start: &str) -> PartitionsDefinition {
    TimeWindowPartitions::hourly(start).build().unwrap().into()
}

fn weekly_partitions() -> PartitionsDefinition {
    TimeWindowPartitions::weekly("2024-01-07")
        .build()
        .unwrap()
        .into()
}

fn multi_partitions(dimensions: &[(&str, PartitionsDefinition)]) -> PartitionsDefinition {
    MultiPartitions::new(dimensions.iter().cloned())
        .unwrap()
        .into()
}

fn parse_mapping(json: &str) -> PartitionMapping {
    serde_json::from_str(json).unwrap()
}

fn format_keys(definition: &PartitionsDefinition, set: &PartitionSet) -> Vec<String> {
    definition
        .keys(set, &june_context())
        .map(|key| key.to_string())
        .collect()
}

#[rstest]
#[case::unpartitioned(None, Some(letter_partitions()), "AllPartitionMapping")]
#[case::windows(
    Some(daily_from("2024-05-01")),
    Some(weekly_partitions()),
    "TimeWindowPartitionMapping"
)]
#[case::same(
    Some(letter_partitions()),
    Some(letter_partitions()),
    "IdentityPartitionMapping"
)]
#[case::kinds(
    Some(letter_partitions()),
    Some(weekly_partitions()),
    "IdentityPartitionMapping"
)]
#[case::dimension(Some(multi_partitions(&[("d", daily_from("2024-05-01")), ("l", letter_partitions())])), Some(letter_partitions()), "MultiToSingleDimensionPartitionMapping")]
#[case::time(Some(weekly_partitions()), Some(multi_partitions(&[("d", daily_from("2024-05-01")), ("l", letter_partitions())])), "MultiToSingleDimensionPartitionMapping")]
#[case::ambiguous(Some(multi_partitions(&[("x", letter_partitions()), ("y", letter_partitions())])), Some(letter_partitions()), "IdentityPartitionMapping")]
fn infers_the_mapping_of_dagster(
    #[case] upstream: Option<PartitionsDefinition>,
    #[case] downstream: Option<PartitionsDefinition>,
    #[case] name: &str,
) {
    let inferred = PartitionMapping::infer(upstream.as_ref(), downstream.as_ref());
    assert_eq!(inferred.dagster_name(), name);
}

#[rstest]
#[case::identity(
    r#"{"type":"identity"}"#,
    letter_partitions(),
    weekly_partitions(),
    "an identity mapping needs both sides partitioned in the same way, but the upstream is partitioned by fixed keys and the downstream partitioned by time windows: give both the same definition"
)]
#[case::cadence(
    r#"{"type":"identity"}"#,
    hourly_from("2024-05-01-00:00"),
    weekly_partitions(),
    "an identity mapping needs both sides partitioned in the same way, but the upstream is partitioned by hourly windows and the downstream partitioned by weekly windows"
)]
#[case::windows(
    r#"{"type":"time_window"}"#,
    letter_partitions(),
    weekly_partitions(),
    "a mapping of time windows needs time windows on both sides, but the upstream is partitioned by fixed keys"
)]
#[case::zone(r#"{"type":"time_window"}"#, TimeWindowPartitions::daily("2024-05-01").timezone("Europe/Berlin").build().unwrap().into(), weekly_partitions(), "time windows are mapped within one time zone, but the upstream is in Europe/Berlin and the downstream in UTC: give both the same time zone")]
#[case::key(
    r#"{"type":"static","map":{"q":["a"]}}"#,
    letter_partitions(),
    letter_partitions(),
    "the mapping names `q`, which is not a key of the upstream definition: write `a`, `b` or `c`"
)]
#[case::shared(r#"{"type":"multi_to_single"}"#, multi_partitions(&[("d", daily_from("2024-05-01")), ("l", letter_partitions())]), StaticPartitions::new(["x"]).unwrap().into(), "the side with one dimension equals none of `d` or `l`, and the sides do not both have exactly one dimension of time")]
#[case::ambiguous(r#"{"type":"multi_to_single"}"#, multi_partitions(&[("x", letter_partitions()), ("y", letter_partitions())]), letter_partitions(), "dimensions `x` and `y` all equal the other side: name the intended one, such as `dimension = \"x\"`")]
#[case::dimension(r#"{"type":"multi","dims":{"nope":{"downstream_dimension":"l","mapping":{"type":"all"}}}}"#, multi_partitions(&[("d", daily_from("2024-05-01")), ("l", letter_partitions())]), multi_partitions(&[("d", daily_from("2024-05-01")), ("l", letter_partitions())]), "the upstream definition has no dimension `nope`: its dimensions are `d` and `l`")]
#[case::inner(r#"{"type":"multi","dims":{"d":{"downstream_dimension":"l","mapping":{"type":"time_window"}}}}"#, multi_partitions(&[("d", daily_from("2024-05-01")), ("l", letter_partitions())]), multi_partitions(&[("d", daily_from("2024-05-01")), ("l", letter_partitions())]), "dimension `d` to `l`: a mapping of time windows needs time windows on both sides")]
fn refuses_mappings_that_do_not_fit(
    #[case] json: &str,
    #[case] upstream: PartitionsDefinition,
    #[case] downstream: PartitionsDefinition,
    #[case] message: &str,
) {
    let invalid = parse_mapping(json)
        .validate(Some(&upstream), Some(&downstream))
        .unwrap_err();
    assert!(invalid.to_string().starts_with(message), "{invalid}");
}

#[test]
fn a_named_dimension_decides_between_equal_ones() {
    let square = multi_partitions(&[("x", letter_partitions()), ("y", letter_partitions())]);
    let mapping = parse_mapping(r#"{"type":"multi_to_single","dimension":"y"}"#);
    mapping
        .validate(Some(&square), Some(&letter_partitions()))
        .unwrap();
    let b = PartitionSet::single(1);
    let made_from = mapping
        .to_upstream(
            &b,
            Some(&letter_partitions()),
            Some(&square),
            &june_context(),
        )
        .unwrap();
    assert_eq!(
        format_keys(&square, &made_from.existing),
        ["a|b", "b|b", "c|b"]
    );
}

#[test]
fn each_of_three_dimensions_has_its_own_mapping() {
    let upstream = multi_partitions(&[
        ("at", hourly_from("2024-06-01-00:00")),
        ("l", letter_partitions()),
        ("m", letter_partitions()),
    ]);
    let downstream = multi_partitions(&[
        ("day", daily_from("2024-06-01")),
        ("l", letter_partitions()),
        ("n", letter_partitions()),
    ]);
    let mapping = parse_mapping(
        r#"{"type":"multi","dims":{
            "at":{"downstream_dimension":"day","mapping":{"type":"time_window"}},
            "l":{"downstream_dimension":"l","mapping":{"type":"identity"}}}}"#,
    );
    mapping
        .validate(Some(&upstream), Some(&downstream))
        .unwrap();
    // Upstream: one day's 24 hours, the same `l`, and any `m`, which is not mapped.
    let context = june_context();
    let one = downstream
        .ordinal(&"2024-06-03|b|c".into(), &context)
        .unwrap();
    let made_from = mapping
        .to_upstream(
            &PartitionSet::single(one),
            Some(&downstream),
            Some(&upstream),
            &context,
        )
        .unwrap();
    assert_eq!(made_from.existing.len(), 24 * 3);
    assert!(
        format_keys(&upstream, &made_from.existing)
            .iter()
            .all(|key| key.contains("2024-06-03-") && key.contains("|b|"))
    );
    // And back: the same day and `l`, and any `n`.
    let made = mapping
        .to_downstream(
            &made_from.existing,
            Some(&upstream),
            Some(&downstream),
            &context,
        )
        .unwrap();
    assert_eq!(
        format_keys(&downstream, &made),
        ["2024-06-03|b|a", "2024-06-03|b|b", "2024-06-03|b|c"]
    );
}

#[test]
fn excluded_windows_of_a_dimension_map_to_nothing() {
    let weekdays = TimeWindowPartitions::daily("2024-06-01").exclude("0 0 * * 0,6");
    let upstream = multi_partitions(&[
        ("d", weekdays.build().unwrap().into()),
        ("l", letter_partitions()),
    ]);
    let downstream = daily_from("2024-05-01");
    let made = PartitionMapping::infer(Some(&upstream), Some(&downstream))
        .to_downstream(
            &upstream.all(&june_context()),
            Some(&upstream),
            Some(&downstream),
            &june_context(),
        )
        .unwrap();
    assert_eq!(made.len(), 10);
    assert!(!made.contains(downstream.find("2024-06-08", &june_context()).unwrap()));
}

#[test]
fn windows_before_the_upstream_start_are_nonexistent() {
    let (upstream, downstream) = (daily_from("2024-06-10"), daily_from("2024-06-01"));
    let all = downstream.all(&june_context());
    let made_from = PartitionMapping::OVERLAPPING
        .to_upstream(&all, Some(&downstream), Some(&upstream), &june_context())
        .unwrap();
    assert_eq!(made_from.existing.len(), 5);
    assert_eq!(made_from.nonexistent.len(), 9);
    assert_eq!(made_from.nonexistent[0].as_str(), "2024-06-01");
}

#[test]
fn a_long_run_of_hours_maps_to_one_run_of_days() {
    let (upstream, downstream) = (hourly_from("1970-01-01-00:00"), daily_from("1970-01-01"));
    let all = upstream.all(&june_context());
    assert_eq!(all.len(), 19_889 * 24 + 13);
    let made = PartitionMapping::OVERLAPPING
        .to_downstream(&all, Some(&upstream), Some(&downstream), &june_context())
        .unwrap();
    assert_eq!(made, downstream.all(&june_context()));
    assert_eq!(made.ranges().count(), 1);
}

#[rstest]
#[case::identity(r#"{"type":"identity"}"#, true)]
#[case::windows(r#"{"type":"time_window"}"#, true)]
#[case::shifted(r#"{"type":"time_window","start_offset":-1,"end_offset":-1}"#, false)]
#[case::all(r#"{"type":"all"}"#, false)]
fn recognizes_identity_mappings(#[case] json: &str, #[case] identity: bool) {
    let (these, those) = (daily_from("2024-05-01"), daily_from("2024-05-02"));
    assert_eq!(
        parse_mapping(json).is_identity_between(Some(&these), Some(&these)),
        identity
    );
    assert!(!parse_mapping(json).is_identity_between(Some(&these), Some(&those)));
    assert!(!parse_mapping(json).is_identity_between(Some(&these), None));
    assert!(parse_mapping(json).is_identity_between(None, None));
}

fn any_side() -> impl Strategy<Value = PartitionsDefinition> {
    prop_oneof![
        Just(daily_from("2024-05-20")),
        Just(hourly_from("2024-06-10-00:00")),
        Just(weekly_partitions()),
        Just(multi_partitions(&[
            ("d", daily_from("2024-06-01")),
            ("l", letter_partitions())
        ])),
        Just(multi_partitions(&[
            ("w", weekly_partitions()),
            ("l", letter_partitions()),
            ("m", letter_partitions())
        ])),
    ]
}

proptest! {
    /// The existing upstream partitions of a partition lead back to it.
    #[test]
    fn up_and_down_again_contains_the_start(
        upstream in any_side(), downstream in any_side(), chosen in prop::collection::vec(any::<prop::sample::Index>(), 1..6),
    ) {
        let context = june_context();
        let mapping = PartitionMapping::infer(Some(&upstream), Some(&downstream));
        prop_assume!(mapping.validate(Some(&upstream), Some(&downstream)).is_ok());
        let all: Vec<u64> = downstream.all(&context).iter().collect();
        for start in chosen.iter().map(|index| PartitionSet::single(*index.get(&all))) {
            let up = mapping.to_upstream(&start, Some(&downstream), Some(&upstream), &context).unwrap();
            prop_assert!(up.existing.is_subset(&upstream.all(&context)));
            // Without existing upstream partitions there is no way back.
            if !up.existing.is_empty() {
                let again = mapping.to_downstream(&up.existing, Some(&upstream), Some(&downstream), &context).unwrap();
                prop_assert!(start.is_subset(&again));
            }
        }
    }

    /// A run of windows in a dimension maps to the union of what its single windows map to.
    #[test]
    fn a_dimension_is_mapped_window_by_window(from in 0..70u64, length in 1..6u64) {
        let context = june_context();
        let (upstream, downstream) = (multi_partitions(&[("d", daily_from("2024-05-01")), ("l", letter_partitions())]), weekly_partitions());
        let mapping = PartitionMapping::infer(Some(&upstream), Some(&downstream));
        let all = downstream.all(&context);
        let run = &PartitionSet::from(from % 20..from % 20 + length) & &all;
        let whole = mapping.to_upstream(&run, Some(&downstream), Some(&upstream), &context).unwrap();
        // Map the run at once, then window by window.
        let mut union = PartitionSet::empty();
        for ordinal in run.iter() {
            let one = PartitionSet::single(ordinal);
            union |= &mapping.to_upstream(&one, Some(&downstream), Some(&upstream), &context).unwrap().existing;
        }
        prop_assert_eq!(whole.existing, union);
    }
}
