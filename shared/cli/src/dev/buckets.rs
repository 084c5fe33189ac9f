//! The folders that stand for buckets.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use precip_core::trigger::{Bucket, SensorSource};
use precip_engine::{definitions::Definitions, settings::ProcessEnvironment, trigger::read_bucket};
use precip_local::{bucket::BucketFolder, home::Home};

use crate::failure::Failure;

/// A folder, what the bucket is called, and the sensors that wait for its objects.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) name: String,
    pub(super) folder: BucketFolder,
    pub(super) sensors: Vec<String>,
}

/// Finds the folder of every sensor's bucket: the one that the command line names, or else the path
/// that the setting holds; for a bucket with a fixed name, a folder of that name in the home.
///
/// # Errors
/// [`Failure`] when a setting is missing, or a folder cannot be made.
pub(super) async fn watched(
    definitions: &Definitions,
    home: &Home,
    given: &[String],
) -> Result<Vec<Watched>, Failure> {
    let mut chosen: BTreeMap<&str, &str> = BTreeMap::new();
    for one in given {
        let (bucket, folder) = one.split_once('=').ok_or_else(|| {
            Failure::usage(format!("`{one}` names no folder for a bucket"))
                .help("write `--folder BUCKET=FOLDER`")
        })?;
        chosen.insert(bucket, folder);
    }
    let mut watched: BTreeMap<PathBuf, Watched> = BTreeMap::new();
    let mut used: Vec<String> = Vec::new();
    for sensor in definitions.sensors() {
        let SensorSource::Objects(objects) = &sensor.spec.source else {
            continue;
        };
        let declared = match &objects.bucket {
            Bucket::Named(name) | Bucket::Variable { name, .. } => name.as_str(),
        };
        let name = match chosen.get(declared) {
            Some(folder) => (*folder).to_owned(),
            None => read_bucket(&objects.bucket, &ProcessEnvironment)
                .await
                .map_err(|problem| {
                    Failure::environment(format!(
                        "sensor `{}`: its bucket: {problem}",
                        sensor.name()
                    ))
                    .help(format!(
                        "set it to a folder, or write `--folder {declared}=FOLDER`"
                    ))
                })?,
        };
        used.push(declared.to_owned());
        let folder = match (&objects.bucket, chosen.get(declared)) {
            (Bucket::Named(name), None) => home.root().join("buckets").join(name),
            _ => PathBuf::from(&name),
        };
        let folder = made(&folder)?;
        let entry = watched.entry(folder.clone()).or_insert_with(|| Watched {
            name,
            folder: BucketFolder::new(folder),
            sensors: Vec::new(),
        });
        entry.sensors.push(sensor.name().to_string());
    }
    if let Some(unused) = chosen
        .keys()
        .find(|name| !used.iter().any(|used| used == *name))
    {
        let known: Vec<String> = used.iter().map(|name| format!("`{name}`")).collect();
        return Err(Failure::usage(format!("no sensor has a bucket `{unused}`"))
            .help(format!("there are {}", known.join(", "))));
    }
    Ok(watched.into_values().collect())
}

fn made(folder: &Path) -> Result<PathBuf, Failure> {
    let failed = |error: std::io::Error| {
        Failure::environment(format!(
            "failed to make the folder `{}`: {error}",
            folder.display()
        ))
    };
    std::fs::create_dir_all(folder).map_err(failed)?;
    std::fs::canonicalize(folder).map_err(failed)
}
