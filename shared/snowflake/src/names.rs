//! Names in Snowflake.

use precip_core::key::AssetKey;
use precip_io::tables::quote_identifier;

/// The column of the partition key, which is NULL for assets without partitions.
pub(crate) const PARTITION_COLUMN: &str = "_PARTITION";
/// The column of the row number within the partition, from 0. Tables have no order of their own.
pub(crate) const ROW_COLUMN: &str = "_ROW";
/// The schema of the notes about assets and partitions.
const NOTES_SCHEMA: &str = "_PRECIP";

/// Converts a name to upper case, as Snowflake does with names that are written without quotes.
pub(crate) fn to_upper(name: &str) -> String {
    name.to_ascii_uppercase()
}

/// The name of an asset's table: `raw/flights` is `RAW.FLIGHTS`, and `carriers` is in the connection's schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TableName {
    pub(crate) schema: String,
    pub(crate) table: String,
}

impl TableName {
    /// Returns the name of the table of an asset.
    pub(crate) fn for_asset(asset: &AssetKey, schema: &str) -> Self {
        let (schema, table) = match asset.as_str().rsplit_once('/') {
            Some((schema, table)) => (schema, table),
            None => (schema, asset.as_str()),
        };
        Self {
            schema: to_upper(schema),
            table: to_upper(table),
        }
    }

    /// Returns the name of the table of an asset's notes. Each asset has a table of its own, so that writers of
    /// different assets do not wait for each other.
    pub(crate) fn of_note_table(asset: &AssetKey) -> Self {
        Self {
            schema: NOTES_SCHEMA.to_owned(),
            table: asset.to_string(),
        }
    }

    /// Returns the name as an SQL identifier.
    pub(crate) fn quoted_name(&self) -> String {
        format!(
            "{}.{}",
            quote_identifier(&self.schema),
            quote_identifier(&self.table)
        )
    }
}

/// Returns the comment that marks a table as that of an asset.
pub(crate) fn table_comment(asset: &AssetKey) -> String {
    format!("precip asset {asset}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_named_as_people_write_it() {
        let name =
            |asset: &str| TableName::for_asset(&asset.parse().unwrap(), "public").quoted_name();
        assert_eq!(name("carriers"), r#""PUBLIC"."CARRIERS""#);
        assert_eq!(name("raw/flights"), r#""RAW"."FLIGHTS""#);
        assert_eq!(name("a/b/c"), r#""A/B"."C""#);
    }
}
