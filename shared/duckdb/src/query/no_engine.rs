//! The engine of a program without DuckDB: an error that names a program with one.

use precip_engine::asset::AssetError;
use precip_io::{Table, TableStream};

use super::Query;

pub(super) fn query_table(_: Query) -> Result<Table, AssetError> {
    Err(no_engine())
}

pub(super) fn query_stream(_: Query) -> Result<TableStream, AssetError> {
    Err(no_engine())
}

fn no_engine() -> AssetError {
    AssetError::terminal(
        "this program has no DuckDB to run the query in: give the asset one that was built with the feature `engine` \
         of `precip-duckdb`, as `compute(binary = \"materializer-sql\")`",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_says_which_program_it_needs() {
        let numbers = Table::from_rows(&[1_i64]).unwrap();
        let query = Query::new("SELECT value FROM numbers").table("numbers", numbers);
        let error = query.run::<Vec<i64>>().unwrap_err();
        assert!(!error.kind().is_retryable());
        assert_eq!(
            error.message(),
            "this program has no DuckDB to run the query in: give the asset one that was built with the feature \
             `engine` of `precip-duckdb`, as `compute(binary = \"materializer-sql\")`"
        );
    }
}
