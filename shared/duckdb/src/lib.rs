//! DuckDB for Precip.
