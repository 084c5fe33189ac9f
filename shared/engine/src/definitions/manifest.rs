//! Definitions as a manifest.

use precip_core::{
    manifest::{
        EnvironmentManifest, InputManifest, MadeManifest, Manifest, OpDetails, SettingManifest,
        SettingSource, SourceManifest,
    },
    spec::OpSpec,
};

use crate::{
    definitions::{Definitions, Environment, Factory, OpDefinition},
    settings::{SettingRef, SettingSpec},
};

impl Definitions {
    /// Everything that is declared, as data. It holds the names of the settings that environments
    /// read, and no value: nothing is read to write it.
    pub fn manifest(&self) -> Manifest {
        let details = |op: &OpSpec| self.op_named(&op.name).map(details).unwrap_or_default();
        let environments = self.environments().iter().map(environment).collect();
        Manifest::new(self.graph(), details, environments)
    }
}

fn details(op: &OpDefinition) -> OpDetails {
    let inputs = op.inputs.iter().map(|input| InputManifest {
        name: input.name.clone(),
        asset: input.asset.clone(),
        many: input.needs.many,
        missing_ok: input.needs.missing_ok,
    });
    OpDetails {
        inputs: inputs.collect(),
        source: Some(SourceManifest {
            file: op.source.file.to_owned(),
            line: op.source.line,
        }),
    }
}

fn environment(environment: &Environment) -> EnvironmentManifest {
    let resources = environment.resources.iter();
    let io_managers = environment.io_managers.iter();
    EnvironmentManifest {
        name: environment.name().to_owned(),
        resources: resources
            .map(|(name, factory)| made(name, factory))
            .collect(),
        io_managers: io_managers
            .map(|(name, factory)| made(name, factory))
            .collect(),
    }
}

fn made<P>(name: &str, factory: &Factory<P>) -> MadeManifest {
    MadeManifest {
        name: name.to_owned(),
        type_name: factory.type_name().to_owned(),
        settings: factory.settings().iter().map(setting).collect(),
    }
}

fn setting(setting: &SettingSpec) -> SettingManifest {
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
