//! [`Table`]: the items of a table, their earlier versions, and its stream.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    ops::Bound,
    time::Duration,
};

use precip_simulator::dynamo;

use super::{
    stream::{Deleter, StreamRecord},
    value::{Attributes, Value, item_size},
};

/// The partition key of every table here; a text.
pub(crate) const PARTITION_KEY: &str = "pk";
/// The sort key of every table here; a text.
pub(crate) const SORT_KEY: &str = "sk";
/// The attribute that holds an item's expiry.
const EXPIRY: &str = "ttl";
/// The longest time by which an eventually consistent read is behind: "usually within one second".
///
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.ReadConsistency.html>
const LAG: Duration = Duration::from_secs(1);
/// The time after whose expiry an item is never deleted: five years.
///
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/howitworks-ttl.html>
const OLDEST_EXPIRY: i64 = 5 * 365 * 24 * 60 * 60;

/// The key of an item. Keys are ordered by their bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key {
    pub(crate) partition: String,
    pub(crate) sort: String,
}

impl Key {
    pub(crate) fn of_item(item: &Attributes) -> Option<Self> {
        let text = |name| match item.get(name) {
            Some(Value::Text(text)) => Some(text.clone()),
            _ => None,
        };
        Some(Self {
            partition: text(PARTITION_KEY)?,
            sort: text(SORT_KEY)?,
        })
    }

    pub(crate) fn to_attributes(&self) -> Attributes {
        [
            (
                PARTITION_KEY.to_owned(),
                Value::Text(self.partition.clone()),
            ),
            (SORT_KEY.to_owned(), Value::Text(self.sort.clone())),
        ]
        .into()
    }

    /// Returns the number of the key's partition in the model of throughput.
    pub(crate) fn partition_number(&self) -> u64 {
        fnv1a(&self.partition)
    }
}

fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// A moment of a table: the number of its writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(u64);

/// The items of a table, their earlier versions, and its stream.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) throughput: dynamo::Table,
    items: BTreeMap<Key, Attributes>,
    /// The earlier versions of items that were written within [`LAG`], with the write that replaced them.
    replaced: HashMap<Key, Vec<(Moment, Option<Attributes>)>>,
    /// The writes within [`LAG`].
    recent: VecDeque<(Moment, Duration, Key)>,
    written: u64,
    /// The items that a transaction is changing, until it ends.
    pub(crate) locked: HashMap<Key, Duration>,
    stream: Vec<StreamRecord>,
}

impl Table {
    pub(crate) fn new(throughput: dynamo::Table) -> Self {
        Self {
            throughput,
            items: BTreeMap::new(),
            replaced: HashMap::new(),
            recent: VecDeque::new(),
            written: 0,
            locked: HashMap::new(),
            stream: Vec::new(),
        }
    }

    /// Returns an item as it is now.
    pub(crate) fn item(&self, key: &Key) -> Option<&Attributes> {
        self.items.get(key)
    }

    /// Returns all items in the order of their keys.
    pub(crate) fn items(&self) -> impl Iterator<Item = &Attributes> {
        self.items.values()
    }

    /// Draws a moment that an eventually consistent read may see.
    pub(crate) fn draw_moment(&mut self, now: Duration, rng: &mut fastrand::Rng) -> Moment {
        self.forget_before(now);
        let oldest = self.written - self.recent.len() as u64;
        Moment(rng.u64(oldest..=self.written))
    }

    /// Returns the present moment.
    pub(crate) fn present(&self) -> Moment {
        Moment(self.written)
    }

    /// Returns an item as it was at a moment.
    pub(crate) fn item_at(&self, key: &Key, moment: Moment) -> Option<&Attributes> {
        let versions = self
            .replaced
            .get(key)
            .map(Vec::as_slice)
            .unwrap_or_default();
        // The oldest version that was replaced after the moment is the one of the moment.
        let replaced = versions.iter().find(|(replaced, _)| *replaced > moment);
        match replaced {
            Some((_, version)) => version.as_ref(),
            None => self.items.get(key),
        }
    }

    /// Returns the sort keys under a partition key, within bounds, that existed at a moment or exist now.
    pub(crate) fn keys_in(
        &self,
        partition: &str,
        after: Option<&str>,
        before: Option<&str>,
    ) -> Vec<Key> {
        let key = |sort: &str| Key {
            partition: partition.to_owned(),
            sort: sort.to_owned(),
        };
        let start = after.map_or(Bound::Included(key("")), |sort| Bound::Excluded(key(sort)));
        let end = match before {
            Some(sort) => Bound::Excluded(key(sort)),
            // The least partition key that is greater.
            None => Bound::Excluded(Key {
                partition: format!("{partition}\0"),
                sort: String::new(),
            }),
        };
        let within = (start, end);
        let mut keys: Vec<Key> = self
            .items
            .range(within.clone())
            .map(|(key, _)| key.clone())
            .collect();
        let deleted = self.replaced.keys().filter(|key| {
            use std::ops::RangeBounds;
            within.contains(*key) && !self.items.contains_key(*key)
        });
        keys.extend(deleted.cloned());
        keys.sort();
        keys
    }

    /// Replaces an item, and adds the change to the stream, unless nothing changes.
    ///
    /// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html>
    pub(crate) fn write(
        &mut self,
        key: &Key,
        item: Option<Attributes>,
        now: Duration,
        deleter: Deleter,
    ) {
        self.forget_before(now);
        let old = match &item {
            Some(item) => self.items.insert(key.clone(), item.clone()),
            None => self.items.remove(key),
        };
        if old == item {
            return;
        }
        self.written += 1;
        let moment = Moment(self.written);
        self.recent.push_back((moment, now, key.clone()));
        self.replaced
            .entry(key.clone())
            .or_default()
            .push((moment, old.clone()));
        self.stream.push(StreamRecord {
            key: key.clone(),
            sequence: self.written,
            at: now,
            old,
            new: item,
            deleter,
        });
    }

    fn forget_before(&mut self, now: Duration) {
        while let Some((_, at, _)) = self.recent.front() {
            if now.saturating_sub(*at) <= LAG {
                break;
            }
            let Some((moment, _, key)) = self.recent.pop_front() else {
                break;
            };
            if let Some(versions) = self.replaced.get_mut(&key) {
                versions.retain(|(replaced, _)| *replaced > moment);
                if versions.is_empty() {
                    self.replaced.remove(&key);
                }
            }
        }
    }

    /// Deletes the items whose expiry has passed, at no charge. Returns their number.
    pub(crate) fn expire(&mut self, now: Duration, unix_seconds: i64) -> usize {
        let is_expired = |item: &Attributes| match item.get(EXPIRY) {
            Some(Value::Number(expiry)) => expiry.as_seconds().is_some_and(|expiry| {
                expiry < unix_seconds && unix_seconds - expiry < OLDEST_EXPIRY
            }),
            _ => false,
        };
        let expired: Vec<Key> = self
            .items
            .iter()
            .filter(|(_, item)| is_expired(item))
            .map(|(key, _)| key.clone())
            .collect();
        for key in &expired {
            self.write(key, None, now, Deleter::Expiry);
        }
        expired.len()
    }

    /// Returns the records of the stream from a position on.
    pub(crate) fn stream_from(&self, position: usize) -> &[StreamRecord] {
        &self.stream[position.min(self.stream.len())..]
    }

    /// Returns the size of an item in bytes; 0 if it does not exist.
    pub(crate) fn size_of(&self, key: &Key) -> usize {
        self.items.get(key).map_or(0, item_size)
    }
}
