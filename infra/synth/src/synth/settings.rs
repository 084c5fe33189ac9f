//! The settings that the functions read: variables as parameters, secrets by permission.

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

/// Names of resources that a template may have, which a parameter cannot have as well.
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

/// Variables that the template sets itself. A setting of such a name reads this value.
const OWN: [&str; 6] = [
    "PRECIP_TABLE",
    "PRECIP_BUCKET",
    "PRECIP_ENV",
    "PRECIP_STATE_MACHINE_ARN",
    "PRECIP_MAX_CONCURRENCY",
    "PRECIP_RESERVED_CONCURRENCY",
];

/// The settings of an environment.
#[derive(Debug, Default)]
pub(super) struct Settings {
    /// The environment; `None` in a project that declares none.
    pub(super) environment: Option<String>,
    /// The variables, by name.
    pub(super) parameters: Vec<SettingParameter>,
    /// The secrets, by name.
    pub(super) secrets: Vec<SecretAccess>,
}

/// A variable that is a parameter of the deployment.
#[derive(Debug)]
pub(super) struct SettingParameter {
    /// Its logical id.
    pub(super) id: String,
    pub(super) variable: String,
    pub(super) optional: bool,
    pub(super) secret: bool,
    /// True if it has to be the name of a bucket, because a sensor watches it.
    pub(super) bucket: bool,
    /// The default name of the bucket.
    pub(super) default: Option<String>,
    by: String,
}

/// A secret that the functions may read.
#[derive(Debug)]
pub(super) struct SecretAccess {
    /// Its name, or its ARN.
    pub(super) name: String,
}

/// All uses of one setting.
#[derive(Debug)]
struct Use {
    setting: SettingManifest,
    bucket: bool,
    default: Option<String>,
    by: Vec<String>,
}

impl Settings {
    /// Collects the settings that the project reads in an environment.
    pub(super) fn from_manifest(
        manifest: &Manifest,
        wanted: Option<&str>,
    ) -> Result<Self, SynthError> {
        let environment = find_environment(manifest, wanted)?;
        let mut ids = LogicalIds::with_reserved(PARAMETERS.into_iter().chain(RESOURCES));
        let mut settings = Self {
            environment: environment.map(|environment| environment.name.clone()),
            ..Self::default()
        };
        for used in collect_uses(environment, &manifest.sensors) {
            let by = used.by.join(", ");
            match used.setting.source {
                // The template sets it already.
                SettingSource::Variable if OWN.contains(&used.setting.name.as_str()) => {}
                SettingSource::Variable => {
                    check_variable(&used.setting.name, &by)?;
                    settings.parameters.push(SettingParameter {
                        id: ids.id_for(&used.setting.name),
                        variable: used.setting.name,
                        default: used.default.filter(|_| used.setting.optional),
                        optional: used.setting.optional,
                        secret: used.setting.secret,
                        bucket: used.bucket,
                        by,
                    });
                }
                SettingSource::SecretsManager => {
                    check_secret(&used.setting.name, &by)?;
                    settings.secrets.push(SecretAccess {
                        name: used.setting.name,
                    });
                }
            }
        }
        Ok(settings)
    }

    /// Returns the heading of the parameters.
    pub(super) fn group_label(&self) -> String {
        match &self.environment {
            Some(environment) => format!("Variables of environment {environment}"),
            None => "Variables of the project".to_owned(),
        }
    }

    /// Returns the logical id of a variable's value.
    pub(super) fn value_id(&self, variable: &str) -> String {
        let mut parameters = self.parameters.iter();
        // Every variable of a sensor is a parameter, but those that the template sets.
        match parameters.find(|parameter| parameter.variable == variable) {
            Some(parameter) => parameter.id.clone(),
            // A sensor of the project's own bucket.
            None => "Bucket".to_owned(),
        }
    }
}

impl SettingParameter {
    pub(super) fn description(&self) -> String {
        let default = if self.bucket {
            " The name of a bucket that sends its events to EventBridge."
        } else if self.optional {
            " Empty means the project's default."
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
    /// Returns the secret's ARN, as YAML. Secrets Manager adds six characters to a name.
    pub(super) fn arn_yaml(&self) -> String {
        if self.name.starts_with("arn:") {
            return serde_json::Value::from(self.name.as_str()).to_string();
        }
        format!(
            "!Sub \"arn:${{AWS::Partition}}:secretsmanager:${{AWS::Region}}:${{AWS::AccountId}}:secret:{}-??????\"",
            self.name
        )
    }
}

/// Returns the environment of a name, or the first one.
fn find_environment<'a>(
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

/// Returns each setting once, ordered by name. It is required if any use requires it, and hidden if
/// any use hides it.
fn collect_uses(environment: Option<&EnvironmentManifest>, sensors: &[SensorManifest]) -> Vec<Use> {
    let resources = environment
        .into_iter()
        .flat_map(|environment| &environment.resources)
        .map(|resource| ("resource", resource));
    let io_managers = environment
        .into_iter()
        .flat_map(|environment| &environment.io_managers)
        .map(|manager| ("IO manager", manager));
    // Ordered by name, so that parameters keep their order when ops change.
    let mut uses: BTreeMap<(bool, &str), Use> = BTreeMap::new();
    for (what, declared) in resources.chain(io_managers) {
        for setting in &declared.settings {
            // A variable and a secret of the same name are two settings.
            let is_secret = setting.source == SettingSource::SecretsManager;
            let used = uses
                .entry((is_secret, &setting.name))
                .or_insert_with(|| Use {
                    setting: setting.clone(),
                    bucket: false,
                    default: None,
                    by: Vec::new(),
                });
            used.setting.optional &= setting.optional;
            used.setting.secret |= setting.secret;
            used.by.push(format!("{what} {}", declared.name));
        }
    }
    for sensor in sensors {
        add_watched_bucket(sensor, &mut uses);
    }
    uses.into_values().collect()
}

/// Adds the bucket that a sensor watches, if a variable names it.
fn add_watched_bucket<'a>(sensor: &'a SensorManifest, uses: &mut BTreeMap<(bool, &'a str), Use>) {
    let objects = match &sensor.spec.source {
        SensorSource::Objects(objects) => objects,
        SensorSource::Assets { .. } | SensorSource::Runs { .. } => return,
    };
    let Bucket::Variable { name, default } = &objects.bucket else {
        return;
    };
    // The default may be a local folder, whose name is not valid for a bucket.
    let bucket_default = default.clone().filter(|default| is_bucket_name(default));
    let used = uses.entry((false, name)).or_insert_with(|| Use {
        setting: SettingManifest {
            source: SettingSource::Variable,
            name: name.clone(),
            optional: true,
            secret: false,
        },
        bucket: true,
        default: bucket_default.clone(),
        by: Vec::new(),
    });
    used.bucket = true;
    used.setting.optional &= bucket_default.is_some();
    used.default = used.default.take().or(bucket_default);
    used.by.push(format!("sensor {}", sensor.spec.name));
}

/// Checks that a function's environment can have a variable of this name (Lambda developer guide,
/// "Environment variables").
fn check_variable(name: &str, by: &str) -> Result<(), SynthError> {
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

/// Checks that Secrets Manager can hold a secret of this name.
fn check_secret(name: &str, by: &str) -> Result<(), SynthError> {
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
