//! A strict DynamoDB and S3 beneath the AWS SDK for Rust, in virtual time.
//!
//! [`StrictAws`] is an HTTP client of the SDK. What calls AWS therefore runs as it is shipped: requests,
//! expressions, retries and the handling of errors. No network is used, nothing sleeps, and a seed gives
//! the same course again.
//!
//! It is strict: requests are checked as AWS checks them, and answered with AWS's error codes. A call, a
//! parameter or a header that is not implemented *panics*, so that nothing is accepted in silence.
//! Each rule names the page of AWS's documentation that it comes from, and has a test.
//!
//! ```
//! use chrono::DateTime;
//! use precip_aws::{Aws, state::dynamo::DynamoStore};
//! use precip_engine::state::RunStore;
//! use precip_simulator::{bill::{Bill, Unit}, kernel::Kernel};
//! use precip_strict_aws::{Options, StrictAws};
//! use std::sync::Arc;
//!
//! let mut kernel = Kernel::new(DateTime::UNIX_EPOCH);
//! let bill = Bill::default();
//! let aws = StrictAws::new(kernel.time(), bill.clone(), Options::default());
//! aws.create_table("precip");
//!
//! let client = Aws::new(aws.sdk_config()).dynamodb();
//! let time = Arc::new(kernel.time());
//! let store = DynamoStore::new(client, "precip").with_clock(time.clone()).with_sleeper(time);
//! let pools = kernel.run(async { precip_engine::state::PoolStore::limited_pools(&store).await });
//!
//! assert_eq!(pools.unwrap(), Vec::<String>::new());
//! assert_eq!(bill.amount(Unit::DynamoDbRead), 1.0);
//! assert_eq!(aws.mistakes(), []);
//! ```
//!
//! # What can go wrong
//!
//! [`Faults`] are shares of calls that are drawn from the seed: lost requests and answers, failures
//! within AWS, throttles, unprocessed parts of batches, conflicts, and stale reads.
//! [`StrictAws::fault_counts`] counts those that happened. Throughput is limited beside them, by
//! [`Options::table_limits`].
//!
//! [`StrictAws::set_hook`] asks a function before and after each call, which may break the connection,
//! delay it, or never answer: kill the caller there. [`StrictAws::mistakes`] lists requests that were
//! wrong by themselves: assert that there are none.
//!
//! # Streams
//!
//! [`StrictAws::open_stream`] reads a table's changes as Lambda's events, by shard. Records of a key are
//! in order, and may be delivered as often as a test likes.
//!
//! # Determinism
//!
//! The SDK and the state store draw the jitter of their retries from `fastrand`'s generator of the thread:
//! call `fastrand::seed` at the start of a simulation.

mod aws;
mod call;
mod dynamo;
mod faults;
mod http;
mod s3;
mod time;

pub use aws::{Options, StreamReader, StrictAws};
pub use call::{Call, Mistake, Phase, Reaction, Service};
pub use faults::{Fault, Faults};
