//! [`Dynamo`]: the tables of an account, and its calls.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use precip_simulator::dynamo::{Access, Throttled};
use serde_json::Value as Json;

use super::{
    action::Write,
    error::Failure,
    table::{self, Key, Table},
};
use crate::faults::{Fault, FaultCounts, Faults};

/// The tables of an account.
#[derive(Debug, Default)]
pub(crate) struct Dynamo {
    pub(crate) tables: BTreeMap<String, Table>,
    /// The tokens of transactions, with their time and their items.
    pub(super) tokens: HashMap<String, (Duration, Json)>,
}

/// The moment of a call: its time, and what goes wrong at it.
pub(crate) struct Moment<'a> {
    pub(crate) now: Duration,
    pub(crate) faults: &'a Faults,
    pub(crate) rng: &'a mut fastrand::Rng,
    pub(crate) counts: &'a mut FaultCounts,
    /// The time for which a transaction keeps others from its items.
    pub(crate) transaction_time: Duration,
}

impl Moment<'_> {
    /// Draws whether a fault happens.
    pub(crate) fn happens(&mut self, fault: Fault) -> bool {
        self.faults.happens(fault, self.rng, self.counts)
    }

    /// Takes units from a table, unless it is throttled.
    pub(super) fn consume(
        &mut self,
        table: &Table,
        key: &Key,
        access: Access,
        units: f64,
    ) -> Result<(), Failure> {
        if self.happens(Fault::Throttle) {
            return Err(match self.rng.bool() {
                true => Failure::KeyThroughput,
                false => Failure::TableThroughput,
            });
        }
        let taken = table
            .throughput
            .consume(key.partition_number(), access, units);
        taken.map_err(|throttled| match throttled {
            Throttled::Key => Failure::KeyThroughput,
            Throttled::Table => Failure::TableThroughput,
        })
    }

    /// Returns the moment of the table that a read sees.
    pub(super) fn of_read(&mut self, table: &mut Table, consistent: bool) -> table::Moment {
        if !consistent && self.happens(Fault::StaleRead) {
            table.draw_moment(self.now, self.rng)
        } else {
            table.present()
        }
    }
}

impl Dynamo {
    pub(super) fn table(&mut self, name: &str) -> Result<&mut Table, Failure> {
        self.tables.get_mut(name).ok_or(Failure::NoTable)
    }

    /// Answers a call.
    ///
    /// # Panics
    /// For calls that are not implemented.
    pub(crate) fn answer(
        &mut self,
        operation: &str,
        body: &Json,
        moment: &mut Moment<'_>,
    ) -> Result<Json, Failure> {
        match operation {
            "GetItem" => self.get_item(body, moment),
            "BatchGetItem" => self.batch_get(body, moment),
            "PutItem" => self.write_item(Write::Put, operation, body, moment),
            "UpdateItem" => self.write_item(Write::Update, operation, body, moment),
            "DeleteItem" => self.write_item(Write::Delete, operation, body, moment),
            "BatchWriteItem" => self.batch_write(body, moment),
            "TransactWriteItems" => self.transact_write(body, moment),
            "Query" => self.query(body, moment),
            other => panic!("the strict AWS does not know the call {other} of DynamoDB"),
        }
    }
}
