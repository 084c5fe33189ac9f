//! What a declared function is turned into: an op with a body that the engine can call.
//!
//! The macros write this form; nobody needs to write it by hand, but everybody can.

mod body;
mod check_result;
mod context;
mod error;
mod input;
mod output;
mod value;

pub use body::{CheckBody, Inputs, OpBody, Resources};
pub use check_result::CheckResult;
pub use context::{AssetContext, PartitionScope};
pub use error::{AssetError, ErrorKind, Terminal};
pub use input::{InputNeeds, InputSpec, LoadedInput, LoadedPart};
pub use output::{OpOutput, OpOutputs};
pub use value::AssetValue;
