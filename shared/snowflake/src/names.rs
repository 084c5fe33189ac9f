//! Names in Snowflake.

use precip_core::key::AssetKey;
use precip_io::tables::quoted;

/// The column that says which partition a row is of; it is empty without partitions.
pub(crate) const PARTITION: &str = "_PARTITION";
/// The column that says which row of its partition a row is, from 0: tables have no order.
pub(crate) const ROW: &str = "_ROW";
/// The schema of what this crate notes down.
const NOTES: &str = "_PRECIP";

/// The name as people write it without quotes: Snowflake takes that for upper case.
pub(crate) fn upper(name: &str) -> String {
    name.to_ascii_uppercase()
}

/// The table of an asset: `raw/flights` is `RAW.FLIGHTS`, and `carriers` is in the connection's schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TableName {
    pub(crate) schema: String,
    pub(crate) table: String,
}

impl TableName {
    pub(crate) fn of(asset: &AssetKey, schema: &str) -> Self {
        let (schema, table) = match asset.as_str().rsplit_once('/') {
            Some((schema, table)) => (schema, table),
            None => (schema, asset.as_str()),
        };
        Self {
            schema: upper(schema),
            table: upper(table),
        }
    }

    /// The table of what is noted down of an asset: of one alone, so that writers of different assets do
    /// not wait for each other.
    pub(crate) fn of_notes(asset: &AssetKey) -> Self {
        Self {
            schema: NOTES.to_owned(),
            table: asset.to_string(),
        }
    }

    /// As it is written in a statement.
    pub(crate) fn quoted(&self) -> String {
        format!("{}.{}", quoted(&self.schema), quoted(&self.table))
    }
}

/// What is noted at a table: whose it is.
pub(crate) fn comment(asset: &AssetKey) -> String {
    format!("precip asset {asset}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_named_as_people_write_it() {
        let name = |asset: &str| TableName::of(&asset.parse().unwrap(), "public").quoted();
        assert_eq!(name("carriers"), r#""PUBLIC"."CARRIERS""#);
        assert_eq!(name("raw/flights"), r#""RAW"."FLIGHTS""#);
        assert_eq!(name("a/b/c"), r#""A/B"."C""#);
    }
}
