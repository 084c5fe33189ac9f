//! `StateStore` on one DynamoDB table.
//!
//! # The table
//!
//! | rows | `pk` | `sk` |
//! |---|---|---|
//! | latest of a partition | `L#{asset}#{bucket}` | the partition key |
//! | event log | `E#{asset}#{partition}` | `{time}#{run}#{attempt}#{kind}#{check}` |
//! | status sets, layout | `B#{asset}` | `s#{generation}#{segment}`, `head` |
//! | update log | `U#{asset}` | `n#{number}`, `head` |
//! | attempts under way | `A#{asset}` | `{partition}#{run}` |
//! | latest of a check | `X#{asset}#{partition}` | the check's name |
//! | partitions that fail a check | `F#{asset}` | `{check}#{partition}` |
//! | run | `R#{run}` | `meta`, `fail#..`, `skip#..`, `check#..`, `p#done#..`, `p#lost#..`, `p#none#..`, `p#skip#..` |
//! | run list, its days | `RL#{day}#{shard}`, `RD` | the run, the day |
//! | run key | `K#{key}` | `run` |
//! | trigger | `S#{kind}:{name}` | `state`, `tick#{revision}` |
//! | dynamic partition keys | `D#{set}` | `head`, `k#{key}` |
//! | pool, pools that have a limit | `C#{pool}`, `CL` | `pool`, the pool's name |
//!
//! The latest row of a partition is in one of 16 buckets, chosen by a hash of its *key*, not of its
//! ordinal: neighbours in time are spread over 16 keys (each takes 1,000 writes a second), and a changed
//! definition moves no row.
//!
//! # What a call costs
//!
//! Publishing a partition is one conditional `UpdateItem` of its row: 1 WRU while the item stays under
//! 1 KB, and the record is compressed where that keeps it there. Everything derived from it is a
//! projection of the table's stream: see [`projection`].
//!
//! # The order of changes
//!
//! `Sequence` is a stamp made when a materialization is published: microseconds since 1970 by the clock
//! of the publishing process, with 10 bits to separate stamps of one microsecond. It never decreases
//! within one partition or within one process; between processes it is the order of changes as far as
//! their clocks agree. The update log does not rely on it: there the projection gives each update a
//! number greater than any before it for that asset.

mod attempts;
mod call;
mod capacity;
mod checks;
mod codec;
mod commit;
mod definition;
mod dynamic;
mod error;
mod events;
#[cfg(any(test, feature = "harness"))]
pub mod harness;
mod item;
mod keys;
mod materializations;
mod pools;
pub mod projection;
mod renumber;
mod row;
mod run_list;
mod runs;
mod stamp;
mod store;
mod triggers;
mod untried;
mod updates;

#[cfg(test)]
mod tests;

pub use capacity::{Capacity, CapacityMeter};
pub use definition::{KeyKind, TableDefinition};
pub use store::DynamoStore;
