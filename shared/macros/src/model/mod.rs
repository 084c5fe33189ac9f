//! The models of the macros' calls: options and function, with every value valid.

mod asset;
mod check;
mod deps;
mod external;
mod freshness;
mod function;
mod labels;
mod multi;
mod op;
mod param;
mod partitions;
mod policy;
mod schedule;
mod sensor;
mod trigger;

pub(crate) use asset::{AssetModel, Docs};
pub(crate) use check::CheckModel;
pub(crate) use deps::Dep;
pub(crate) use external::ExternalAssetModel;
pub(crate) use freshness::FreshnessModel;
pub(crate) use function::Function;
pub(crate) use labels::{DeclaredCheck, Label};
pub(crate) use multi::MultiAssetModel;
pub(crate) use op::OpModel;
pub(crate) use param::{Param, ParamKind, ResourceForm};
pub(crate) use partitions::{PartitionsModel, TimeModel};
pub(crate) use policy::{BackfillModel, ComputeModel, RetryModel};
pub(crate) use schedule::{CatchUpModel, ScheduleModel, TimingModel};
pub(crate) use sensor::{FilterModel, SensorModel, SourceModel};
pub(crate) use trigger::{TargetModel, TriggerItem, TriggerModel};
