//! The command line of a project.

use std::process::ExitCode;

use precip_engine::definitions::{Definitions, InvalidDefinitions};

/// Runs the command line of a project: parses the arguments, runs one command, and returns its exit
/// code. With the feature `aws` it can run on deployments as well (`--on aws`).
///
/// `definitions` is called after the arguments are parsed, so that `--help` works in a project
/// whose definitions are invalid. The project is named after the crate that declares this function;
/// `synth --project` gives another name.
///
/// ```no_run
/// # use precip::prelude::*;
/// # fn definitions() -> Result<Definitions, InvalidDefinitions> { Definitions::builder().build() }
/// fn main() -> std::process::ExitCode {
///     precip::main(definitions)
/// }
/// ```
pub fn main<D>(definitions: D) -> ExitCode
where
    D: FnOnce() -> Result<Definitions, InvalidDefinitions>,
{
    #[cfg(feature = "aws")]
    let aws: Option<&dyn precip_cli::target::Platform> = Some(&crate::aws::Aws);
    #[cfg(not(feature = "aws"))]
    let aws = None;
    precip_cli::main(definitions, aws)
}
