//! Sensors and schedules as the engine can evaluate them.

use std::fmt;

use precip_core::{
    spec::TriggerName,
    trigger::{Bucket, ScheduleSpec, SensorSpec},
};

use super::{ScheduleFn, SensorFn};
use crate::{
    asset::ResourceNeed,
    definitions::SourceLocation,
    settings::{SettingProblem, SettingReader, SettingRef},
};

macro_rules! definition {
    ($(#[$doc:meta])* $name:ident, $spec:ident, $function:ident) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name {
            /// What is declared of it.
            pub spec: $spec,
            /// The resources that its function takes.
            pub resources: Vec<ResourceNeed>,
            /// Where it is declared.
            pub source: SourceLocation,
            /// Its function, if it has one.
            pub function: Option<$function>,
        }

        impl $name {
            /// One without a function.
            #[track_caller]
            pub fn new(spec: $spec) -> Self {
                Self {
                    spec: $spec { has_function: false, ..spec },
                    resources: Vec::new(),
                    source: SourceLocation::here(),
                    function: None,
                }
            }

            /// Gives it a function.
            #[must_use]
            pub fn with_function(mut self, function: $function) -> Self {
                self.spec.has_function = true;
                self.function = Some(function);
                self
            }

            /// Its name.
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
    /// A sensor as the engine can evaluate it.
    SensorDefinition, SensorSpec, SensorFn
}

definition! {
    /// A schedule as the engine can evaluate it.
    ScheduleDefinition, ScheduleSpec, ScheduleFn
}

/// Reads which bucket a sensor watches here.
///
/// # Errors
/// [`SettingProblem`] when its variable is not set and there is no default.
pub async fn read_bucket(
    bucket: &Bucket,
    reader: &dyn SettingReader,
) -> Result<String, SettingProblem> {
    let (name, default) = match bucket {
        Bucket::Named(name) => return Ok(name.clone()),
        Bucket::Variable { name, default } => (name, default),
    };
    let reference = SettingRef::Variable(name.clone());
    let read = reader.read(&reference).await;
    let problem = |reason: String| SettingProblem {
        reference: reference.clone(),
        reason,
    };
    match read.map_err(|error| problem(format!("cannot be read: {error}")))? {
        Some(value) if !value.is_empty() => Ok(value),
        _ => default
            .clone()
            .ok_or_else(|| problem("is not set".to_owned())),
    }
}
