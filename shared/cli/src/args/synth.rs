//! Commands about what is deployed.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// What is generated, and where it is put.
#[derive(Debug, Clone, Args)]
pub struct SynthArgs {
    /// Write nothing: compare with what is there, and end with 1 if it is not the same
    #[arg(long)]
    pub check: bool,

    /// The folder of what is generated
    #[arg(long, value_name = "DIR", default_value = "infra/generated")]
    pub out: PathBuf,

    /// The project's name, which is part of the names of what is deployed; that of this binary unless
    /// given
    #[arg(long, value_name = "NAME")]
    pub project: Option<String>,

    /// The processor that functions are built for
    #[arg(long, value_enum, default_value_t)]
    pub architecture: Processor,

    /// The folder with a zip for each function
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
