//! What follows from the changes of the table: a projection of its stream.
//!
//! | from | to |
//! |---|---|
//! | a partition's latest row | status bitmaps `B#`, the bitmap of what its run has done, the update log `U#`, failures and blocks that were made good taken away |
//! | what a latest row held before | the event log `E#`, and the latest evaluation of checks that are not published any more |
//! | the latest evaluation of a check | the partitions that fail it `F#` |
//! | a run's failures | the bitmap of what the run gave up on |
//! | the end of a run, keys of a dynamic set | nothing: it is told to those who react ([`Projected::happened`]) |
//!
//! [`Projector::apply`] takes a batch of [`Change`]s in the order of the stream. What they come to is
//! decided by a pure function; then the writes of a batch are put together, so that a thousand
//! partitions of one asset are a handful of writes.
//!
//! *Twice, and in order.* Applying a batch again changes nothing: bits are set to what they are, log
//! rows are replaced by themselves, an update that is in the log is not added again. Changes of one row
//! come in order, as they do within a shard of the stream; a batch that is delivered again is followed
//! by all that came after it, and ends with the truth.
//!
//! *Several writers.* Shards are read side by side, and the rows of one asset lie in several. A bitmap
//! is written under the condition that nobody else wrote it since it was read, so no bit is lost. What
//! two shards say of one bitmap is about different partitions, so that it does not matter who is first.
//!
//! Bitmaps can be made again from the latest rows: [`Projector::rebuild`].

mod apply;
mod bits;
mod change;
mod effects;
mod rebuild;

pub use apply::{Projected, Projector};
pub use change::Change;
