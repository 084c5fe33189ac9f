//! The form that a declared function takes: an op with a body that the engine can call.
//!
//! The macros generate this form; it can also be written by hand.

mod body;
mod check_result;
mod config;
mod context;
mod error;
mod input;
mod log;
mod marker;
mod output;
mod resources;
mod returned;
mod returns;
mod value;

pub use body::{Execution, FnBody, Inputs, OpBody, RunFn, RunFuture};
pub use check_result::CheckResult;
pub use config::{ConfigSpec, InvalidConfig, parse_config, read_config};
pub use context::{AssetContext, AssetContextBuilder, InvalidPartitionUse, PartitionScope};
pub use error::{AssetError, ErrorKind, Terminal};
pub use input::{InputNeeds, InputSpec, LoadedInput, LoadedPart};
pub use log::AssetLog;
pub use marker::{Asset, Unmanaged};
pub use output::{CheckOutput, OpOutput, OpOutputs};
pub use resources::{ResourceNeed, ResourceValue, Resources};
pub use returned::{OutputCollector, ReturnValue, ReturnedOutput};
pub use returns::{MaterializeResult, Output};
pub use value::AssetValue;
