//! Partitions definitions: the keys that divide an asset's data, and the data that each key covers.
//!
//! Every key of a definition has a stable *ordinal* that does not change as time passes or keys are
//! added. A [`PartitionSet`] holds ordinals, never keys, so a million partitions fit in a few
//! hundred bytes.

mod context;
mod definition;
mod dynamic;
mod key;
mod multi;
mod set;
mod static_partitions;
mod time_window;
mod unknown;

pub use context::{DynamicKeys, PartitionContext};
pub use definition::PartitionsDefinition;
pub use dynamic::{DynamicPartitions, InvalidDynamicKey, MAX_DYNAMIC_KEY_BYTES};
pub use key::{MultiPartitionKey, PartitionKey};
pub(crate) use multi::SEPARATOR;
pub use multi::{InvalidMultiPartitions, MultiPartitions, PartitionBox};
pub use set::PartitionSet;
pub use static_partitions::{InvalidStaticPartitions, StaticPartitions};
pub use time_window::{
    Cadence, Exclusion, InvalidKeyFormat, InvalidTimeWindows, KeyFormat, Moment, TimeWindow,
    TimeWindowBuilder, TimeWindowPartitions,
};
pub use unknown::UnknownPartition;
