#![doc = include_str!("../docs/overview.md")]

#[doc = include_str!("../docs/asset.md")]
pub use precip_macros::asset;
#[doc = include_str!("../docs/asset_check.md")]
pub use precip_macros::asset_check;
#[doc = include_str!("../docs/external_asset.md")]
pub use precip_macros::external_asset;
#[doc = include_str!("../docs/multi_asset.md")]
pub use precip_macros::multi_asset;
#[doc = include_str!("../docs/partitions.md")]
pub use precip_macros::partitions;

#[doc = include_str!("../docs/schedule.md")]
pub use precip_macros::schedule;
#[doc = include_str!("../docs/sensor.md")]
pub use precip_macros::sensor;

pub use precip_core as core;
pub use precip_engine as engine;
pub use precip_engine::{
    asset::{
        Asset, AssetContext, AssetError, CheckResult, MaterializeResult, Output, Resources,
        Terminal,
    },
    definitions::{Definitions, DefinitionsBuilder, Environment, InvalidDefinitions},
    settings::{Secret, env, secret},
    trigger::{RunRequest, ScheduleContext, SensorContext, SensorEvent, SensorResult, Skip},
};
pub use precip_io as io;
pub use precip_io::{Json, Partitions, Table};

pub use precip_io::checks;

pub use self::command_line::main;
pub use self::data_checks::data_checks;
pub use self::private::partitions::{IntoPartitions, LazyPartitions};

#[cfg(feature = "aws")]
mod aws;
mod command_line;
mod data_checks;
#[cfg(feature = "aws")]
pub mod lambda;
pub mod prelude;
mod private;
pub mod testing;

#[doc(hidden)]
pub mod __private {
    pub use crate::private::exports::*;
}

/// The guides about this crate: their examples are run as tests.
#[cfg(doctest)]
mod guides {
    #[doc = include_str!("../../../docs/data.md")]
    mod data {}
    #[doc = include_str!("../../../docs/data-custom.md")]
    mod data_custom {}
    #[doc = include_str!("../../../docs/data-files.md")]
    mod data_files {}
    #[doc = include_str!("../../../docs/getting-started.md")]
    mod getting_started {}
    #[doc = include_str!("../../../docs/schedules.md")]
    mod schedules {}
    #[doc = include_str!("../../../docs/sensors.md")]
    mod sensors {}
}
