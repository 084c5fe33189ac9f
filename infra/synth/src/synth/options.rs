//! The settings of a deployment that the project does not declare.

use std::fmt;

use super::SynthError;

/// The settings of a deployment that the project does not declare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SynthOptions {
    /// The project's name: letters, digits, `_` and `-`, at most 40 of them, a letter first. It
    /// names the files of the state machines and tags all resources.
    pub project: String,
    /// The environment of the project that the functions use; the first one when `None`.
    pub environment: Option<String>,
    /// The default processor of the functions.
    pub architecture: Architecture,
    /// The folder with a zip for each function, relative to the template's folder:
    /// `{code}/{function}/bootstrap.zip`, as `cargo lambda build --output-format zip` writes them.
    pub code: String,
    /// True to write `deployment.json` too, from which the CDK construct creates the resources.
    pub cdk: bool,
}

impl SynthOptions {
    /// Returns the default options: x86_64, built in the workspace's own target folder, with the
    /// template two folders below the workspace's root.
    pub fn new(project: impl Into<String>) -> Self {
        Self {
            project: project.into(),
            environment: None,
            architecture: Architecture::X86_64,
            code: "../../target/lambda".to_owned(),
            cdk: false,
        }
    }

    /// Checks that the project's name is valid in the names of resources.
    pub(super) fn validate_project(&self) -> Result<(), SynthError> {
        let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
        let name = self.project.as_bytes();
        if name.first().is_some_and(u8::is_ascii_alphabetic)
            && name.len() <= 40
            && name.iter().copied().all(fits)
        {
            Ok(())
        } else {
            Err(SynthError::ProjectName {
                given: self.project.clone(),
            })
        }
    }
}

/// The processor of a function.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Architecture {
    /// Intel and AMD, like most machines that build.
    #[default]
    X86_64,
    /// AWS Graviton: a fifth cheaper per second.
    Arm64,
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::X86_64 => "x86_64",
            Self::Arm64 => "arm64",
        })
    }
}
