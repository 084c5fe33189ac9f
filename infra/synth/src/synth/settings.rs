//! What the functions read of their environment: variables as parameters, secrets by permission.

use std::collections::BTreeMap;

use precip_core::{
    manifest::{EnvironmentManifest, Manifest, SensorManifest, SettingManifest, SettingSource},
    trigger::{Bucket, SensorSource},
};

use super::{SynthError, names::LogicalIds, triggers::is_bucket_name};

/// The parameters that every template has.
const PARAMETERS: [&str; 14] = [
    "AlarmTopicArn",
    "Architecture",
    "DeletionProtection",
    "FreshnessTopicArn",
    "LogLevel",
    "LogRetentionDays",
    "MaterializerConcurrency",
    "MaterializerPolicyArn",
    "MaxConcurrency",
    "PermissionsBoundaryArn",
    "ReactorBatchingSeconds",
    "RunRetentionDays",
    "SensorBatchingSeconds",
    "SweepEvery",
];

/// Names that resources of every template have, or may have: a parameter cannot have the same.
const RESOURCES: [&str; 31] = [
    "Stage",
    "Table",
    "Bucket",
    "BucketPolicy",
    "Planner",
    "PlannerRole",
    "PlannerLog",
    "Reactor",
    "ReactorRole",
    "ReactorLog",
    "DeadLetters",
    "DeadLettersPolicy",
    "Run",
    "RunRole",
    "RunLog",
    "Backfill",
    "BackfillRole",
    "BackfillLog",
    "Sensor",
    "SensorRole",
    "SensorLog",
    "SensorDeadLetters",
    "SensorDeadLettersPolicy",
    "TickDeadLetters",
    "TickDeadLettersPolicy",
    "SchedulerRole",
    "Sweeps",
    "SensorErrorsAlarm",
    "FreshnessTopic",
    "TickGroup",
    "TickRole",
];

/// Variables that the template sets itself. A setting of such a name reads that.
const OWN: [&str; 5] = [
    "PRECIP_TABLE",
    "PRECIP_BUCKET",
    "PRECIP_ENV",
    "PRECIP_STATE_MACHINE_ARN",
    "PRECIP_MAX_CONCURRENCY",
];

/// What an environment reads.
#[derive(Debug, Default)]
pub(super) struct Settings {
    /// The environment; `None` in a project that declares none.
    pub(super) environment: Option<String>,
    /// The variables, by name.
    pub(super) parameters: Vec<SettingParameter>,
    /// The secrets, by name.
    pub(super) secrets: Vec<SecretAccess>,
}

/// A variable that the deployment sets.
#[derive(Debug)]
pub(super) struct SettingParameter {
    /// Its logical id.
    pub(super) id: String,
    pub(super) variable: String,
    pub(super) optional: bool,
    pub(super) secret: bool,
    /// Whether it has to be the name of a bucket, since a sensor watches that.
    pub(super) bucket: bool,
    /// The bucket's name unless the deployment gives another.
    pub(super) default: Option<String>,
    by: String,
}

/// A secret that the functions may read.
#[derive(Debug)]
pub(super) struct SecretAccess {
    name: String,
}

/// The uses of one setting put together.
#[derive(Debug)]
struct Use {
    setting: SettingManifest,
    bucket: bool,
    default: Option<String>,
    by: Vec<String>,
}

impl Settings {
    pub(super) fn of(manifest: &Manifest, wanted: Option<&str>) -> Result<Self, SynthError> {
        let environment = environment(manifest, wanted)?;
        let mut ids = LogicalIds::reserving(PARAMETERS.into_iter().chain(RESOURCES));
        let mut settings = Self {
            environment: environment.map(|environment| environment.name.clone()),
            ..Self::default()
        };
        for used in uses(environment, &manifest.sensors) {
            let by = used.by.join(", ");
            match used.setting.source {
                SettingSource::Variable if OWN.contains(&used.setting.name.as_str()) => {}
                SettingSource::Variable => {
                    variable(&used.setting.name, &by)?;
                    settings.parameters.push(SettingParameter {
                        id: ids.of(&used.setting.name),
                        variable: used.setting.name,
                        default: used.default.filter(|_| used.setting.optional),
                        optional: used.setting.optional,
                        secret: used.setting.secret,
                        bucket: used.bucket,
                        by,
                    });
                }
                SettingSource::SecretsManager => {
                    secret(&used.setting.name, &by)?;
                    settings.secrets.push(SecretAccess {
                        name: used.setting.name,
                    });
                }
            }
        }
        Ok(settings)
    }

    /// The heading of the parameters.
    pub(super) fn title(&self) -> String {
        match &self.environment {
            Some(environment) => format!("What environment {environment} reads"),
            None => "What the project reads".to_owned(),
        }
    }

    /// The logical id of what stands for a variable's value.
    pub(super) fn reference(&self, variable: &str) -> String {
        let mut parameters = self.parameters.iter();
        match parameters.find(|parameter| parameter.variable == variable) {
            Some(parameter) => parameter.id.clone(),
            // A sensor that watches the bucket of the project itself.
            None => "Bucket".to_owned(),
        }
    }
}

impl SettingParameter {
    pub(super) fn description(&self) -> String {
        let default = if self.bucket {
            " The name of a bucket, which has to send its events to EventBridge."
        } else if self.optional {
            " Empty is the default that the project declares."
        } else {
            ""
        };
        format!(
            "Environment variable {}, read by {}.{default}",
            self.variable, self.by
        )
    }
}

impl SecretAccess {
    /// Its ARN, as YAML. Secrets Manager puts six characters of its own behind a name.
    pub(super) fn arn(&self) -> String {
        if self.name.starts_with("arn:") {
            return serde_json::Value::from(self.name.as_str()).to_string();
        }
        format!(
            "!Sub \"arn:${{AWS::Partition}}:secretsmanager:${{AWS::Region}}:${{AWS::AccountId}}:secret:{}-??????\"",
            self.name
        )
    }
}

fn environment<'a>(
    manifest: &'a Manifest,
    wanted: Option<&str>,
) -> Result<Option<&'a EnvironmentManifest>, SynthError> {
    let Some(wanted) = wanted else {
        return Ok(manifest.environments.first());
    };
    let mut environments = manifest.environments.iter();
    match environments.find(|environment| environment.name == wanted) {
        Some(environment) => Ok(Some(environment)),
        None => Err(SynthError::Environment {
            given: wanted.to_owned(),
            known: manifest
                .environments
                .iter()
                .map(|e| e.name.clone())
                .collect(),
        }),
    }
}

/// Each setting once, by name. It is needed if anything needs it, and hidden if anything hides it.
fn uses(environment: Option<&EnvironmentManifest>, sensors: &[SensorManifest]) -> Vec<Use> {
    let resources = environment.into_iter().flat_map(|has| &has.resources);
    let resources = resources.map(|made| ("resource", made));
    let io_managers = environment.into_iter().flat_map(|has| &has.io_managers);
    let io_managers = io_managers.map(|made| ("IO manager", made));
    let mut uses: BTreeMap<(bool, &str), Use> = BTreeMap::new();
    for (what, made) in resources.chain(io_managers) {
        for setting in &made.settings {
            let kept_apart = setting.source == SettingSource::SecretsManager;
            let used = uses
                .entry((kept_apart, &setting.name))
                .or_insert_with(|| Use {
                    setting: setting.clone(),
                    bucket: false,
                    default: None,
                    by: Vec::new(),
                });
            used.setting.optional &= setting.optional;
            used.setting.secret |= setting.secret;
            used.by.push(format!("{what} {}", made.name));
        }
    }
    for sensor in sensors {
        watches(sensor, &mut uses);
    }
    uses.into_values().collect()
}

/// The bucket that a sensor watches, where a variable names it.
fn watches<'a>(sensor: &'a SensorManifest, uses: &mut BTreeMap<(bool, &'a str), Use>) {
    let SensorSource::Objects(objects) = &sensor.spec.source else {
        return;
    };
    let Bucket::Variable { name, default } = &objects.bucket else {
        return;
    };
    // On a laptop it is a folder, whose name may be none of a bucket.
    let default = default.clone().filter(|default| is_bucket_name(default));
    let used = uses.entry((false, name)).or_insert_with(|| Use {
        setting: SettingManifest {
            source: SettingSource::Variable,
            name: name.clone(),
            optional: true,
            secret: false,
        },
        bucket: true,
        default: default.clone(),
        by: Vec::new(),
    });
    used.bucket = true;
    used.setting.optional &= default.is_some();
    used.default = used.default.take().or(default);
    used.by.push(format!("sensor {}", sensor.spec.name));
}

/// Refuses names that a function's environment cannot have (Lambda developer guide, "Environment
/// variables").
fn variable(name: &str, by: &str) -> Result<(), SynthError> {
    let refused = |why| {
        Err(SynthError::Variable {
            by: by.to_owned(),
            name: name.to_owned(),
            why,
        })
    };
    let mut bytes = name.bytes();
    let first = bytes.next().is_some_and(|b| b.is_ascii_alphabetic());
    if !first || name.len() < 2 || !bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return refused("is not two or more letters, digits and `_` with a letter first");
    }
    if name.starts_with("AWS_") || name.starts_with("LAMBDA_") {
        return refused("belongs to Lambda");
    }
    Ok(())
}

fn secret(name: &str, by: &str) -> Result<(), SynthError> {
    let arn = name.starts_with("arn:");
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"/_+=.@-".contains(&b) || (arn && b == b':');
    if (1..=512).contains(&name.len()) && name.bytes().all(fits) {
        Ok(())
    } else {
        Err(SynthError::Secret {
            by: by.to_owned(),
            name: name.to_owned(),
        })
    }
}
