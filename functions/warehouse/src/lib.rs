//! The sample project with its tables in a warehouse: what [`flights`] declares, with environments in
//! which DuckDB or Snowflake keeps it, and a mart in SQL.
//!
//! It is a package of its own because DuckDB is in its programs: in the command line, and in the function that
//! runs queries. The other functions are built without the feature `duckdb`.

pub mod marts;

use flights::project;
use precip::prelude::*;
#[cfg(feature = "duckdb")]
use precip_duckdb::DuckDbIoManager;
use precip_snowflake::{
    SnowflakeConnection, SnowflakeIoManager, SnowflakeLogin, SnowflakeSettings,
};
use url::Url;

/// The project, with the environments `duckdb` and `snowflake` beside its own.
pub fn definitions() -> Result<Definitions, InvalidDefinitions> {
    let project = project().environment(snowflake());
    #[cfg(feature = "duckdb")]
    let project = project.environment(duckdb());
    project.build()
}

/// A database of this machine, beside the record.
#[cfg(feature = "duckdb")]
fn duckdb() -> Environment {
    Environment::new("duckdb").io_manager_from(
        "default",
        env("FLIGHTS_DUCKDB").or(".precip/flights.duckdb"),
        |file: String| async move { Ok(DuckDbIoManager::open(file)?) },
    )
}

/// An account of Snowflake.
fn snowflake() -> Environment {
    let settings = SnowflakeSettings::new(
        env("SNOWFLAKE_ACCOUNT"),
        env("SNOWFLAKE_USER"),
        env("SNOWFLAKE_DATABASE"),
        SnowflakeLogin::password(env("SNOWFLAKE_PASSWORD").secret()),
    );
    // Where it is not at the account's own address, as behind a private link.
    let address = env("SNOWFLAKE_URL").optional::<Url>();
    let connect = |(connection, address): (SnowflakeConnection, Option<Url>)| {
        SnowflakeIoManager::connect(match address {
            None => connection,
            Some(address) => connection.url(address),
        })
    };
    Environment::new("snowflake").io_manager_from("default", (settings, address), connect)
}
