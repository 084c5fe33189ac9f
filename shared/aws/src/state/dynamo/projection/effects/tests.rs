use aws_lambda_events::event::dynamodb::Event as StreamEvent;
use precip_core::partitions::PartitionSet;
use precip_engine::state::{
    CheckOutcome, Materialization, PartitionRef,
    conformance::fixtures::{asset, checked, day, made, run_id},
    rules::Version,
};

use super::{
    super::{super::item::text, change::Change},
    *,
};
use crate::state::dynamo::{
    codec::pack_made,
    item::{item, number},
};

/// A latest row: what is published, and what failed.
fn latest(target: &PartitionRef, made: Option<&Materialization>, failed: Option<Version>) -> Item {
    let mut row = item(&keys::latest_of(target), [("o", number(target.ordinal))]);
    if let Some(made) = made {
        let run = u64::try_from(made.run.as_ulid().0 & 0xff).unwrap();
        row.extend([
            ("run".to_owned(), text(made.run.to_string())),
            ("attempt".to_owned(), number(made.attempt)),
            ("q".to_owned(), number(run * 100 + u64::from(made.attempt))),
            ("m".to_owned(), pack_made(made, 200).unwrap()),
        ]);
    }
    if let Some((run, attempt)) = failed {
        row.insert("frun".to_owned(), text(run.to_string()));
        row.insert("fattempt".to_owned(), number(attempt));
    }
    row
}

fn change(target: &PartitionRef, old: Option<Item>, new: Option<Item>) -> Change {
    let keys = item(&keys::latest_of(target), []);
    Change::new(keys, old.unwrap_or_default(), new.unwrap_or_default())
}

fn of(change: Change) -> Effects {
    Effects::of(&[change], &Known::default())
}

fn bits(effects: &Effects, key: &Key) -> Vec<(&'static str, u64, bool)> {
    let bits = effects.bits.get(key).into_iter().flatten();
    bits.map(|bit| (bit.set, bit.ordinal, bit.value)).collect()
}

#[test]
fn a_first_materialization_is_bits_and_an_update_and_no_history() {
    let target = day("flights", 5000);
    let item = made(&target, run_id(1), 1);
    let effects = of(change(
        &target,
        None,
        Some(latest(&target, Some(&item), None)),
    ));
    let statuses = keys::statuses(&asset("flights"), 0, 1);
    assert_eq!(
        bits(&effects, &statuses),
        [("m", 5000, true), ("f", 5000, false)]
    );
    let progress = keys::progress(run_id(1), Progress::Done, &asset("flights"), 1);
    assert_eq!(bits(&effects, &progress), [("b", 5000, true)]);
    let update = Update {
        stamp: 101,
        ordinal: 5000,
    };
    assert_eq!(effects.updates, [(asset("flights"), vec![update])].into());
    assert!(effects.archive.is_empty() && effects.made_good.is_empty());
    assert!(effects.checks.is_empty() && effects.failing.is_empty());
}

#[test]
fn what_is_superseded_goes_into_the_log_under_its_own_key() {
    let target = day("flights", 1);
    let (first, second) = (made(&target, run_id(1), 1), made(&target, run_id(2), 1));
    let row = |made| Some(latest(&target, Some(made), None));
    let effects = of(change(&target, row(&first), row(&second)));
    let event = precip_engine::state::Event::Materialized(Box::new(first));
    let archived: Vec<Key> = effects.archive.iter().map(Attributes::key).collect();
    assert_eq!(archived, [keys::event(&target, &event.key())]);
}

#[test]
fn the_same_attempt_again_is_no_update_and_no_history() {
    let target = day("flights", 1);
    let first = made(&target, run_id(1), 1);
    let mut again = first.clone();
    again.data_version = "other".to_owned();
    let row = |made| Some(latest(&target, Some(made), None));
    let effects = of(change(&target, row(&first), row(&again)));
    assert!(effects.updates.is_empty() && effects.archive.is_empty());
}

#[test]
fn a_failure_shows_while_it_is_newer_than_what_is_published() {
    let target = day("flights", 1);
    let key = keys::statuses(&asset("flights"), 0, 0);
    let published = made(&target, run_id(2), 1);
    for (failed, shows) in [(1, false), (2, false), (3, true)] {
        let row = latest(&target, Some(&published), Some((run_id(failed), 1)));
        let effects = of(change(&target, None, Some(row)));
        assert_eq!(bits(&effects, &key)[1], ("f", 1, shows), "run {failed}");
    }
}

#[test]
fn a_run_that_makes_its_failure_good_takes_it_off_its_record() {
    let target = day("flights", 1);
    let made = made(&target, run_id(2), 2);
    for (failed, good) in [(1, false), (2, true), (3, true)] {
        let failed = Some((run_id(failed), 1));
        let old = latest(&target, None, failed);
        let new = latest(&target, Some(&made), failed);
        let effects = of(change(&target, Some(old), Some(new)));
        let key = keys::failure(run_id(2), &target.asset, target.partition.as_ref());
        assert_eq!(effects.made_good.contains(&key), good);
    }
}

#[test]
fn a_row_that_is_wiped_clears_its_bits_and_stays_in_the_log() {
    let target = day("flights", 1);
    let item = made(&target, run_id(1), 1);
    let effects = of(change(
        &target,
        Some(latest(&target, Some(&item), None)),
        None,
    ));
    let key = keys::statuses(&asset("flights"), 0, 0);
    assert_eq!(bits(&effects, &key), [("m", 1, false), ("f", 1, false)]);
    assert_eq!(effects.archive.len(), 1);
    assert!(effects.updates.is_empty());
}

#[test]
fn a_check_that_is_not_published_any_more_is_kept_as_its_latest() {
    let target = day("flights", 1);
    let mut first = made(&target, run_id(1), 1);
    first.checks = ["rows", "nulls"]
        .map(|name| checked(name, &target, run_id(1), 1, CheckOutcome::Failed))
        .to_vec();
    let mut second = made(&target, run_id(2), 1);
    second.checks = vec![checked("rows", &target, run_id(2), 1, CheckOutcome::Passed)];
    let row = |made| Some(latest(&target, Some(made), None));
    let effects = of(change(&target, row(&first), row(&second)));
    let kept = effects.checks.iter().map(|op| match op {
        Op::Put(row, _) => row.key(),
        other => panic!("{other:?}"),
    });
    assert_eq!(kept.collect::<Vec<_>>(), [keys::check(&target, "nulls")]);
    // `rows` passes now, and is taken away from the partitions that fail it.
    assert!(matches!(&effects.failing[..], [Op::Delete(key, _)]
        if *key == keys::failing(&target.asset, target.partition.as_ref(), "rows")));
    // The materialization and its two evaluations.
    assert_eq!(effects.archive.len(), 3);
}

#[test]
fn rows_of_another_generation_are_looked_up_or_left_alone() {
    let target = day("flights", 1);
    let item = made(&target, run_id(1), 1);
    let mut known = Known {
        generations: [(asset("flights"), 2)].into(),
        ..Known::default()
    };
    let row = |generation: u64, ordinal: u64| {
        let mut row = latest(&target, Some(&item), None);
        row.insert("g".to_owned(), number(generation));
        row.insert("o".to_owned(), number(ordinal));
        row
    };
    let early = [change(&target, None, Some(row(1, 1)))];
    assert_eq!(
        doubtful(&early, &known.generations),
        [keys::latest_of(&target)].into()
    );
    assert!(Effects::of(&early, &known).updates.is_empty());
    let current = Row::of(&row(2, 9)).unwrap();
    known.current.insert(current.key(), current);
    let effects = Effects::of(&early, &known);
    let key = keys::statuses(&asset("flights"), 2, 0);
    assert_eq!(bits(&effects, &key)[0], ("m", 9, true));
    // Being numbered by a generation that is to come: its bitmaps are made again at its end.
    let late = [change(&target, None, Some(row(3, 9)))];
    assert!(doubtful(&late, &known.generations).is_empty());
    assert!(!Effects::of(&late, &known).bits.contains_key(&key));
}

#[test]
fn what_a_run_gave_up_on_is_a_bit_of_the_run() {
    let target = day("flights", 4100);
    let key = keys::failure(run_id(1), &target.asset, target.partition.as_ref());
    let row = item(&key, [("o", number(4100))]);
    let lost = keys::progress(run_id(1), Progress::Lost, &target.asset, 1);
    let none = Item::new;
    let there = of(Change::new(item(&key, []), none(), row.clone()));
    assert_eq!(bits(&there, &lost), [("b", 4100, true)]);
    let gone = of(Change::new(item(&key, []), row, none()));
    assert_eq!(bits(&gone, &lost), [("b", 4100, false)]);
}

#[test]
fn a_record_that_cannot_be_read_does_not_hold_up_the_stream() {
    let target = day("flights", 1);
    let item = made(&target, run_id(1), 1);
    let mut broken = latest(&target, Some(&item), None);
    broken.insert("m".to_owned(), text("{"));
    let newer = made(&target, run_id(2), 1);
    let newer = latest(&target, Some(&newer), None);
    let effects = of(change(&target, Some(broken), Some(newer)));
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
    let effects = Effects::of(&changes, &Known::default());
    let key = keys::statuses(&asset("flights"), 0, 0);
    assert_eq!(bits(&effects, &key), [("m", 0, false), ("f", 0, true)]);
    let set: PartitionSet = effects
        .updates
        .values()
        .flatten()
        .map(|u| u.ordinal)
        .collect();
    assert!(set.is_empty());
}

#[test]
fn what_others_wait_for_is_told() {
    let target = day("flights", 3);
    let (first, second) = (made(&target, run_id(1), 1), made(&target, run_id(2), 1));
    let row = |made, failed| Some(latest(&target, made, failed));
    let changed = |change| of(change).happened.changed.contains("flights");
    // What is published stands in the log; it is told of from there.
    assert!(!changed(change(&target, None, row(Some(&first), None))));
    assert!(!changed(change(
        &target,
        row(Some(&first), None),
        row(Some(&second), None)
    )));
    let failed = Some((run_id(2), 1));
    assert!(changed(change(
        &target,
        row(Some(&first), None),
        row(Some(&first), failed)
    )));
    assert!(changed(change(&target, row(Some(&first), None), None)));

    let run = |from: Option<RunStatus>, to: Option<RunStatus>| {
        let key = keys::run(run_id(7));
        let row = |status: RunStatus| item(&key, [("status", text(status.as_str()))]);
        let image = |status: Option<RunStatus>| status.map(row).unwrap_or_default();
        let change = Change::new(item(&key, []), image(from), image(to));
        of(change).happened.ended.contains(&run_id(7))
    };
    use RunStatus::{Failed, Queued, Running, Succeeded};
    assert!(run(Some(Running), Some(Succeeded)));
    assert!(run(Some(Queued), Some(Failed)));
    assert!(run(Some(Failed), Some(Succeeded)));
    assert!(!run(Some(Failed), Some(Failed)));
    assert!(!run(Some(Failed), Some(Running)));
    assert!(!run(None, Some(Queued)));
    assert!(!run(Some(Succeeded), None));

    let key = keys::dynamic("files#1", &"a".into());
    let added = Change::new(item(&key, []), Default::default(), item(&key, []));
    assert!(of(added).happened.keys.contains("files#1"));
}

/// A batch as Lambda delivers it: what was made and the run that ended are told, and the row that cannot
/// be read harms neither.
#[test]
fn the_sample_batch_is_read_and_a_poisoned_record_harms_no_other() {
    let sample = include_str!("../../../../../../../events/dynamodb/stream_batch.json");
    let event: StreamEvent = serde_json::from_str(sample).unwrap();
    let again = serde_json::to_value(&event).unwrap();
    let sample: serde_json::Value = serde_json::from_str(sample).unwrap();
    for (place, record) in sample["Records"].as_array().unwrap().iter().enumerate() {
        let (record, again) = (&record["dynamodb"], &again["Records"][place]["dynamodb"]);
        for field in ["Keys", "NewImage", "SequenceNumber", "StreamViewType"] {
            assert_eq!(record[field], again[field], "{field} of record {place}");
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
    let of = |change: &Change| Row::of(change.new.as_ref().unwrap()).unwrap();
    for change in [made, poisoned] {
        // The bucket in its key is the one that its partition has.
        assert_eq!(of(change).key(), change.key);
    }
    assert!(of(made).materialization().is_ok() && of(poisoned).materialization().is_err());

    let effects = Effects::of(&changes, &Known::default());
    let statuses = keys::statuses(&asset("flights"), 0, 0);
    assert_eq!(bits(&effects, &statuses), [("m", 4, true), ("f", 4, false)]);
    let stamp = of(made).stamp;
    let flights = vec![Update { stamp, ordinal: 4 }];
    assert_eq!(effects.updates.get(&asset("flights")), Some(&flights));
    let run = keys::parse_run(&ended.key).unwrap();
    assert_eq!(effects.happened.ended, [run].into());
}
