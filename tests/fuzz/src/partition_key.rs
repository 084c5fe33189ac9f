//! Partition keys.

use std::sync::LazyLock;

use chrono::{DateTime, NaiveDate, NaiveTime};
use precip_core::partitions::{
    DynamicKeys, DynamicPartitions, MultiPartitions, PartitionContext, PartitionKey,
    PartitionsDefinition, StaticPartitions, TimeWindowBuilder, TimeWindowPartitions,
};

static DEFINITIONS: LazyLock<Vec<PartitionsDefinition>> = LazyLock::new(definitions);
static CONTEXT: LazyLock<PartitionContext> = LazyLock::new(context);

/// Of each kind of definition: a key that is found has an ordinal whose key has that ordinal, and is
/// a range by itself; any other key is refused with a message.
pub fn partition_key(text: &str) {
    let (key, context) = (PartitionKey::from(text), &*CONTEXT);
    for definition in DEFINITIONS.iter() {
        match definition.ordinal(&key, context) {
            Ok(ordinal) => {
                assert!(
                    definition.all(context).contains(ordinal),
                    "{text:?} does not exist"
                );
                let Some(name) = definition.key(ordinal, context) else {
                    panic!("{text:?} has an ordinal without a key")
                };
                assert_eq!(
                    definition.find(name.as_str(), context),
                    Some(ordinal),
                    "{text:?}"
                );
                let alone = definition
                    .range(&key, &key, context)
                    .map(|range| range.len());
                assert_eq!(alone, Ok(1), "{text:?}");
            }
            Err(refusal) => assert!(!refusal.to_string().is_empty()),
        }
    }
}

fn context() -> PartitionContext {
    let mut context =
        PartitionContext::at(DateTime::from_timestamp(1_711_929_600, 0).unwrap_or_default());
    let keys = ["AA", "Ü", "x y"].map(PartitionKey::from);
    context
        .dynamic
        .insert("carriers".to_owned(), DynamicKeys::from_iter(keys));
    context
}

fn definitions() -> Vec<PartitionsDefinition> {
    let daily = windows(TimeWindowPartitions::daily(start()));
    let airports = StaticPartitions::new(["EWR", "JFK", "a b", "日本"])
        .unwrap_or_else(|refusal| panic!("{refusal}"));
    let airports = PartitionsDefinition::Static(airports);
    let multi = MultiPartitions::new([("airport", airports.clone()), ("day", daily.clone())])
        .unwrap_or_else(|refusal| panic!("{refusal}"));
    vec![
        airports,
        daily,
        windows(TimeWindowPartitions::hourly(start()).timezone("America/New_York")),
        windows(TimeWindowPartitions::weekly(start()).timezone("Europe/Berlin")),
        windows(TimeWindowPartitions::monthly(start()).fmt("%Y/%m")),
        PartitionsDefinition::Multi(multi),
        PartitionsDefinition::Dynamic(DynamicPartitions::new("carriers")),
    ]
}

fn start() -> chrono::NaiveDateTime {
    NaiveDate::from_ymd_opt(2024, 2, 1)
        .unwrap_or_default()
        .and_time(NaiveTime::MIN)
}

fn windows(builder: TimeWindowBuilder) -> PartitionsDefinition {
    PartitionsDefinition::TimeWindow(
        builder
            .build()
            .unwrap_or_else(|refusal| panic!("{refusal}")),
    )
}
