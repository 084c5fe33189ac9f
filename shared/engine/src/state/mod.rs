//! The record of what was materialized, what failed, and what is running.
