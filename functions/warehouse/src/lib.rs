//! The sample project with its tables in a warehouse: the declarations of [`flights`], with
//! environments that store their data in DuckDB or Snowflake, and a mart in SQL.
//!
//! It is a separate package because it links DuckDB, in the command line and in the function that
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

/// Returns the project with two more environments, `duckdb` and `snowflake`.
pub fn definitions() -> Result<Definitions, InvalidDefinitions> {
    let builder = project().environment(snowflake_environment());
    #[cfg(feature = "duckdb")]
    let builder = builder.environment(duckdb_environment());
    builder.build()
}

/// Returns an environment with a local DuckDB database.
#[cfg(feature = "duckdb")]
fn duckdb_environment() -> Environment {
    Environment::new("duckdb").io_manager_from(
        "default",
        env("FLIGHTS_DUCKDB").or(".precip/flights.duckdb"),
        |file: String| async move { Ok(DuckDbIoManager::open(file)?) },
    )
}

/// Returns an environment with a Snowflake account.
fn snowflake_environment() -> Environment {
    let settings = SnowflakeSettings::new(
        env("SNOWFLAKE_ACCOUNT"),
        env("SNOWFLAKE_USER"),
        env("SNOWFLAKE_DATABASE"),
        SnowflakeLogin::password(env("SNOWFLAKE_PASSWORD").secret()),
    );
    // Overrides the account's own address, for example with that of a private link.
    let address = env("SNOWFLAKE_URL").optional::<Url>();
    let connect = |(connection, address): (SnowflakeConnection, Option<Url>)| {
        SnowflakeIoManager::connect(match address {
            None => connection,
            Some(address) => connection.url(address),
        })
    };
    Environment::new("snowflake").io_manager_from("default", (settings, address), connect)
}
