//! [`HiveLayout`].

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use precip_engine::io::Address;

/// Kept as they are in a folder name, with letters and digits.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');
/// File systems take 255 bytes.
const LONGEST_NAME: usize = 250;
/// What engines read as an empty value.
const EMPTY: &str = "__HIVE_DEFAULT_PARTITION__";
/// Between the keys of a partition of several dimensions.
const SEPARATOR: char = '|';

/// Folders that query engines read as a partitioned table: `raw/flights/date=2013-01-01/data.parquet`,
/// and `raw/carriers/data.parquet` for an asset without partitions.
///
/// ```
/// use precip_io::{HiveLayout, ObjectStoreIoManager};
///
/// let hive = HiveLayout::by(["date"]).asset("staging/departures", ["date", "origin"]);
/// let manager = ObjectStoreIoManager::open("memory:")?.with_hive_layout(hive);
/// # Ok::<(), precip_io::InvalidLocation>(())
/// ```
///
/// # What it guarantees
///
/// | | versioned layout | Hive layout |
/// |---|---|---|
/// | a file is seen as a whole | yes | yes |
/// | a partition is seen | when it is committed | when it is stored, a little before |
/// | what an older commit pointed at | stays until [`gc`](precip_engine::gc) | is replaced |
/// | an attempt that is late | goes to a place of its own | leaves a newer one's file |
///
/// So a query engine needs no list of files, and pays for it: a run that stores a partition and then
/// fails has replaced it. A file says in its footer which attempt it is of; it is replaced on
/// condition that nobody else did so since that was read (`If-Match` on S3, a lock on a file beside it
/// on this machine), so that of attempts at the same time the newest stays.
///
/// A column of a partition's name stays in the file; engines take what the folder says. An asset whose
/// key begins with another's (`raw` and `raw/flights`) has its files within the other's folder: an
/// engine that reads all of `raw` finds both.
#[derive(Debug, Clone)]
pub struct HiveLayout {
    columns: Vec<String>,
    of: BTreeMap<String, Vec<String>>,
}

impl HiveLayout {
    /// Names the columns of partition keys, of all assets that [`asset`](Self::asset) names no others
    /// for: one for each dimension, in the order in which a key has them.
    pub fn by<N: Into<String>>(columns: impl IntoIterator<Item = N>) -> Self {
        Self {
            columns: columns.into_iter().map(Into::into).collect(),
            of: BTreeMap::new(),
        }
    }

    /// Names the columns of one asset's partition keys.
    #[must_use]
    pub fn asset<N: Into<String>>(
        mut self,
        asset: impl Into<String>,
        columns: impl IntoIterator<Item = N>,
    ) -> Self {
        let columns = columns.into_iter().map(Into::into).collect();
        self.of.insert(asset.into(), columns);
        self
    }

    /// The path of a partition's file, or why it has none.
    pub(super) fn path(&self, address: &Address) -> Result<String, String> {
        let asset = address.asset.as_str();
        let Some(key) = &address.partition else {
            return Ok(format!("{asset}/data.parquet"));
        };
        let columns = self.of.get(asset).unwrap_or(&self.columns);
        let values: Vec<&str> = match columns.len() {
            1 => vec![key.as_str()],
            _ => key.as_str().split(SEPARATOR).collect(),
        };
        if values.len() != columns.len() {
            return Err(format!(
                "the key has {} parts, and the Hive layout names the columns {columns:?}; name one for each: `.asset(\"{asset}\", [..])`",
                values.len(),
            ));
        }
        let mut path = asset.to_owned();
        for (column, value) in columns.iter().zip(values) {
            let folder = format!("{}={}", escape(column), self::value(value));
            if folder.len() > LONGEST_NAME {
                return Err(format!(
                    "the key makes a folder name of {} bytes, and file systems take {LONGEST_NAME}; use the versioned layout",
                    folder.len()
                ));
            }
            path.push('/');
            path.push_str(&folder);
        }
        path.push_str("/data.parquet");
        Ok(path)
    }
}

fn escape(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

fn value(key: &str) -> String {
    match key {
        "" => EMPTY.to_owned(),
        // A key that is written like none is not empty.
        EMPTY => EMPTY.replacen('_', "%5F", 1),
        key => escape(key),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(asset: &str, key: Option<&str>) -> Result<String, String> {
        let hive = HiveLayout::by(["date"]).asset("departures", ["date", "origin"]);
        hive.path(&Address {
            asset: asset.parse().unwrap(),
            partition: key.map(Into::into),
            run: "01JDC0Z5V9M3T8Q4W2X7Y6R1KA".parse().unwrap(),
            attempt: 1,
        })
    }

    #[test]
    fn folders_say_the_columns_of_a_key() {
        let day = path("raw/flights", Some("2013-01-01"));
        assert_eq!(day.unwrap(), "raw/flights/date=2013-01-01/data.parquet");
        let both = path("departures", Some("2013-01-01|EWR"));
        assert_eq!(
            both.unwrap(),
            "departures/date=2013-01-01/origin=EWR/data.parquet"
        );
        assert_eq!(path("airlines", None).unwrap(), "airlines/data.parquet");
    }

    #[test]
    fn no_two_keys_share_a_folder_and_none_leaves_its_asset() {
        let keys = ["", EMPTY, "..", ".", "a/b", "a%2Fb", "a=b", "%", "日"];
        let mut paths: Vec<String> = keys.map(|key| path("a", Some(key)).unwrap()).into();
        assert!(
            paths.iter().all(|path| path.split('/').count() == 3),
            "{paths:?}"
        );
        paths.sort();
        paths.dedup();
        assert_eq!(paths.len(), keys.len());
    }

    #[test]
    fn a_key_that_the_layout_has_no_names_for_says_what_to_write() {
        let error = path("departures", Some("2013-01-01")).unwrap_err();
        assert_eq!(
            error,
            "the key has 1 parts, and the Hive layout names the columns [\"date\", \"origin\"]; name one for each: `.asset(\"departures\", [..])`"
        );
        let long = path("raw/flights", Some(&"k".repeat(300))).unwrap_err();
        assert!(long.contains("use the versioned layout"), "{long}");
    }
}
