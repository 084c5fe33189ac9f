//! Code generation from the models.
//!
//! The code is in a `const _` block next to the function, with the function's names in scope. Its
//! own names begin with `__`, so that a user's asset may have any other.

mod asset;
mod call;
mod check;
mod declare;
mod external;
mod marker;
mod multi;
mod partitions;
mod schedule;
mod sensor;
mod sql;
mod trigger;

pub(crate) use asset::expand_asset;
pub(crate) use check::expand_asset_check;
pub(crate) use external::expand_external_asset;
pub(crate) use multi::expand_multi_asset;
pub(crate) use partitions::expand_partitions;
pub(crate) use schedule::expand_schedule;
pub(crate) use sensor::expand_sensor;
pub(crate) use sql::expand_sql_asset;
