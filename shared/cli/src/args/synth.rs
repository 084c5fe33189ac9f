//! The arguments of `synth`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// The arguments of `synth`.
#[derive(Debug, Clone, Args)]
pub struct SynthArgs {
    /// Write nothing: compare with the existing files, and exit with 1 if they differ
    #[arg(long)]
    pub check: bool,

    /// Also write `deployment.json`, from which the CDK construct creates the resources
    #[arg(long)]
    pub cdk: bool,

    /// Folder for the generated files
    #[arg(long, value_name = "DIR", default_value = "infra/generated")]
    pub out: PathBuf,

    /// Name of the project, part of the names of what is deployed; the name of its crate unless given
    #[arg(long, value_name = "NAME")]
    pub project: Option<String>,

    /// Processor that functions are built for
    #[arg(long, value_enum, default_value_t)]
    pub architecture: Processor,

    /// Folder that holds a zip for each function
    #[arg(long, value_name = "DIR", default_value = "target/lambda")]
    pub code: PathBuf,
}

/// The processor of a function.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Processor {
    /// Intel and AMD
    #[default]
    #[value(name = "x86_64")]
    X86_64,
    /// AWS Graviton
    #[value(name = "arm64")]
    Arm64,
}
