use std::num::NonZeroU32;

use chrono::DateTime;
use proptest::prelude::*;

use super::*;
use crate::partitions::{StaticPartitions, TimeWindowPartitions};

fn noon_context() -> PartitionContext {
    PartitionContext::at("2024-08-30T12:00:00Z".parse::<DateTime<_>>().unwrap())
}

/// Days without some, three kinds and two sizes.
fn grid_of_days(excluded: &[&str]) -> MultiPartitions {
    let mut days = TimeWindowPartitions::daily("2024-08-20");
    for day in excluded {
        days = days.exclude_at(*day);
    }
    let letters = |keys: &[&str]| StaticPartitions::new(keys.iter().copied()).unwrap().into();
    MultiPartitions::new([
        ("date", PartitionsDefinition::from(days.build().unwrap())),
        ("kind", letters(&["one", "two", "three"])),
        ("size", letters(&["L", "S"])),
    ])
    .unwrap()
}

/// The first key, the last key and the size of each batch.
fn batches_of(
    policy: BackfillPolicy,
    multi: &MultiPartitions,
    set: &PartitionSet,
) -> Vec<(String, String, u64)> {
    let definition = PartitionsDefinition::from(multi.clone());
    let context = noon_context();
    let key = |ordinal| definition.key(ordinal, &context).unwrap().to_string();
    divide_into_batches(policy, Some(&definition), set, &context)
        .into_iter()
        .map(|batch| (key(batch.first), key(batch.last), batch.partitions.len()))
        .collect()
}

fn range_of(multi: &MultiPartitions, first: &str, last: &str) -> PartitionSet {
    let definition = PartitionsDefinition::from(multi.clone());
    let range = definition.range(&first.into(), &last.into(), &noon_context());
    range.unwrap()
}

fn batch(first: &str, last: &str, count: u64) -> (String, String, u64) {
    (first.to_owned(), last.to_owned(), count)
}

#[test]
fn a_product_without_gaps_is_one_batch() {
    for excluded in [&[][..], &["2024-08-22"]] {
        let multi = grid_of_days(excluded);
        let set = range_of(&multi, "2024-08-21|one|L", "2024-08-24|three|S");
        let days = 4 - excluded.len() as u64;
        assert_eq!(
            batches_of(BackfillPolicy::SingleRun, &multi, &set),
            [batch("2024-08-21|one|L", "2024-08-24|three|S", days * 6)]
        );
    }
}

#[test]
fn a_gap_in_any_dimension_ends_a_batch() {
    let multi = grid_of_days(&[]);
    let mut set = range_of(&multi, "2024-08-21|one|L", "2024-08-23|three|S");
    set -= &range_of(&multi, "2024-08-22|one|L", "2024-08-22|three|S");
    set -= &range_of(&multi, "2024-08-20|two|L", "2024-08-29|two|S");
    assert_eq!(
        batches_of(BackfillPolicy::SingleRun, &multi, &set),
        [
            batch("2024-08-21|one|L", "2024-08-21|one|S", 2),
            batch("2024-08-21|three|L", "2024-08-21|three|S", 2),
            batch("2024-08-23|one|L", "2024-08-23|one|S", 2),
            batch("2024-08-23|three|L", "2024-08-23|three|S", 2),
        ]
    );
}

#[test]
fn partitions_that_are_no_product_take_few_batches() {
    let multi = grid_of_days(&[]);
    // Two whole days, and one kind of a third.
    let mut set = range_of(&multi, "2024-08-21|one|L", "2024-08-22|three|S");
    set |= &range_of(&multi, "2024-08-23|two|L", "2024-08-23|two|S");
    assert_eq!(
        batches_of(BackfillPolicy::SingleRun, &multi, &set),
        [
            batch("2024-08-21|one|L", "2024-08-22|three|S", 12),
            batch("2024-08-23|two|L", "2024-08-23|two|S", 2),
        ]
    );
}

#[test]
fn a_limit_divides_a_product_into_products() {
    let multi = grid_of_days(&[]);
    let set = range_of(&multi, "2024-08-21|one|L", "2024-08-23|three|S");
    let of_most = |most| {
        let policy = BackfillPolicy::MultiRun(NonZeroU32::new(most).unwrap());
        let batches = batches_of(policy, &multi, &set);
        assert!(
            batches
                .iter()
                .all(|(_, _, count)| *count <= u64::from(most))
        );
        batches.len()
    };
    let counts: Vec<usize> = [1, 2, 3, 6, 12, 17, 18].map(of_most).to_vec();
    assert_eq!(counts, [18, 9, 6, 3, 2, 2, 1]);
}

proptest! {
    #[test]
    fn batches_are_disjoint_ranges_that_cover_the_set(
        wanted in prop::collection::btree_set(0..60_u64, 0..40),
        most in 0..8_u32,
    ) {
        let multi = grid_of_days(&["2024-08-25"]);
        let definition = PartitionsDefinition::from(multi);
        let context = noon_context();
        let set = &wanted.into_iter().collect::<PartitionSet>() & &definition.all(&context);
        let policy = NonZeroU32::new(most).map_or(BackfillPolicy::SingleRun, BackfillPolicy::MultiRun);
        let mut covered = PartitionSet::empty();
        for batch in divide_into_batches(policy, Some(&definition), &set, &context) {
            prop_assert!(covered.is_disjoint(&batch.partitions));
            covered |= &batch.partitions;
            let key = |ordinal| definition.key(ordinal, &context).unwrap();
            let range = definition.range(&key(batch.first), &key(batch.last), &context).unwrap();
            prop_assert_eq!(&range, &batch.partitions);
            prop_assert!(most == 0 || batch.partitions.len() <= u64::from(most));
        }
        prop_assert_eq!(covered, set);
    }
}
