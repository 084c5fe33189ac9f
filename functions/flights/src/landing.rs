//! The landing files: what is dropped for this project each day, and how it is read.

use std::{collections::HashMap, io::Read, sync::Arc};

use chrono::{DateTime, NaiveDate, Utc};
use csv::{ReaderBuilder, StringRecord, Trim};
use flate2::read::GzDecoder;
use precip::prelude::*;

use crate::rows::{Airline, Airport, Flight, Plane, Weather};

/// The folder or bucket that landing files are dropped into.
#[derive(Debug, Clone)]
pub struct Landing {
    store: Arc<dyn precip::io::ObjectStore>,
}

/// A landing file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LandingError {
    /// It is not there.
    #[error("there is no landing file `{path}`: was it dropped, and does FLIGHTS_LANDING say where?")]
    Missing { path: String },
    /// A row in it makes no sense.
    #[error("{path}, line {line}: {reason}")]
    Row { path: String, line: u64, reason: String },
    /// It cannot be read.
    #[error("failed to read `{path}`")]
    Read {
        path: String,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
