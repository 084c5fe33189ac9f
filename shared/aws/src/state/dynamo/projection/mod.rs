//! The projection of the table's stream: rows that are derived from other rows.
//!
//! | from | to |
//! |---|---|
//! | a partition's latest row | status bitmaps `B#`, the run's bitmap of published partitions, the update log `U#`; deletes failures, skips and failed checks that no longer hold |
//! | the former content of a latest row | the event log `E#`, and the latest evaluation of checks that are no longer published |
//! | the latest evaluation of a check | the partitions that fail it `F#` |
//! | a run's failures and skips | the run's bitmaps of failed and of skipped partitions |
//! | the end of a run, keys of a dynamic set | no row: they are reported to reactions ([`Projected::change_set`]) |
//!
//! [`Projector::apply_changes`] takes a batch of [`Change`]s in the order of the stream. A pure function decides
//! their effects, and the writes of a batch are merged, so a thousand partitions of one asset are a
//! handful of writes.
//!
//! *Repetition.* Applying a batch again changes nothing: bits are set to their value, log rows are
//! replaced by themselves, and an update that is in the log is not added again. Changes of one row come
//! in order, as they do within a shard of the stream; a repeated batch is followed by all that came after
//! it, so the rows end up correct.
//!
//! *Several writers.* Shards are read concurrently, and the rows of one asset are in several. A bitmap
//! is written on condition that it was not written since it was read, so no bit is lost. Two shards
//! change different partitions of one bitmap, so their order does not matter.
//!
//! Bitmaps can be rebuilt from the latest rows: [`Projector::rebuild_statuses`].

mod apply;
mod bits;
mod change;
mod effects;
mod rebuild;

pub use apply::{Projected, Projector};
pub use change::Change;
