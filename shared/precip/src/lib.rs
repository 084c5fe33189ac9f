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

/// The guides, as in the folder `docs` of the repository.
#[cfg(any(doc, doctest))]
pub mod guide {
    #[doc = include_str!("../docs/guide_links.md")]
    #[doc = include_str!("../docs/guide/getting-started.md")]
    pub mod getting_started {}

    #[doc = include_str!("../docs/guide_links.md")]
    #[doc = include_str!("../docs/guide/data.md")]
    pub mod data {}

    #[doc = include_str!("../docs/guide_links.md")]
    #[doc = include_str!("../docs/guide/data-files.md")]
    pub mod data_files {}

    #[doc = include_str!("../docs/guide_links.md")]
    #[doc = include_str!("../docs/guide/data-custom.md")]
    pub mod data_custom {}

    #[doc = include_str!("../docs/guide_links.md")]
    #[doc = include_str!("../docs/guide/sensors.md")]
    pub mod sensors {}

    #[doc = include_str!("../docs/guide_links.md")]
    #[doc = include_str!("../docs/guide/schedules.md")]
    pub mod schedules {}

    #[doc = include_str!("../docs/guide_links.md")]
    #[doc = include_str!("../docs/guide/deploying.md")]
    pub mod deploying {}

    #[doc = include_str!("../docs/guide_links.md")]
    #[doc = include_str!("../docs/guide/deploying-cdk.md")]
    pub mod deploying_cdk {}

    #[doc = include_str!("../docs/guide_links.md")]
    #[doc = include_str!("../docs/guide/running-on-aws.md")]
    pub mod running_on_aws {}

    // The crates that the examples of these pages are about test them: `precip-core`,
    // `precip-duckdb` and `precip-snowflake`. The configuration `doc` is set for doctests as well.

    #[cfg(not(doctest))]
    #[doc = include_str!("../docs/guide_links.md")]
    #[doc = include_str!("../docs/guide/partitions.md")]
    pub mod partitions {}

    #[cfg(not(doctest))]
    #[doc = include_str!("../docs/guide_links.md")]
    #[doc = include_str!("../docs/guide/selection.md")]
    pub mod selection {}

    #[cfg(not(doctest))]
    #[doc = include_str!("../docs/guide_links.md")]
    #[doc = include_str!("../docs/guide/automation.md")]
    pub mod automation {}

    #[cfg(not(doctest))]
    #[doc = include_str!("../docs/guide_links.md")]
    #[doc = include_str!("../docs/guide/data-duckdb.md")]
    pub mod data_duckdb {}

    #[cfg(not(doctest))]
    #[doc = include_str!("../docs/guide_links.md")]
    #[doc = include_str!("../docs/guide/data-snowflake.md")]
    pub mod data_snowflake {}
}
