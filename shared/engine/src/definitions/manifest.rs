//! The manifest of definitions.

use precip_core::{
    manifest::{
        ComponentManifest, EnvironmentManifest, InputManifest, Manifest, OpDetails,
        ScheduleManifest, SensorManifest, SettingManifest, SettingSource, SourceManifest,
        TriggerDetails,
    },
    spec::OpSpec,
};

use crate::{
    asset::ResourceNeed,
    definitions::{Definitions, Environment, Factory, OpDefinition, SourceLocation},
    settings::{SettingRef, SettingSpec},
};

impl Definitions {
    /// Returns all declarations as data. Holds the names of settings but no values, since no
    /// setting is read.
    pub fn manifest(&self) -> Manifest {
        let details = |op: &OpSpec| self.op_named(&op.name).map(op_details).unwrap_or_default();
        let environments = self
            .environments()
            .iter()
            .map(environment_manifest)
            .collect();
        let sensors = self.sensors().map(|sensor| SensorManifest {
            spec: sensor.spec.clone(),
            details: trigger_details(&sensor.resources, sensor.source),
        });
        let schedules = self.schedules().map(|schedule| ScheduleManifest {
            spec: schedule.spec.clone(),
            details: trigger_details(&schedule.resources, schedule.source),
        });
        Manifest {
            sensors: sensors.collect(),
            schedules: schedules.collect(),
            ..Manifest::new(self.graph(), details, environments)
        }
    }
}

fn trigger_details(resources: &[ResourceNeed], source: SourceLocation) -> TriggerDetails {
    TriggerDetails {
        resources: resources.iter().map(|need| need.name.clone()).collect(),
        source: Some(source_manifest(source)),
    }
}

fn source_manifest(source: SourceLocation) -> SourceManifest {
    SourceManifest {
        file: source.file.to_owned(),
        line: source.line,
    }
}

fn op_details(op: &OpDefinition) -> OpDetails {
    let inputs = op.inputs.iter().map(|input| InputManifest {
        name: input.name.clone(),
        asset: input.asset.clone(),
        many: input.needs.many,
        missing_ok: input.needs.missing_ok,
    });
    OpDetails {
        inputs: inputs.collect(),
        source: Some(source_manifest(op.source)),
    }
}

fn environment_manifest(environment: &Environment) -> EnvironmentManifest {
    let resources = environment.resources.iter();
    let io_managers = environment.io_managers.iter();
    EnvironmentManifest {
        name: environment.name().to_owned(),
        resources: resources
            .map(|(name, factory)| component_manifest(name, factory))
            .collect(),
        io_managers: io_managers
            .map(|(name, factory)| component_manifest(name, factory))
            .collect(),
    }
}

fn component_manifest<P>(name: &str, factory: &Factory<P>) -> ComponentManifest {
    ComponentManifest {
        name: name.to_owned(),
        type_name: factory.type_name().to_owned(),
        settings: factory.settings().iter().map(setting_manifest).collect(),
    }
}

fn setting_manifest(setting: &SettingSpec) -> SettingManifest {
    SettingManifest {
        source: match setting.reference {
            SettingRef::Variable(_) => SettingSource::Variable,
            SettingRef::Secret(_) => SettingSource::SecretsManager,
        },
        name: setting.reference.name().to_owned(),
        optional: setting.optional,
        secret: setting.secret,
    }
}
