//! [`Definitions`]: the validated declarations of a project.

mod builder;
mod check;
mod collected;
mod environment;
mod error;
mod factory;
mod manifest;
mod op;
mod open;
mod registry;
mod source;
mod triggers;

pub use builder::DefinitionsBuilder;
pub use collected::Definitions;
pub use environment::{DEFAULT_IO_MANAGER, Environment, SettingUse};
pub use error::{DefinitionError, InvalidDefinition, InvalidDefinitions, UnknownEnvironment};
pub use factory::Factory;
pub use op::{Declaration, OpDefinition};
pub use open::{EnvironmentNeeds, IoManagers, OpenEnvironment, OpenError};
pub use registry::{Declares, Registered};
pub use source::SourceLocation;

#[cfg(test)]
mod tests;
