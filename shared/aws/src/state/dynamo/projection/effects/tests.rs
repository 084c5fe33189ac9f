use aws_lambda_events::event::dynamodb::Event as StreamEvent;
use precip_core::partitions::PartitionSet;
use precip_engine::automation::automation_trigger;
use precip_engine::state::{
    CheckOutcome, Materialization, PartitionRef,
    conformance::fixtures::{
        asset_key, check_evaluation, day_partition, materialization_of, run_id,
    },
    rules::Version,
};

use super::{
    super::{super::item::text_value, change::Change},
    *,
};
use crate::state::dynamo::{
    codec::pack_materialization,
    item::{build_item, number_value},
};

/// Builds a latest row with a published and a failed version.
fn latest_item(
    target: &PartitionRef,
    made: Option<&Materialization>,
    failed: Option<Version>,
) -> Item {
    let mut row = build_item(
        &keys::latest_row_of(target),
        [("o", number_value(target.ordinal))],
    );
    if let Some(made) = made {
        let run = u64::try_from(made.run.as_ulid().0 & 0xff).unwrap();
        row.extend([
            ("run".to_owned(), text_value(made.run.to_string())),
            ("attempt".to_owned(), number_value(made.attempt)),
            (
                "q".to_owned(),
                number_value(run * 100 + u64::from(made.attempt)),
            ),
            ("m".to_owned(), pack_materialization(made, 200).unwrap()),
        ]);
    }
    if let Some((run, attempt)) = failed {
        row.insert("frun".to_owned(), text_value(run.to_string()));
        row.insert("fattempt".to_owned(), number_value(attempt));
    }
    row
}

fn change_of_latest(target: &PartitionRef, old: Option<Item>, new: Option<Item>) -> Change {
    let keys = build_item(&keys::latest_row_of(target), []);
    Change::new(keys, old.unwrap_or_default(), new.unwrap_or_default())
}

fn effects_of(change: Change) -> Effects {
    Effects::of_changes(&[change], &KnownState::default())
}

fn bits_of(effects: &Effects, key: &Key) -> Vec<(&'static str, u64, bool)> {
    let bits = effects.bits.get(key).into_iter().flatten();
    bits.map(|bit| (bit.set, bit.ordinal, bit.value)).collect()
}

#[test]
fn a_first_materialization_is_bits_and_an_update_and_no_history() {
    let target = day_partition("flights", 5000);
    let item = materialization_of(&target, run_id(1), 1);
    let effects = effects_of(change_of_latest(
        &target,
        None,
        Some(latest_item(&target, Some(&item), None)),
    ));
    // Ordinal 5000 is in the second segment of 4096.
    let statuses = keys::statuses_row(&asset_key("flights"), 0, 1);
    assert_eq!(
        bits_of(&effects, &statuses),
        [("m", 5000, true), ("f", 5000, false), ("s", 5000, false)]
    );
    let progress = keys::progress_row(run_id(1), Progress::Done, &asset_key("flights"), 1);
    assert_eq!(bits_of(&effects, &progress), [("b", 5000, true)]);
    let update = Update {
        stamp: 101,
        ordinal: 5000,
    };
    assert_eq!(
        effects.updates,
        [(asset_key("flights"), vec![update])].into()
    );
    assert!(effects.archive.is_empty() && effects.resolved.is_empty());
    assert!(effects.checks.is_empty() && effects.failing.is_empty());
}

#[test]
fn what_is_superseded_goes_into_the_log_under_its_own_key() {
    let target = day_partition("flights", 1);
    let (first, second) = (
        materialization_of(&target, run_id(1), 1),
        materialization_of(&target, run_id(2), 1),
    );
    let row = |made| Some(latest_item(&target, Some(made), None));
    let effects = effects_of(change_of_latest(&target, row(&first), row(&second)));
    let event = precip_engine::state::Event::Materialized(Box::new(first));
    let archived: Vec<Key> = effects.archive.iter().map(Attributes::key).collect();
    assert_eq!(archived, [keys::event_row(&target, &event.key())]);
}

#[test]
fn the_same_attempt_again_is_no_update_and_no_history() {
    let target = day_partition("flights", 1);
    let first = materialization_of(&target, run_id(1), 1);
    let mut again = first.clone();
    again.data_version = "other".to_owned();
    let row = |made| Some(latest_item(&target, Some(made), None));
    let effects = effects_of(change_of_latest(&target, row(&first), row(&again)));
    assert!(effects.updates.is_empty() && effects.archive.is_empty());
}

#[test]
fn a_failure_shows_while_it_is_newer_than_the_published_version() {
    let target = day_partition("flights", 1);
    let key = keys::statuses_row(&asset_key("flights"), 0, 0);
    let published = materialization_of(&target, run_id(2), 1);
    for (failed, shows) in [(1, false), (2, false), (3, true)] {
        let row = latest_item(&target, Some(&published), Some((run_id(failed), 1)));
        let effects = effects_of(change_of_latest(&target, None, Some(row)));
        assert_eq!(bits_of(&effects, &key)[1], ("f", 1, shows), "run {failed}");
    }
}

#[test]
fn a_run_that_publishes_after_its_failure_resolves_it() {
    let target = day_partition("flights", 1);
    let made = materialization_of(&target, run_id(2), 2);
    // The failure of run 1 is not this run's; a newer run's may hide one of this run's.
    for (failed, resolved) in [(1, false), (2, true), (3, true)] {
        let failed = Some((run_id(failed), 1));
        let old = latest_item(&target, None, failed);
        let new = latest_item(&target, Some(&made), failed);
        let effects = effects_of(change_of_latest(&target, Some(old), Some(new)));
        let key = keys::failure_row(run_id(2), &target.asset, target.partition.as_ref());
        assert_eq!(effects.resolved.contains(&key), resolved);
    }
}

#[test]
fn a_wiped_row_clears_its_bits_and_stays_in_the_log() {
    let target = day_partition("flights", 1);
    let item = materialization_of(&target, run_id(1), 1);
    let effects = effects_of(change_of_latest(
        &target,
        Some(latest_item(&target, Some(&item), None)),
        None,
    ));
    let key = keys::statuses_row(&asset_key("flights"), 0, 0);
    assert_eq!(
        bits_of(&effects, &key),
        [("m", 1, false), ("f", 1, false), ("s", 1, false)]
    );
    assert_eq!(effects.archive.len(), 1);
    assert!(effects.updates.is_empty());
}

#[test]
fn a_check_that_is_no_longer_published_keeps_its_latest_evaluation() {
    let target = day_partition("flights", 1);
    let mut first = materialization_of(&target, run_id(1), 1);
    first.checks = ["rows", "nulls"]
        .map(|name| check_evaluation(name, &target, run_id(1), 1, CheckOutcome::Failed))
        .to_vec();
    let mut second = materialization_of(&target, run_id(2), 1);
    second.checks = vec![check_evaluation(
        "rows",
        &target,
        run_id(2),
        1,
        CheckOutcome::Passed,
    )];
    let row = |made| Some(latest_item(&target, Some(made), None));
    let effects = effects_of(change_of_latest(&target, row(&first), row(&second)));
    let kept = effects.checks.iter().map(|op| match op {
        Op::Put(row, _) => row.key(),
        other => panic!("{other:?}"),
    });
    assert_eq!(
        kept.collect::<Vec<_>>(),
        [keys::check_row(&target, "nulls")]
    );
    // `rows` passes now, and the partition no longer fails it.
    assert!(matches!(&effects.failing[..], [Op::Delete(key, _)]
        if *key == keys::failing_row(&target.asset, target.partition.as_ref(), "rows")));
    // The materialization and its two evaluations.
    assert_eq!(effects.archive.len(), 3);
}

#[test]
fn rows_of_another_generation_are_looked_up_or_left_alone() {
    let target = day_partition("flights", 1);
    let item = materialization_of(&target, run_id(1), 1);
    let mut known = KnownState {
        generations: [(asset_key("flights"), 2)].into(),
        ..KnownState::default()
    };
    let row = |generation: u64, ordinal: u64| {
        let mut row = latest_item(&target, Some(&item), None);
        row.insert("g".to_owned(), number_value(generation));
        row.insert("o".to_owned(), number_value(ordinal));
        row
    };
    // An older generation: the row is read again, and its present ordinal is used.
    let early = [change_of_latest(&target, None, Some(row(1, 1)))];
    assert_eq!(
        possibly_renumbered(&early, &known.generations),
        [keys::latest_row_of(&target)].into()
    );
    assert!(Effects::of_changes(&early, &known).updates.is_empty());
    let current = Row::from_item(&row(2, 9)).unwrap();
    known.current.insert(current.key(), current);
    let effects = Effects::of_changes(&early, &known);
    let key = keys::statuses_row(&asset_key("flights"), 2, 0);
    assert_eq!(bits_of(&effects, &key)[0], ("m", 9, true));
    // A newer generation is being numbered: its bitmaps are rebuilt at the end of that.
    let late = [change_of_latest(&target, None, Some(row(3, 9)))];
    assert!(possibly_renumbered(&late, &known.generations).is_empty());
    assert!(!Effects::of_changes(&late, &known).bits.contains_key(&key));
}

#[test]
fn a_failed_partition_is_a_bit_of_the_run() {
    let target = day_partition("flights", 4100);
    let key = keys::failure_row(run_id(1), &target.asset, target.partition.as_ref());
    let row = build_item(&key, [("o", number_value(4100))]);
    let lost = keys::progress_row(run_id(1), Progress::Lost, &target.asset, 1);
    let none = Item::new;
    let there = effects_of(Change::new(build_item(&key, []), none(), row.clone()));
    assert_eq!(bits_of(&there, &lost), [("b", 4100, true)]);
    let gone = effects_of(Change::new(build_item(&key, []), row, none()));
    assert_eq!(bits_of(&gone, &lost), [("b", 4100, false)]);
}

#[test]
fn an_unreadable_record_does_not_block_the_stream() {
    let target = day_partition("flights", 1);
    let item = materialization_of(&target, run_id(1), 1);
    let mut broken = latest_item(&target, Some(&item), None);
    broken.insert("m".to_owned(), text_value("{"));
    let newer = materialization_of(&target, run_id(2), 1);
    let newer = latest_item(&target, Some(&newer), None);
    let effects = effects_of(change_of_latest(&target, Some(broken), Some(newer)));
    assert!(effects.archive.is_empty());
    assert_eq!(effects.updates.len(), 1);
}

/// As Lambda delivers it.
#[test]
fn a_record_of_a_lambda_event_is_a_change() {
    let event = serde_json::json!({ "Records": [{
        "eventID": "1", "eventName": "INSERT", "eventVersion": "1.1",
        "eventSource": "aws:dynamodb", "awsRegion": "eu-central-1",
        "dynamodb": {
            "Keys": { "pk": { "S": "L#flights#0" }, "sk": { "S": "#" } },
            "NewImage": { "pk": { "S": "L#flights#0" }, "sk": { "S": "#" }, "o": { "N": "0" },
                          "frun": { "S": run_id(1).to_string() }, "fattempt": { "N": "2" } },
            "SequenceNumber": "111", "SizeBytes": 26, "StreamViewType": "NEW_AND_OLD_IMAGES"
        }
    }]});
    let event: StreamEvent = serde_json::from_value(event).unwrap();
    let changes: Vec<Change> = event
        .records
        .into_iter()
        .map(|record| record.change)
        .map(|record| {
            Change::new(
                record.keys.into_inner(),
                record.old_image.into_inner(),
                record.new_image.into_inner(),
            )
        })
        .collect();
    let effects = Effects::of_changes(&changes, &KnownState::default());
    let key = keys::statuses_row(&asset_key("flights"), 0, 0);
    assert_eq!(
        bits_of(&effects, &key),
        [("m", 0, false), ("f", 0, true), ("s", 0, false)]
    );
    let set: PartitionSet = effects
        .updates
        .values()
        .flatten()
        .map(|u| u.ordinal)
        .collect();
    assert!(set.is_empty());
}

#[test]
fn changes_that_reactions_wait_for_are_reported() {
    let target = day_partition("flights", 3);
    let (first, second) = (
        materialization_of(&target, run_id(1), 1),
        materialization_of(&target, run_id(2), 1),
    );
    let row = |made, failed| Some(latest_item(&target, made, failed));
    let changed = |change| effects_of(change).changes.changed.contains("flights");
    // Publications are reported by the update log, not as changes.
    assert!(!changed(change_of_latest(
        &target,
        None,
        row(Some(&first), None)
    )));
    assert!(!changed(change_of_latest(
        &target,
        row(Some(&first), None),
        row(Some(&second), None)
    )));
    let failed = Some((run_id(2), 1));
    assert!(changed(change_of_latest(
        &target,
        row(Some(&first), None),
        row(Some(&first), failed)
    )));
    assert!(changed(change_of_latest(
        &target,
        row(Some(&first), None),
        None
    )));

    let run = |from: Option<RunStatus>, to: Option<RunStatus>| {
        let key = keys::run_row(run_id(7));
        let row = |status: RunStatus| build_item(&key, [("status", text_value(status.as_str()))]);
        let image = |status: Option<RunStatus>| status.map(row).unwrap_or_default();
        let change = Change::new(build_item(&key, []), image(from), image(to));
        effects_of(change).changes.ended.contains(&run_id(7))
    };
    use RunStatus::{Failed, Queued, Running, Succeeded};
    assert!(run(Some(Running), Some(Succeeded)));
    assert!(run(Some(Queued), Some(Failed)));
    assert!(run(Some(Failed), Some(Succeeded)));
    assert!(!run(Some(Failed), Some(Failed)));
    assert!(!run(Some(Failed), Some(Running)));
    assert!(!run(None, Some(Queued)));
    assert!(!run(Some(Succeeded), None));

    let key = keys::dynamic_row("files#1", &"a".into());
    let added = Change::new(
        build_item(&key, []),
        Default::default(),
        build_item(&key, []),
    );
    assert!(effects_of(added).changes.dynamic_sets.contains("files#1"));

    // The cursor of waiting runs, whose key the template's filter names, and no other.
    for (trigger, expected) in [(waiting_trigger(), true), (automation_trigger(), false)] {
        let key = keys::trigger_row(&trigger);
        let recorded = Change::new(
            build_item(&key, []),
            Default::default(),
            build_item(&key, []),
        );
        assert_eq!(effects_of(recorded).changes.waiting, expected);
    }
    assert_eq!(
        keys::trigger_row(&waiting_trigger()).pk,
        "S#automation:waiting"
    );
}

/// A batch as Lambda delivers it: the publication and the end of the run are reported, and the unreadable
/// row affects neither.
#[test]
fn the_sample_batch_is_read_and_a_poisoned_record_harms_no_other() {
    let sample = include_str!("../../../../../../../events/dynamodb/stream_batch.json");
    let event: StreamEvent = serde_json::from_str(sample).unwrap();
    let again = serde_json::to_value(&event).unwrap();
    let sample: serde_json::Value = serde_json::from_str(sample).unwrap();
    for (index, record) in sample["Records"].as_array().unwrap().iter().enumerate() {
        let (record, again) = (&record["dynamodb"], &again["Records"][index]["dynamodb"]);
        for field in ["Keys", "NewImage", "SequenceNumber", "StreamViewType"] {
            assert_eq!(record[field], again[field], "{field} of record {index}");
        }
    }
    let records = event.records.into_iter().map(|record| record.change);
    let changes: Vec<Change> = records
        .map(|record| {
            let (old, new) = (record.old_image, record.new_image);
            Change::new(record.keys.into_inner(), old.into_inner(), new.into_inner())
        })
        .collect();
    let [made, ended, poisoned] = &changes[..] else {
        panic!("{changes:?}");
    };
    let new_row = |change: &Change| Row::from_item(change.new.as_ref().unwrap()).unwrap();
    for change in [made, poisoned] {
        // The bucket in its key is the one that its partition has.
        assert_eq!(new_row(change).key(), change.key);
    }
    assert!(
        new_row(made).materialization().is_ok() && new_row(poisoned).materialization().is_err()
    );

    let effects = Effects::of_changes(&changes, &KnownState::default());
    let statuses = keys::statuses_row(&asset_key("flights"), 0, 0);
    assert_eq!(
        bits_of(&effects, &statuses),
        [("m", 4, true), ("f", 4, false), ("s", 4, false)]
    );
    let stamp = new_row(made).stamp;
    let flights = vec![Update { stamp, ordinal: 4 }];
    assert_eq!(effects.updates.get(&asset_key("flights")), Some(&flights));
    let run = keys::parse_run(&ended.key).unwrap();
    assert_eq!(effects.changes.ended, [run].into());
}
