//! Settings of DuckDB that results depend on.

use duckdb::Connection;

/// Makes all connections to a database use UTC, instead of the machine's time zone: a cast of a moment to a date or to
/// text has the same result everywhere.
pub(crate) fn use_utc(connection: &Connection) -> Result<(), duckdb::Error> {
    // A DuckDB without its extension for time zones has no such setting, and always uses UTC.
    let has_zones: bool = connection.query_row(
        "SELECT count(*) > 0 FROM duckdb_settings() WHERE name = 'TimeZone'",
        [],
        |row| row.get(0),
    )?;
    if has_zones {
        connection.execute_batch("SET GLOBAL TimeZone = 'UTC'")?;
    }
    Ok(())
}
