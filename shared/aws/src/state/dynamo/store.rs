//! [`DynamoStore`].

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use aws_sdk_dynamodb::Client;
use precip_engine::run::{Clock, Sleeper, SystemClock};

use super::{call::Table, capacity::CapacityMeter, projection::Projector, stamp::Stamps};

/// The record in one DynamoDB table, which [`TableDefinition`](super::TableDefinition) describes.
///
/// Cheap to clone; clones share the client and the meter. Statuses, updates, progress, failing
/// partitions and the history of superseded records are as current as
/// [the projection](super::projection), which a deployment feeds with the table's stream.
#[derive(Debug, Clone)]
pub struct DynamoStore {
    pub(super) table: Table,
    pub(super) stamps: Arc<Stamps>,
    /// The days that this process has added to the list of days.
    pub(super) days: Arc<Mutex<BTreeSet<String>>>,
}

impl DynamoStore {
    /// Opens the record in a table, identified by its name or ARN.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self {
            table: Table::new(client, table.into()),
            stamps: Arc::new(Stamps::new(Arc::new(SystemClock))),
            days: Arc::default(),
        }
    }

    /// Takes stamps and expiry dates from this clock instead of the machine's.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.stamps = Arc::new(Stamps::new(clock));
        self
    }

    /// Waits between repeated calls with this sleeper instead of tokio's timer.
    #[must_use]
    pub fn with_sleeper(mut self, sleeper: Arc<dyn Sleeper>) -> Self {
        self.table.sleeper = sleeper;
        self
    }

    /// Counts what calls consume in this meter, which other stores may share.
    #[must_use]
    pub fn with_meter(mut self, meter: Arc<CapacityMeter>) -> Self {
        self.table.meter = meter;
        self
    }

    /// Returns the meter of the capacity that this store and its projector consume.
    pub fn meter(&self) -> &CapacityMeter {
        &self.table.meter
    }

    /// Returns the projector that keeps the derived rows up to date from the table's stream.
    pub fn projector(&self) -> Projector {
        Projector::new(self.clone())
    }
}
