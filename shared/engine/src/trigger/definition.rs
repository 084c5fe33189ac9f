//! Definitions of sensors and schedules.

use std::fmt;

use precip_core::{
    spec::TriggerName,
    trigger::{Bucket, ScheduleSpec, SensorSpec},
};

use super::{ScheduleFn, SensorFn};
use crate::{
    asset::ResourceNeed,
    definitions::SourceLocation,
    settings::{SettingError, SettingReader, SettingRef},
};

macro_rules! definition {
    ($(#[$doc:meta])* $name:ident, $spec:ident, $function:ident) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name {
            /// The declaration.
            pub spec: $spec,
            /// The resources that the function takes.
            pub resources: Vec<ResourceNeed>,
            /// Source location of the declaration.
            pub source: SourceLocation,
            /// The function, if there is one.
            pub function: Option<$function>,
        }

        impl $name {
            /// Creates a definition without a function.
            #[track_caller]
            pub fn new(spec: $spec) -> Self {
                Self {
                    spec: $spec { has_function: false, ..spec },
                    resources: Vec::new(),
                    source: SourceLocation::here(),
                    function: None,
                }
            }

            /// Returns the definition with a function.
            #[must_use]
            pub fn with_function(mut self, function: $function) -> Self {
                self.spec.has_function = true;
                self.function = Some(function);
                self
            }

            /// Returns the declared name.
            pub fn name(&self) -> &TriggerName {
                &self.spec.name
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name))
                    .field("spec", &self.spec)
                    .field("resources", &self.resources)
                    .field("source", &self.source)
                    .finish_non_exhaustive()
            }
        }
    };
}

definition! {
    /// A sensor, with its function.
    SensorDefinition, SensorSpec, SensorFn
}

definition! {
    /// A schedule, with its function.
    ScheduleDefinition, ScheduleSpec, ScheduleFn
}

/// Reads the name of a sensor's bucket in this environment.
///
/// # Errors
/// [`SettingError`] when its variable is not set and there is no default.
pub async fn read_bucket(
    bucket: &Bucket,
    reader: &dyn SettingReader,
) -> Result<String, SettingError> {
    let (name, default) = match bucket {
        Bucket::Named(name) => return Ok(name.clone()),
        Bucket::Variable { name, default } => (name, default),
    };
    let reference = SettingRef::Variable(name.clone());
    let read = reader.read_setting(&reference).await;
    let problem = |reason: String| SettingError {
        reference: reference.clone(),
        reason,
    };
    match read.map_err(|error| problem(format!("cannot be read: {error}")))? {
        // An empty variable counts as not set.
        Some(value) if !value.is_empty() => Ok(value),
        _ => default
            .clone()
            .ok_or_else(|| problem("is not set".to_owned())),
    }
}
