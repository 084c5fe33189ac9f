//! From model to code.
//!
//! The code stands in a `const _` block beside the function, so that it sees what the function sees.
//! Its own names begin with `__`: a user's asset may have any other.

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

pub(crate) use asset::asset;
pub(crate) use check::asset_check;
pub(crate) use external::external_asset;
pub(crate) use multi::multi_asset;
pub(crate) use partitions::partitions;
pub(crate) use schedule::schedule;
pub(crate) use sensor::sensor;
pub(crate) use sql::sql_asset;
