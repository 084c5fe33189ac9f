use proptest::prelude::*;
use rstest::rstest;

use super::PartitionMapping;
use crate::partitions::{
    MultiPartitions, PartitionContext, PartitionSet, PartitionsDefinition, StaticPartitions,
    TimeWindowPartitions,
};

fn context() -> PartitionContext {
    PartitionContext::at("2024-06-15T13:00:00Z".parse().unwrap())
}

fn letters() -> PartitionsDefinition {
    StaticPartitions::new(["a", "b", "c"]).unwrap().into()
}

fn days(start: &str) -> PartitionsDefinition {
    TimeWindowPartitions::daily(start).build().unwrap().into()
}

fn hours(start: &str) -> PartitionsDefinition {
    TimeWindowPartitions::hourly(start).build().unwrap().into()
}

fn weeks() -> PartitionsDefinition {
    TimeWindowPartitions::weekly("2024-01-07")
        .build()
        .unwrap()
        .into()
}

fn of(dimensions: &[(&str, PartitionsDefinition)]) -> PartitionsDefinition {
    MultiPartitions::new(dimensions.iter().cloned())
        .unwrap()
        .into()
}

fn mapping(written: &str) -> PartitionMapping {
    serde_json::from_str(written).unwrap()
}

fn keys(definition: &PartitionsDefinition, set: &PartitionSet) -> Vec<String> {
    definition
        .keys(set, &context())
        .map(|key| key.to_string())
        .collect()
}

#[rstest]
#[case::unpartitioned(None, Some(letters()), "AllPartitionMapping")]
#[case::windows(Some(days("2024-05-01")), Some(weeks()), "TimeWindowPartitionMapping")]
#[case::same(Some(letters()), Some(letters()), "IdentityPartitionMapping")]
#[case::kinds(Some(letters()), Some(weeks()), "IdentityPartitionMapping")]
#[case::dimension(Some(of(&[("d", days("2024-05-01")), ("l", letters())])), Some(letters()), "MultiToSingleDimensionPartitionMapping")]
#[case::time(Some(weeks()), Some(of(&[("d", days("2024-05-01")), ("l", letters())])), "MultiToSingleDimensionPartitionMapping")]
#[case::ambiguous(Some(of(&[("x", letters()), ("y", letters())])), Some(letters()), "IdentityPartitionMapping")]
fn infers(
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
    letters(),
    weeks(),
    "an identity mapping needs both sides partitioned in the same way, but the upstream is partitioned by fixed keys and the downstream partitioned by time windows: give both the same definition"
)]
#[case::cadence(
    r#"{"type":"identity"}"#,
    hours("2024-05-01-00:00"),
    weeks(),
    "an identity mapping needs both sides partitioned in the same way, but the upstream is partitioned by hourly windows and the downstream partitioned by weekly windows"
)]
#[case::windows(
    r#"{"type":"time_window"}"#,
    letters(),
    weeks(),
    "a mapping of time windows needs time windows on both sides, but the upstream is partitioned by fixed keys"
)]
#[case::zone(r#"{"type":"time_window"}"#, TimeWindowPartitions::daily("2024-05-01").timezone("Europe/Berlin").build().unwrap().into(), weeks(), "time windows are mapped within one time zone, but the upstream is in Europe/Berlin and the downstream in UTC: give both the same time zone")]
#[case::key(
    r#"{"type":"static","map":{"q":["a"]}}"#,
    letters(),
    letters(),
    "the mapping names `q`, which is no key of the upstream definition: write `a`, `b` or `c`"
)]
#[case::shared(r#"{"type":"multi_to_single"}"#, of(&[("d", days("2024-05-01")), ("l", letters())]), StaticPartitions::new(["x"]).unwrap().into(), "the side with one dimension is none of `d` or `l`, and they do not both have exactly one dimension of time")]
#[case::ambiguous(r#"{"type":"multi_to_single"}"#, of(&[("x", letters()), ("y", letters())]), letters(), "dimensions `x` and `y` are all partitioned as the other side is: name the one that is meant, such as `dimension = \"x\"`")]
#[case::dimension(r#"{"type":"multi","dims":{"nope":{"downstream_dimension":"l","mapping":{"type":"all"}}}}"#, of(&[("d", days("2024-05-01")), ("l", letters())]), of(&[("d", days("2024-05-01")), ("l", letters())]), "the upstream definition has no dimension `nope`: its dimensions are `d` and `l`")]
#[case::inner(r#"{"type":"multi","dims":{"d":{"downstream_dimension":"l","mapping":{"type":"time_window"}}}}"#, of(&[("d", days("2024-05-01")), ("l", letters())]), of(&[("d", days("2024-05-01")), ("l", letters())]), "dimension `d` to `l`: a mapping of time windows needs time windows on both sides")]
fn refuses(
    #[case] written: &str,
    #[case] upstream: PartitionsDefinition,
    #[case] downstream: PartitionsDefinition,
    #[case] message: &str,
) {
    let refusal = mapping(written)
        .validate(Some(&upstream), Some(&downstream))
        .unwrap_err();
    assert!(refusal.to_string().starts_with(message), "{refusal}");
}

#[test]
fn a_named_dimension_decides_between_equal_ones() {
    let square = of(&[("x", letters()), ("y", letters())]);
    let mapping = mapping(r#"{"type":"multi_to_single","dimension":"y"}"#);
    mapping.validate(Some(&square), Some(&letters())).unwrap();
    let b = PartitionSet::single(1);
    let made_from = mapping
        .to_upstream(&b, Some(&letters()), Some(&square), &context())
        .unwrap();
    assert_eq!(keys(&square, &made_from.existing), ["a|b", "b|b", "c|b"]);
}

#[test]
fn three_dimensions_are_mapped_each_by_its_own() {
    let upstream = of(&[
        ("at", hours("2024-06-01-00:00")),
        ("l", letters()),
        ("m", letters()),
    ]);
    let downstream = of(&[
        ("day", days("2024-06-01")),
        ("l", letters()),
        ("n", letters()),
    ]);
    let mapping = mapping(
        r#"{"type":"multi","dims":{
            "at":{"downstream_dimension":"day","mapping":{"type":"time_window"}},
            "l":{"downstream_dimension":"l","mapping":{"type":"identity"}}}}"#,
    );
    mapping
        .validate(Some(&upstream), Some(&downstream))
        .unwrap();
    let context = context();
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
        keys(&upstream, &made_from.existing)
            .iter()
            .all(|key| key.contains("2024-06-03-") && key.contains("|b|"))
    );
    let made = mapping
        .to_downstream(
            &made_from.existing,
            Some(&upstream),
            Some(&downstream),
            &context,
        )
        .unwrap();
    assert_eq!(
        keys(&downstream, &made),
        ["2024-06-03|b|a", "2024-06-03|b|b", "2024-06-03|b|c"]
    );
}

#[test]
fn excluded_windows_of_a_dimension_make_nothing() {
    let weekdays = TimeWindowPartitions::daily("2024-06-01").exclude("0 0 * * 0,6");
    let upstream = of(&[("d", weekdays.build().unwrap().into()), ("l", letters())]);
    let downstream = days("2024-05-01");
    let made = PartitionMapping::infer(Some(&upstream), Some(&downstream))
        .to_downstream(
            &upstream.all(&context()),
            Some(&upstream),
            Some(&downstream),
            &context(),
        )
        .unwrap();
    assert_eq!(made.len(), 10);
    assert!(!made.contains(downstream.find("2024-06-08", &context()).unwrap()));
}

#[test]
fn what_lies_before_the_upstream_is_named() {
    let (upstream, downstream) = (days("2024-06-10"), days("2024-06-01"));
    let all = downstream.all(&context());
    let answer = PartitionMapping::OVERLAPPING
        .to_upstream(&all, Some(&downstream), Some(&upstream), &context())
        .unwrap();
    assert_eq!(answer.existing.len(), 5);
    assert_eq!(answer.nonexistent.len(), 9);
    assert_eq!(answer.nonexistent[0].as_str(), "2024-06-01");
}

#[test]
fn a_long_run_of_hours_is_one_run_of_days() {
    let (upstream, downstream) = (hours("1970-01-01-00:00"), days("1970-01-01"));
    let all = upstream.all(&context());
    assert_eq!(all.len(), 19_889 * 24 + 13);
    let made = PartitionMapping::OVERLAPPING
        .to_downstream(&all, Some(&upstream), Some(&downstream), &context())
        .unwrap();
    assert_eq!(made, downstream.all(&context()));
    assert_eq!(made.ranges().count(), 1);
}

#[rstest]
#[case::identity(r#"{"type":"identity"}"#, true)]
#[case::windows(r#"{"type":"time_window"}"#, true)]
#[case::shifted(r#"{"type":"time_window","start_offset":-1,"end_offset":-1}"#, false)]
#[case::all(r#"{"type":"all"}"#, false)]
fn knows_an_identity(#[case] written: &str, #[case] identity: bool) {
    let (these, those) = (days("2024-05-01"), days("2024-05-02"));
    assert_eq!(
        mapping(written).is_identity_between(Some(&these), Some(&these)),
        identity
    );
    assert!(!mapping(written).is_identity_between(Some(&these), Some(&those)));
    assert!(!mapping(written).is_identity_between(Some(&these), None));
    assert!(mapping(written).is_identity_between(None, None));
}

fn side() -> impl Strategy<Value = PartitionsDefinition> {
    prop_oneof![
        Just(days("2024-05-20")),
        Just(hours("2024-06-10-00:00")),
        Just(weeks()),
        Just(of(&[("d", days("2024-06-01")), ("l", letters())])),
        Just(of(&[("w", weeks()), ("l", letters()), ("m", letters())])),
    ]
}

proptest! {
    /// Whatever a partition is made from that exists makes it.
    #[test]
    fn up_and_down_again_contains_the_start(
        upstream in side(), downstream in side(), chosen in prop::collection::vec(any::<prop::sample::Index>(), 1..6),
    ) {
        let context = context();
        let mapping = PartitionMapping::infer(Some(&upstream), Some(&downstream));
        prop_assume!(mapping.validate(Some(&upstream), Some(&downstream)).is_ok());
        let all: Vec<u64> = downstream.all(&context).iter().collect();
        for start in chosen.iter().map(|index| PartitionSet::single(*index.get(&all))) {
            let up = mapping.to_upstream(&start, Some(&downstream), Some(&upstream), &context).unwrap();
            prop_assert!(up.existing.is_subset(&upstream.all(&context)));
            if !up.existing.is_empty() {
                let again = mapping.to_downstream(&up.existing, Some(&upstream), Some(&downstream), &context).unwrap();
                prop_assert!(start.is_subset(&again));
            }
        }
    }

    /// A window by itself gives what Dagster gives for it, and a run the union, where none is lost
    /// at an edge.
    #[test]
    fn dimensions_are_mapped_as_their_windows_are(from in 0..70u64, length in 1..6u64) {
        let context = context();
        let (upstream, downstream) = (of(&[("d", days("2024-05-01")), ("l", letters())]), weeks());
        let mapping = PartitionMapping::infer(Some(&upstream), Some(&downstream));
        let all = downstream.all(&context);
        let run = &PartitionSet::from(from % 20..from % 20 + length) & &all;
        let whole = mapping.to_upstream(&run, Some(&downstream), Some(&upstream), &context).unwrap();
        let mut union = PartitionSet::empty();
        for one in run.iter() {
            let one = PartitionSet::single(one);
            union |= &mapping.to_upstream(&one, Some(&downstream), Some(&upstream), &context).unwrap().existing;
        }
        prop_assert_eq!(whole.existing, union);
    }
}
