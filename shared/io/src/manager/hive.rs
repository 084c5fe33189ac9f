//! [`HiveLayout`].

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use precip_engine::io::Address;

/// The characters to escape in a folder name: all but letters, digits, `-` and `_`.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');
/// Longest folder name, in bytes: file systems allow 255.
const LONGEST_NAME: usize = 250;
/// The folder value that engines read as empty.
const EMPTY: &str = "__HIVE_DEFAULT_PARTITION__";
/// The separator between the keys of several dimensions.
const SEPARATOR: char = '|';

/// A layout of folders that query engines read as a partitioned table: `raw/flights/date=2013-01-01/data.parquet`,
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
/// | readers see whole files only | yes | yes |
/// | a partition becomes visible | when it is committed | when it is stored, shortly before |
/// | the data of an older commit | stays until [`gc`](precip_engine::gc) | is replaced |
/// | a late attempt | writes a file of its own | leaves the file of a newer attempt |
///
/// A query engine needs no list of files, at a price: a run that stores a partition and then fails has replaced
/// the earlier data. The footer of a file names its attempt. A file is replaced only if it has not changed since
/// the footer was read (`If-Match` on S3, a lock file next to it on this machine), so the newest of concurrent
/// attempts stays.
///
/// A column that is named like a partition column stays in the file; engines use the value of the folder. The
/// files of an asset whose key extends another's (`raw/flights` and `raw`) are within the other's folder: an engine
/// that reads all of `raw` finds both.
#[derive(Debug, Clone)]
pub struct HiveLayout {
    columns: Vec<String>,
    columns_by_asset: BTreeMap<String, Vec<String>>,
}

impl HiveLayout {
    /// Creates a layout with the columns of partition keys: one for each dimension, in the order of the key.
    /// [`asset`](Self::asset) sets the columns of a single asset.
    pub fn by<N: Into<String>>(columns: impl IntoIterator<Item = N>) -> Self {
        Self {
            columns: columns.into_iter().map(Into::into).collect(),
            columns_by_asset: BTreeMap::new(),
        }
    }

    /// Sets the columns of one asset's partition keys.
    #[must_use]
    pub fn asset<N: Into<String>>(
        mut self,
        asset: impl Into<String>,
        columns: impl IntoIterator<Item = N>,
    ) -> Self {
        let columns = columns.into_iter().map(Into::into).collect();
        self.columns_by_asset.insert(asset.into(), columns);
        self
    }

    /// Returns the path of a partition's file, or the reason why the layout has no path for its key.
    pub(super) fn partition_path(&self, address: &Address) -> Result<String, String> {
        let asset = address.asset.as_str();
        let Some(key) = &address.partition else {
            return Ok(format!("{asset}/data.parquet"));
        };
        let columns = self.columns_by_asset.get(asset).unwrap_or(&self.columns);
        // A key of one dimension may contain the separator itself.
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
            let folder = format!("{}={}", escape_name(column), escape_value(value));
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

fn escape_name(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

fn escape_value(key: &str) -> String {
    match key {
        "" => EMPTY.to_owned(),
        // A key that equals the name for empty is not empty: escaping one letter keeps them apart.
        EMPTY => EMPTY.replacen('_', "%5F", 1),
        key => escape_name(key),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hive_path(asset: &str, key: Option<&str>) -> Result<String, String> {
        let hive = HiveLayout::by(["date"]).asset("departures", ["date", "origin"]);
        hive.partition_path(&Address {
            asset: asset.parse().unwrap(),
            partition: key.map(Into::into),
            run: "01JDC0Z5V9M3T8Q4W2X7Y6R1KA".parse().unwrap(),
            attempt: 1,
        })
    }

    #[test]
    fn folders_name_the_columns_of_a_key() {
        let day = hive_path("raw/flights", Some("2013-01-01"));
        assert_eq!(day.unwrap(), "raw/flights/date=2013-01-01/data.parquet");
        let two_columns = hive_path("departures", Some("2013-01-01|EWR"));
        assert_eq!(
            two_columns.unwrap(),
            "departures/date=2013-01-01/origin=EWR/data.parquet"
        );
        assert_eq!(
            hive_path("airlines", None).unwrap(),
            "airlines/data.parquet"
        );
    }

    #[test]
    fn no_two_keys_share_a_folder_and_none_leaves_its_asset() {
        let keys = ["", EMPTY, "..", ".", "a/b", "a%2Fb", "a=b", "%", "日"];
        let mut paths: Vec<String> = keys.map(|key| hive_path("a", Some(key)).unwrap()).into();
        assert!(
            paths.iter().all(|path| path.split('/').count() == 3),
            "{paths:?}"
        );
        paths.sort();
        paths.dedup();
        assert_eq!(paths.len(), keys.len());
    }

    #[test]
    fn a_key_without_columns_in_the_layout_is_an_error_with_advice() {
        let error = hive_path("departures", Some("2013-01-01")).unwrap_err();
        assert_eq!(
            error,
            "the key has 1 parts, and the Hive layout names the columns [\"date\", \"origin\"]; name one for each: `.asset(\"departures\", [..])`"
        );
        let long = hive_path("raw/flights", Some(&"k".repeat(300))).unwrap_err();
        assert!(long.contains("use the versioned layout"), "{long}");
    }
}
