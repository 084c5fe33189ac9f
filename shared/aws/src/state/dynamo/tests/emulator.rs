mod automation;
mod capacity;
mod faults;
mod harness;
mod projection;
mod stream;

use harness::Dynamo;

precip_engine::state_store_conformance!(Dynamo::new().await);
