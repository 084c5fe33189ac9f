//! The code that the macros call. Users cannot rely on any of it.
#![expect(
    missing_docs,
    reason = "called by generated code only; each name is the option's"
)]

mod asset_decl;
mod finish;
mod freshness;
mod op_decl;
pub(crate) mod partitions;
mod schema;
mod trigger_decl;

pub(crate) mod exports {
    //! Everything by the names that the macros use.

    pub use inventory;
    pub use precip_core::{
        freshness::FreshnessPolicy,
        partitions::{
            DynamicPartitions, MultiPartitions, PartitionsDefinition, StaticPartitions,
            TimeWindowPartitions,
        },
        spec::{BackfillPolicy, Backoff, ComputeProfile, Jitter, RetryPolicy},
        trigger::CatchUp,
    };
    pub use precip_engine::{
        asset::{
            Asset, AssetContext, ConfigSpec, Execution, Inputs, Resources, RunFuture, Unmanaged,
        },
        definitions::{Declaration, Declares, Registered, SourceLocation},
        trigger::{IntoSensorResult, ScheduleContext, SensorContext, TriggerFuture},
    };
    pub use precip_io::{AssetReturn, OutputAt};

    pub use super::{
        asset_decl::AssetDecl,
        finish::{finish_all, finish_asset, finish_check, take_input},
        op_decl::OpDecl,
        partitions::{shared_partitions, validated},
        schema::{DebugOf, SchemaOf, WithDebug, WithSchema, WithoutDebug, WithoutSchema},
        trigger_decl::{ScheduleDecl, SensorDecl},
    };
    pub use crate::__here as here;
    pub use crate::data_checks::data_checks_of;
}

/// Returns the source location of the macro's invocation.
#[doc(hidden)]
#[macro_export]
macro_rules! __here {
    () => {
        $crate::__private::SourceLocation {
            file: ::core::file!(),
            line: ::core::line!(),
        }
    };
}
