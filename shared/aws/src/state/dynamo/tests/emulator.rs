mod automation;
mod capacity;
mod faults;
mod projection;

use super::super::harness::{self, Dynamo};

precip_engine::state_store_conformance!(Dynamo::new().await);
